"""The cells of the unrolled models (fast.ai, lesson 6), in which the input has a layer of its own."""

import torch
from torch import Tensor, nn

from .cell import Cell
from .elman import ElmanState


class AddedInputCell(Cell):
    """u = relu(W x + b)   h' = tanh(U (h + u) + c)."""

    gates, state_type, forget_gate = 1, ElmanState, None
    activations = ("state",)

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        """Add the bias c (H,) to what every cell has."""
        super().__init__(input_size, hidden_size, bias)
        self.hidden_bias = nn.Parameter(torch.zeros(hidden_size)) if bias else None

    def project(self, x: Tensor) -> Tensor:
        """u = relu(W x + b)   of all steps: (T, B, D) -> (T, B, H)."""
        return torch.relu(super().project(x))

    def step(self, projected: Tensor, state: ElmanState) -> ElmanState:
        """h' = tanh(U (h + u) + c)   each (B, H)."""
        return ElmanState(
            torch.tanh(nn.functional.linear(state.h + projected, self.recurrent_weight, self.hidden_bias))
        )


class JoinedInputCell(Cell):
    """u = relu(W x + U h + b), one layer over x and h joined   h' = tanh(V u + c)."""

    gates, state_type, forget_gate = 1, ElmanState, None
    activations = ("input layer", "state")

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        """Add V (H, H) and c (H,) to what every cell has."""
        super().__init__(input_size, hidden_size, bias)
        bound = hidden_size**-0.5
        self.hidden_weight = nn.Parameter(torch.empty(hidden_size, hidden_size).uniform_(-bound, bound))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden_size)) if bias else None

    def step(self, projected: Tensor, state: ElmanState) -> ElmanState:
        """u = relu(Wx + U h)   h' = tanh(V u + c)   each (B, H)."""
        u = torch.relu(projected + state.h @ self.recurrent_weight.T)
        return ElmanState(torch.tanh(nn.functional.linear(u, self.hidden_weight, self.hidden_bias)))
