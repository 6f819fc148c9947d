"""Weights in 8 bits: each row in blocks, each block with a scale of its own. NumPy only.

The layout is that of ONNX Runtime's MatMulNBits, which quantises activations row by row as well, so that
rows of a batch do not touch one another.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 128  # numbers that share a scale
INT8_FROM = 4096  # numbers in a matrix: smaller ones stay as they are
ZERO = 128  # what stands for 0


class QuantizedRows(NamedTuple):
    """A matrix (N, K) in 8 bits."""

    numbers: NDArray[np.uint8]  # (N, blocks, block): round(weight / scale) + 128
    scales: NDArray[np.float32]  # (N, blocks)
    block: int


def quantize_rows(weights: NDArray[np.float32], block: int = BLOCK) -> QuantizedRows:
    """Round a matrix (N, K) to 255 steps in each block of a row; the error is half a step at most."""
    rows, width = weights.shape
    blocks = -(-width // block)
    padded = np.zeros((rows, blocks * block), dtype=np.float32)
    padded[:, :width] = weights
    parts = padded.reshape(rows, blocks, block)
    scales = np.abs(parts).max(axis=-1) / np.float32(ZERO - 1)
    steps = parts / np.where(scales > 0, scales, 1)[..., np.newaxis]
    return QuantizedRows((np.rint(steps) + ZERO).astype(np.uint8), scales.astype(np.float32), block)
