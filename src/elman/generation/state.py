"""Where a model stands in a text, as a value: some kilobytes, however long the text."""

from collections.abc import Sequence
from typing import NamedTuple

from elman.engine import State
from elman.errors import RequestError

RECENT = 64  # tokens that are kept, for the repetition penalty


class StreamState(NamedTuple):
    """What a model remembers of all that it read, and its last tokens; the very last is read next.

    `model` tells the weights from all others; it is empty where an engine was given without a folder.
    """

    memory: State  # the engine's, of one row, before the last token
    recent: tuple[int, ...]
    model: str = ""

    @property
    def token(self) -> int:
        """The token that is read next."""
        return self.recent[-1]

    def after(self, memory: State, tokens: Sequence[int]) -> "StreamState":
        """Return the state after more tokens; `memory` is that before the last of them."""
        for part in memory:
            part.setflags(write=False)
        return StreamState(memory, (*self.recent, *tokens)[-RECENT:], self.model)


def refuse_foreign(state: StreamState, model: str) -> None:
    """Refuse what is no state of a stream of this model.

    Raises:
        RequestError: it is not.
    """
    if not isinstance(state, StreamState):
        raise RequestError(f"the state is {repr(state)[:60]}, expected one that a stream of this model had")
    if state.model != model:
        raise RequestError("the state is one of another model, expected one that a stream of this model had")
