"""Long short-term memory (Hochreiter and Schmidhuber 1997) with a forget gate (Gers et al. 2000)."""

from typing import NamedTuple

import torch
from torch import Tensor

from .cell import Cell


class LSTMState(NamedTuple):
    """h and c, each (B, H)."""

    h: Tensor
    c: Tensor


class LSTMCell(Cell):
    """i, f, o = sigmoid(W x + U h + b)   g = tanh(W x + U h + b)   c' = f * c + i * g   h' = o * tanh(c')."""

    gates, state_type, forget_gate = 4, LSTMState, 1
    activations = ("forget gate", "input gate", "candidate", "output gate", "squashed cell")

    def step(self, projected: Tensor, state: LSTMState) -> LSTMState:
        """i, f, o = sigmoid(.)   g = tanh(.)   c' = f * c + i * g   h' = o * tanh(c')   each (B, H)."""
        i, f, g, o = (projected + state.h @ self.recurrent_weight.T).chunk(4, dim=-1)  # torch's gate order
        c = torch.sigmoid(f) * state.c + torch.sigmoid(i) * torch.tanh(g)
        return LSTMState(h=torch.sigmoid(o) * torch.tanh(c), c=c)
