"""The gated recurrent unit (Cho et al. 2014), in the form of cuDNN and torch: the reset gate acts after the
product.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from .cell import Cell


class GRUState(NamedTuple):
    """h (B, H)."""

    h: Tensor


class GRUCell(Cell):
    """r, z = sigmoid(W x + U h + b)   n = tanh(W x + b + r * (U h + c))   h' = (1 - z) * n + z * h.

    The bias c of the candidate's recurrent product sits inside the reset gate, so it cannot join b.
    """

    gates, state_type, forget_gate = 3, GRUState, 1
    activations = ("reset gate", "update gate", "candidate")

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        """Add the candidate's recurrent bias (H,) to what every cell has."""
        super().__init__(input_size, hidden_size, bias)
        self.candidate_bias = nn.Parameter(torch.zeros(hidden_size)) if bias else None

    def step(self, projected: Tensor, state: GRUState) -> GRUState:
        """r, z = sigmoid(.)   n = tanh(Wx + r * Uh)   h' = (1 - z) * n + z * h   each (B, H)."""
        reset_in, update_in, candidate_in = projected.chunk(3, dim=-1)
        reset, update, candidate = (state.h @ self.recurrent_weight.T).chunk(3, dim=-1)
        r, z = torch.sigmoid(reset_in + reset), torch.sigmoid(update_in + update)
        if self.candidate_bias is not None:
            candidate = candidate + self.candidate_bias
        n = torch.tanh(candidate_in + r * candidate)
        return GRUState(h=(1 - z) * n + z * state.h)
