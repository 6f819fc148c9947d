"""How work that takes long tells its caller how far it is. Knows nothing of bars or terminals."""

from collections.abc import Callable
from typing import Protocol

Tally = Callable[[int], None]  # called with how many more units of one piece of work are done


class Advance(Protocol):
    """Called with what is being done, how much more of it is done, and how much there is, if known."""

    def __call__(self, work: str, done: int, total: int | None = None) -> None:
        """Take note of `done` more units."""


def counter(advance: Advance | None, work: str, total: int | None = None) -> Tally | None:
    """Return a function of units done that speaks for one piece of work; None where nobody listens."""
    if advance is None:
        return None
    advance(work, 0, total)
    return lambda done: advance(work, done, total)
