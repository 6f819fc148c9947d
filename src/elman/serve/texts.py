"""The texts of one request as they grow: the batcher's thread writes them, the event loop reads them here."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

from elman.engine import Ids
from elman.generation import StreamState

from .batcher import Batcher
from .job import Job, Order
from .rating import Rated
from .refusal import RefusedError, stopping


class Growth(NamedTuple):
    """What is new of one text."""

    number: int  # of the text
    text: str
    rated: list[Rated]
    reason: str | None  # "length" or "stop" once it is whole


class Texts:
    """One job for each order, each from a state, over tokens to read; `close` gives their places back.

    Begins with `begin`. To be used in the event loop only.
    """

    def __init__(self, orders: Sequence[tuple[Order, StreamState, Ids]], spellings: Sequence[bytes]) -> None:
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        self.jobs = [Job(order, start, ahead, spellings, self._wake) for order, start, ahead in orders]

    def begin(self, batcher: Batcher, seconds: float, first: Callable[[float], None]) -> None:
        """Let the batcher write; `first` is told how long the first characters took.

        Raises:
            RefusedError: there is no room.
        """
        self._batcher, self._begun, self._seconds, self._first = batcher, time.monotonic(), seconds, first
        if not batcher.submit(self.jobs):
            raise RefusedError(
                429, "all places are taken and the queue is full; try again later", code="busy"
            )

    async def growth(self) -> AsyncIterator[Growth]:
        """Yield what is new, until all texts are whole.

        Raises:
            RefusedError: they take too long, the model failed, or the server stops.
        """
        open_, deadline, shown = set(range(len(self.jobs))), self._begun + self._seconds, False
        while open_:
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._news.wait()
            except TimeoutError:
                raise RefusedError(
                    503, f"not done within {self._seconds:g} seconds; ask for fewer tokens", code="timeout"
                ) from None
            self._news.clear()
            for number in sorted(open_):
                job = self.jobs[number]
                done, pieces = job.done, job.fetch()  # in this order: what is done adds no more
                self._batcher.fetched(job)
                if job.failed:
                    failed = RefusedError(500, "the model failed", code="failed")
                    raise stopping() if self._batcher.closed else failed
                if pieces and not shown:
                    shown = True
                    self._first(time.monotonic() - self._begun)
                if done:
                    open_.discard(number)
                if pieces or done:
                    rated = [one for piece in pieces for one in piece.rated]
                    reason = ("stop" if job.stopped else "length") if done else None
                    yield Growth(number, "".join(piece.text for piece in pieces), rated, reason)

    async def read(self) -> None:
        """Wait until all texts are whole.

        Raises:
            RefusedError: they take too long, or the model failed.
        """
        async for _ in self.growth():
            pass

    def close(self) -> None:
        """Stop what still runs."""
        self._batcher.drop(self.jobs)

    def _wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)
