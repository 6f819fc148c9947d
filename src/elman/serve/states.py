"""States that clients keep here: a name in, a state out, for its owner, as long as it is used now and then.

Knows nothing of engines or HTTP.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from elman.generation import StreamState


@dataclass
class Kept:
    """One conversation: its name and its state."""

    name: str
    model: str
    owner: str
    state: StreamState
    created: float
    expires: float

    @property
    def bytes(self) -> int:
        """The size of the memory."""
        return sum(part.nbytes for part in self.state.memory)


class States:
    """At most `count` states, each forgotten once it was not used for so many seconds."""

    def __init__(self, count: int, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._count, self._seconds, self._clock = count, seconds, clock
        self._kept: dict[str, Kept] = {}

    def __len__(self) -> int:
        now = self._clock()
        self._kept = {name: kept for name, kept in self._kept.items() if kept.expires > now}
        return len(self._kept)

    @property
    def full(self) -> bool:
        """Whether there is no room for one more."""
        return len(self) >= self._count

    def add(self, model: str, owner: str, state: StreamState) -> Kept:
        """Keep a state under a new name."""
        now = self._clock()
        kept = Kept(f"state-{secrets.token_hex(12)}", model, owner, state, now, now + self._seconds)
        self._kept[kept.name] = kept
        return kept

    def find(self, name: str, owner: str) -> Kept | None:
        """Return a state of this owner, which is in use then; None if there is none."""
        kept, now = self._kept.get(name), self._clock()
        if kept is None or kept.expires <= now or not _same(kept.owner, owner):
            return None
        kept.expires = now + self._seconds
        return kept

    def of(self, owner: str) -> list[Kept]:
        """Return the states of an owner, oldest first."""
        len(self)
        return [kept for kept in self._kept.values() if _same(kept.owner, owner)]

    def delete(self, kept: Kept) -> None:
        """Forget a state."""
        self._kept.pop(kept.name, None)


def _same(owner: str, given: str) -> bool:
    return secrets.compare_digest(owner.encode(), given.encode())
