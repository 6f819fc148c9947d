"""Two sequences of one length in, the same batch again and again out: inputs and targets."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.tokens.store import Ids

from .windows import Batch


class PairWindows:
    """One row: the whole of the source from a fresh state, the whole of the target. An epoch is one batch."""

    rows = batches_per_epoch = 1

    def __init__(self, source: NDArray[np.integer[Any]], target: NDArray[np.integer[Any]]) -> None:
        """Take ids (T,) and ids (T,)."""
        self._inputs: Ids = source.astype(np.int64)[:, np.newaxis]
        self._targets: Ids = target.astype(np.int64)[:, np.newaxis]

    def draw(self) -> Batch:
        """Return inputs (T, 1) and targets (T, 1)."""
        return Batch(self._inputs, self._targets, np.ones(1, dtype=bool))

    def state(self) -> dict[str, Any]:
        """Return nothing: there is no position."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
