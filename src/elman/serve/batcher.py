"""Continuous batching: jobs come in at any time, all that run advance together, each leaves when it is done.

One thread for each model. A step of the engine is a step of every stream that writes; prompts are read in
windows between steps, as much at a time as the steps themselves cost. Each text is the one that its seed
gives alone. Knows nothing of HTTP.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence

import numpy as np

from elman.engine import Engine, State
from elman.generation import forbid

from .job import Job
from .rows import choose, gather, padded

AT_ONCE = 256  # rows times steps of a prompt in one call, where nobody writes
BETWEEN = 64  # the same, where somebody does
UNFETCHED = 1024  # pieces that wait for a slow reader: its text rests, and its place is free
WAKE_SECONDS = 0.025  # between two wakings of one reader
GIVE_WAY_SECONDS = 0.005  # for which a step waits, at most, until the event loop has nothing to do


class Batcher:
    """Runs jobs on an engine; `streams` of them together, `queue` more may wait.

    `idle` is set while the event loop has nothing to do: steps give way to those who come and go.
    """

    def __init__(
        self,
        engine: Engine,
        unknown: int | None,
        streams: int,
        queue: int,
        idle: threading.Event | None = None,
    ) -> None:
        self._engine, self._streams, self._queue, self._idle = engine, streams, queue, idle
        self._bias = forbid(engine.vocabulary_size, [unknown])[np.newaxis]
        self._changed = threading.Condition()
        self._jobs: set[Job] = set()  # all that are not done
        self._waiting: deque[Job] = deque()
        self._resting: set[Job] = set()
        self._reading: list[Job] = []
        self._writing: list[Job] = []
        self._rewinding: list[tuple[int, Job]] = []  # rows of those that may have to go back
        self._memory: State = gather(engine, [])  # of those that write, in their order
        self._closed = False
        self.tokens_read = self.tokens_written = 0
        self._thread = threading.Thread(target=self._run, name="elman-batcher", daemon=True)
        self._thread.start()

    @property
    def running(self) -> int:
        """How many streams have a place."""
        return len(self._reading) + len(self._writing)

    @property
    def waiting(self) -> int:
        """How many streams wait for a place."""
        return len(self._waiting)

    @property
    def jobs(self) -> int:
        """How many are not done."""
        return len(self._jobs)

    @property
    def closed(self) -> bool:
        """Whether nothing is written any more."""
        return self._closed

    def submit(self, jobs: Sequence[Job]) -> bool:
        """Take jobs, all of them or, where there is no room, none."""
        with self._changed:
            if self._closed or len(self._jobs) + len(jobs) > self._streams + self._queue:
                return False
            self._jobs.update(jobs)
            self._waiting.extend(jobs)
            self._changed.notify()
        return True

    def drop(self, jobs: Sequence[Job]) -> None:
        """Stop jobs that nobody waits for; those that are done are done."""
        with self._changed:
            for job in jobs:
                job.gone = True
            idle = {job for job in (*self._waiting, *self._resting) if job.gone}
            self._waiting = deque(job for job in self._waiting if job not in idle)
            self._resting -= idle
            self._jobs -= idle

    def fetched(self, job: Job) -> None:
        """Go on with a job that rested until its reader came."""
        with self._changed:
            if job in self._resting:
                self._resting.discard(job)
                self._waiting.append(job)
                self._changed.notify()

    def close(self) -> None:
        """End the thread, and with it all jobs."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._closed or self._reading or self._writing or self._waiting):
                    self._changed.wait()
                if self._closed:
                    break
            if self._idle:
                self._idle.wait(GIVE_WAY_SECONDS)
            try:
                self._admit()
                self._read()
                self._write()
            except Exception:  # a model that fails must not leave its clients waiting
                logging.getLogger(__name__).exception("the model failed")
                self._fail()
        self._fail()

    def _admit(self) -> None:
        """Give free places to those that wait, and take them from those whose reader went away."""
        gone = [job for job in (*self._reading, *self._writing) if job.gone]
        if gone:
            self._reading = [job for job in self._reading if not job.gone]
            self._seat([job for job in self._writing if not job.gone])
            self._end(gone)
        with self._changed:
            free = self._streams - self.running
            self._reading += [self._waiting.popleft() for _ in range(min(free, len(self._waiting)))]

    def _read(self) -> None:
        """Read a window of the prompts, as far as all of them reach; those that are read begin to write."""
        readers = [job for job in self._reading if len(job.unread)]
        if readers:
            rows = padded(len(readers))
            steps = max(1, (BETWEEN if self._writing else AT_ONCE) // rows)
            steps = min(steps, *(len(job.unread) for job in readers))
            ids = np.zeros((steps, rows), dtype=np.int64)
            for row, job in enumerate(readers):
                ids[:, row] = job.unread[:steps]
            logits, memory = self._engine.feed(ids, gather(self._engine, [job.memory for job in readers]))
            for row, job in enumerate(readers):
                job.keep(memory, row)
                job.read(steps, logits[:, row])
            self.tokens_read += steps * len(readers)
        ready = [job for job in self._reading if not len(job.unread)]
        if ready:
            self._reading = [job for job in self._reading if len(job.unread)]
            self._end([job for job in ready if job.complete])
            self._seat([*self._writing, *(job for job in ready if not job.complete)])

    def _write(self) -> None:
        """Write one token of every text."""
        jobs = self._writing
        if not jobs:
            return
        for row, job in self._rewinding:
            job.mark(self._memory, row)
        ids = np.zeros(len(self._memory[0]), dtype=np.int64)
        ids[: len(jobs)] = [job.token for job in jobs]
        logits, self._memory = self._engine.step(ids, self._memory)
        tokens = choose(jobs, logits[: len(jobs)], self._bias)
        for job, token, row in zip(jobs, tokens, logits, strict=False):
            job.take(token, row)
        self.tokens_written += len(jobs)
        complete = [job for job in jobs if job.complete]
        resting = [job for job in jobs if len(job.pieces) >= UNFETCHED and not job.complete]
        if complete or resting:
            self._seat([job for job in jobs if job not in complete and job not in resting])
            with self._changed:
                self._resting.update(resting)
            self._end(complete)
        now = time.monotonic()
        for job in jobs:
            if job.pieces and now - job.woken >= WAKE_SECONDS:
                job.woken = now
                job.wake()

    def _seat(self, jobs: Sequence[Job]) -> None:
        """Let exactly these write from the next step on."""
        rows = {job: row for row, job in enumerate(self._writing)}
        for job in rows.keys() - set(jobs):
            job.keep(self._memory, rows[job])
        seated = [
            tuple(part[rows[job]][np.newaxis] for part in self._memory) if job in rows else job.memory
            for job in jobs
        ]
        self._memory, self._writing = gather(self._engine, seated), list(jobs)
        self._rewinding = [(row, job) for row, job in enumerate(jobs) if job.order.rewinds]

    def _end(self, jobs: Sequence[Job]) -> None:
        with self._changed:
            self._jobs.difference_update(jobs)
        for job in jobs:
            job.done = True
            job.wake()

    def _fail(self) -> None:
        """End all jobs where they stand."""
        with self._changed:
            jobs = list(self._jobs)
            self._waiting.clear()
            self._resting.clear()
        self._reading, self._writing, self._rewinding = [], [], []
        for job in jobs:
            job.failed = True
        self._end(jobs)
