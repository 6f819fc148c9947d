"""The contract between what runs a model and what uses it: evaluation and generation know no more than this.

An engine owns weights; it keeps no state of its own. A state is a value that goes in and comes out
and is never changed in place, so that keeping an old one is enough to rewind.
"""

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.integer[Any]]
Logits = NDArray[np.float32]
State = tuple[NDArray[np.float32], ...]  # each part (B, size); rows are streams


class Draws(NamedTuple):
    """How N tokens are drawn in each of B rows."""

    uniforms: NDArray[np.float64]  # (N, B) from [0, 1), one for each token
    temperature: NDArray[np.float64]  # (B, 1)
    bias: Logits  # (1, V) or (B, V), added to the logits: minus infinity forbids a token


class Written(NamedTuple):
    """What an engine wrote."""

    ids: Ids  # (N, B) tokens
    logits: Logits  # (T + N - 1, B, V) after each token read: those given, those written but the last
    state: State  # before the last token, which is to be read next


class Engine(Protocol):
    """One model, ready to run: token ids and a state in, logits and the next state out."""

    name: str
    vocabulary_size: int

    def initial_state(self, rows: int) -> State:
        """Return the state before the first token, for `rows` independent streams."""

    def step(self, ids: Ids, state: State) -> tuple[Logits, State]:
        """Advance every stream by one token: ids (B,) -> logits (B, V) of the token that follows."""

    def feed(self, ids: Ids, state: State) -> tuple[Logits, State]:
        """Advance every stream by T tokens at once: ids (T, B) -> logits (T, B, V).

        Of a model with two streams these are not of the token that follows but of each token itself, given
        the tokens of this call before it and after it.
        """

    def write(self, ids: Ids, state: State, draws: Draws) -> Written:
        """Read ids (T, B), then draw N tokens in each row, each from what was read and written before it."""
