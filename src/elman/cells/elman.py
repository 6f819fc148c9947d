"""The Elman network (Elman 1990, "Finding Structure in Time"), with tanh or relu."""

from typing import NamedTuple

import torch
from torch import Tensor

from .cell import Cell


class ElmanState(NamedTuple):
    """h (B, H)."""

    h: Tensor


class ElmanTanhCell(Cell):
    """h' = tanh(W x + U h + b)."""

    gates, state_type, forget_gate = 1, ElmanState, None
    activations = ("state",)

    def step(self, projected: Tensor, state: ElmanState) -> ElmanState:
        """h' = tanh(Wx + U h)   each (B, H)."""
        return ElmanState(h=torch.tanh(projected + state.h @ self.recurrent_weight.T))


class ElmanReluCell(Cell):
    """h' = relu(W x + U h + b) (Le, Jaitly and Hinton 2015 start U as the identity)."""

    gates, state_type, forget_gate = 1, ElmanState, None
    activations = ("state",)

    def step(self, projected: Tensor, state: ElmanState) -> ElmanState:
        """h' = relu(Wx + U h)   each (B, H)."""
        return ElmanState(h=torch.relu(projected + state.h @ self.recurrent_weight.T))
