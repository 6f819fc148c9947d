"""A shuffle of 0 .. n-1 that is computed, not stored: constant memory for any n.

A Feistel network over the bits of an index is a bijection whatever its round function; indices that land
outside 0 .. n-1 walk on along their cycle until they are inside (Black and Rogaway 2002, "Ciphers with
Arbitrary Finite Domains").
"""

import numpy as np
from numpy.typing import NDArray

ROUNDS = 4


class Permutation:
    """A bijection of 0 .. size-1, chosen by a key."""

    def __init__(self, size: int, key: int) -> None:
        self.size = size
        self._half_bits = np.uint64(max(1, (max(size - 1, 1).bit_length() + 1) // 2))
        self._mask = (np.uint64(1) << self._half_bits) - np.uint64(1)
        self._keys = np.random.SeedSequence(key).generate_state(ROUNDS, dtype=np.uint64)

    def __call__(self, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where each index (B,) goes, each within 0 .. size-1."""
        moved = self._round_trip(indices.astype(np.uint64))
        while (outside := moved >= self.size).any():
            moved[outside] = self._round_trip(moved[outside])
        return moved.astype(np.int64)

    def _round_trip(self, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        left, right = values >> self._half_bits, values & self._mask
        for key in self._keys:
            left, right = right, left ^ (_mix(right + key) & self._mask)
        return (left << self._half_bits) | right


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter the bits of each value (the finaliser of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
