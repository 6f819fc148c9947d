"""Where a model stands in a text, as a value: some kilobytes, however long the text."""

from collections.abc import Sequence
from typing import NamedTuple

from elman.engine import State

RECENT = 64  # tokens that are kept, for the repetition penalty


class StreamState(NamedTuple):
    """What a model remembers of all that it read, and its last tokens; the very last is read next."""

    memory: State  # the engine's, of one row, before the last token
    recent: tuple[int, ...]

    @property
    def token(self) -> int:
        """The token that is read next."""
        return self.recent[-1]

    def after(self, memory: State, tokens: Sequence[int]) -> "StreamState":
        """Return the state after more tokens; `memory` is that before the last of them."""
        for part in memory:
            part.setflags(write=False)
        return StreamState(memory, (*self.recent, *tokens)[-RECENT:])
