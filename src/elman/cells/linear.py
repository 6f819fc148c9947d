"""Gated linear recurrences: what a step keeps of the state and what it adds follow from the input alone.

    h' = a * h + b

So there is no recurrent weight, a step is one product of entries, and all steps of a sequence can be taken
together (`elman.recurrence.scan`).
"""

from abc import abstractmethod
from typing import NamedTuple

from torch import Tensor

from .cell import Cell


class LinearState(NamedTuple):
    """h (B, H)."""

    h: Tensor


class LinearCell(Cell):
    """Interface of a cell whose next state is linear in the one before."""

    state_type, recurrent = LinearState, False

    @abstractmethod
    def coefficients(self, projected: Tensor) -> tuple[Tensor, Tensor]:
        """Return a and b of any number of steps: (..., G*H) -> (..., H) each, as exact as the weights."""

    def step(self, projected: Tensor, state: LinearState) -> LinearState:
        """h' = a * h + b   each (B, H)."""
        a, b = self.coefficients(projected)
        return LinearState(h=a * state.h + b)
