"""The real-gated linear recurrent unit (De et al. 2024, "Griffin: Mixing Gated Linear Recurrences with Local
Attention for Efficient Language Models"), with the linear layer that stands before it there.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from .linear import LinearCell

POWER = 8.0  # c: how far a gate can open the decay
SLOWEST, FASTEST = 0.999, 0.01  # what an open gate keeps of a unit in one step, at the start
TINY = torch.finfo(torch.float32).tiny  # keeps the slope of the root finite where a gate is shut


class RGLRUCell(LinearCell):
    """r, i = sigmoid(W x + b)   u = W x + b   a = sigmoid(d)^(c r)   h' = a * h + sqrt(1 - a^2) * i * u.

    The decay d is learned for each unit. It starts so that sigmoid(d)^c is uniform in [0.01, 0.999]: some
    units forget at once, some after a thousand steps, however the weights start. In the paper it is at least
    0.9, where a convolution before the unit sees the last four inputs; here the unit itself has to.
    """

    gates, forget_gate = 3, None
    activations = ("recurrence gate", "input gate")

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        """Add the decay (H,) to what every cell has."""
        super().__init__(input_size, hidden_size, bias)
        kept = torch.empty(hidden_size).uniform_(FASTEST, SLOWEST)
        self.decay = nn.Parameter(torch.logit(kept ** (1 / POWER)))

    def limits(self) -> Tensor:
        """c log sigmoid(d): the logarithm of what an open gate keeps of each unit in a step, (H,)."""
        return -POWER * softplus(-self.decay)

    def coefficients(self, projected: Tensor) -> tuple[Tensor, Tensor]:
        """a = exp(c r log sigmoid(d))   b = sqrt(1 - a^2) * i * u."""
        recurrence, entry, u = projected.to(self.input_weight.dtype).chunk(3, dim=-1)
        log_a = torch.sigmoid(recurrence) * self.limits()
        room = torch.sqrt(TINY - torch.expm1(log_a * 2))
        return torch.exp(log_a), room * (torch.sigmoid(entry) * u)
