"""What the machine allows at most: how fast it reads, and how fast it multiplies in 32 bits.

Each is the fastest of several ways and of many turns, as a limit should be.
"""

from typing import NamedTuple

import numpy as np
import torch

from .report import in_turn

BEYOND_CACHES = 512 * 2**20  # bytes
SHAPES = ((2048, 512, 256), (1024, 1024, 1024), (2048, 2048, 2048))  # rows, depth, columns of products


class Limits(NamedTuple):
    """What a step cannot do better that multiplies by weights in 32 bits, and needs each of them once."""

    weights: int  # how many
    memory: float  # bytes a second that no cache holds
    again: float  # bytes a second of as many as the weights are, read again and again from where they lie
    arithmetic: float  # operations in 32 bits a second

    def least_seconds(self, rows: int) -> tuple[float, str]:
        """Return what a step of B rows costs at least, and what sets that."""
        reading, multiplying = 4 * self.weights / self.again, 2 * self.weights * rows / self.arithmetic
        return max((reading, "reading"), (multiplying, "arithmetic"))


def find_limits(weights: int) -> Limits:
    """Measure this machine for so many weights."""
    again, memory = reading(4 * weights, repeats=300), reading(BEYOND_CACHES, repeats=5)
    return Limits(weights, memory, again, max(multiplying(*shape) for shape in SHAPES))


def reading(size: int, repeats: int) -> float:
    """Return how many bytes a second come in from a block of so many."""
    numbers = torch.ones(size // 4)
    one, other = numbers.numpy().reshape(2, -1)
    ways = (numbers.sum, numbers.amax, lambda: np.dot(one, other))
    return size / min(map(min, in_turn(*ways, repeats=repeats)))


def multiplying(rows: int, depth: int, columns: int) -> float:
    """Return how many operations a second a product of two matrices reaches."""
    one, other = torch.randn(rows, depth), torch.randn(depth, columns)
    ways = (lambda: torch.mm(one, other), lambda: np.matmul(one.numpy(), other.numpy()))
    return 2 * rows * depth * columns / min(map(min, in_turn(*ways, repeats=10)))
