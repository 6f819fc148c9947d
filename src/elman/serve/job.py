"""One text that is being written: what was asked, where it stands, and what nobody has fetched yet.

The batcher's thread advances it; whoever asked for it fetches. Knows nothing of engines or HTTP.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from elman.engine import Ids, Logits, State
from elman.generation import Sampling, StreamState
from elman.generation.state import RECENT
from elman.generation.stop import Stops
from elman.generation.transcript import Transcript

from .rating import Rated, Rating


@dataclass(frozen=True)
class Order:
    """What is asked for."""

    count: int  # tokens at most; with 0 the prompt is read and no more
    sampling: Sampling
    seed: int
    stop: Sequence[str] = ()
    alternatives: int | None = None  # how many to list for each token; None: no probabilities at all
    rewinds: bool = False  # whether its state, after a stop string, is that after what was passed on
    offset: int = 0  # characters before the first that is listed
    echoed: Sequence[str] = ()  # the pieces of the prompt, where they are listed as well


class Piece(NamedTuple):
    """What one step added."""

    text: str
    rated: Sequence[Rated] = ()


class Job:
    """One row of a batch, which begins at a state."""

    def __init__(
        self,
        order: Order,
        start: StreamState,
        ahead: Ids,
        spellings: Sequence[bytes],
        wake: Callable[[], None],
    ) -> None:
        """Begin at a state, with tokens `ahead` to read; `wake` is called when there is news."""
        self.order, self.memory, self.wake = order, start.memory, wake
        tokens = np.concatenate([[start.token], ahead]).astype(np.int32)  # many may wait
        self.unread, self.token = tokens[:-1], int(tokens[-1])
        self.recent = deque((*start.recent, *ahead[-RECENT:].tolist()), maxlen=RECENT)
        self.random = np.random.Generator(np.random.PCG64(order.seed))
        self.pieces: deque[Piece] = deque()
        self.written = 0
        self.woken = 0.0
        self.done = False  # in no batch any more
        self.failed = self.gone = False  # the model could not go on; nobody waits for it any more
        self._transcript = Transcript(spellings, Stops(order.stop))
        self._before = order.offset + sum(map(len, order.echoed))  # characters before the first written
        self._rating = Rating(spellings, order.alternatives or 0, order.offset)
        self._echoed = deque(order.echoed)
        self._marks: deque[tuple[int, StreamState]] = deque()  # what was spelled at a place, and the place
        if len(order.echoed) > len(self.unread):
            self.pieces.append(Piece("", [self._rating.first(self._echoed.popleft())]))

    @property
    def stopped(self) -> bool:
        """Whether a stop string ended it."""
        return self._transcript.stopped

    @property
    def complete(self) -> bool:
        """Whether all is written."""
        return self.stopped or self.written == self.order.count

    @property
    def state(self) -> StreamState:
        """Where the text stands; of a job that is in no batch."""
        if self.stopped and self._marks:
            return [state for spelled, state in self._marks if spelled <= self._transcript.passed][-1]
        return StreamState(self.memory, tuple(self.recent))

    def mark(self, memory: State, row: int) -> None:
        """Note the place before the next token, and forget those before the last one that is certain."""
        transcript, place = self._transcript, StreamState(_taken(memory, row), tuple(self.recent))
        self._marks.append((transcript.taken + (not transcript.whole), place))  # one that is begun counts
        while len(self._marks) > 1 and self._marks[1][0] <= transcript.passed:
            self._marks.popleft()

    def read(self, count: int, logits: Logits) -> None:
        """Note that tokens of the prompt were read, and logits (T, V) of those that follow them."""
        following = [*self.unread[1 : count + 1].tolist(), self.token][:count]
        self.unread = self.unread[count:]
        if self._echoed:
            rate, pieces = self._rating.rate, self._echoed
            rated = [rate(n, pieces.popleft(), row) for n, row in zip(following, logits, strict=True)]
            self.pieces.append(Piece("", rated))

    def take(self, token: int, logits: Logits) -> None:
        """Write a token that was drawn from logits (V,)."""
        self.token = token
        self.recent.append(token)
        self.written += 1
        spelled, text = self._transcript.take(token)
        if not self.stopped and self.written == self.order.count:
            text += self._transcript.end()
        rated = list[Rated]()
        if self.order.alternatives is not None:
            self._rating.hold(token, spelled, logits)
            certain = self._before + self._transcript.passed
            rated = self._rating.release(certain if self.stopped or not self.complete else None)
        if text or rated:
            self.pieces.append(Piece(text, rated))

    def fetch(self) -> list[Piece]:
        """Return what is new."""
        return [self.pieces.popleft() for _ in range(len(self.pieces))]

    def keep(self, memory: State, row: int) -> None:
        """Take the memory out of a batch."""
        self.memory = _taken(memory, row)


def _taken(memory: State, row: int) -> State:
    taken = tuple(part[row : row + 1].copy() for part in memory)
    for part in taken:
        part.setflags(write=False)
    return taken
