"""The contract between what runs a model and what uses it: evaluation and generation know no more than this.

An engine owns weights; it keeps no state of its own. A state is an opaque value that goes in and comes out
and is never changed in place, so that keeping an old one is enough to rewind.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.integer[Any]]
Logits = NDArray[np.float32]
State = Any


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
