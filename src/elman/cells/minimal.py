"""The minimal GRU and LSTM (Feng, Tung, Ahmed, Bengio and Hajimirsadegh 2024, "Were RNNs all we needed?"):
their gates and candidates no longer see the state.

g(x) = x + 1/2 where x > 0, else sigmoid(x): candidates are above zero, as in the paper's form in logarithms.
"""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from .linear import LinearCell


class MinGRUCell(LinearCell):
    """z = sigmoid(W x + b)   n = g(W x + b)   h' = (1 - z) * n + z * h.

    z keeps the old state, as in the GRU here; the paper's z is 1 - z.
    """

    gates, forget_gate = 2, 0
    activations = ("update gate", "candidate above 1/2", "candidate below 1/2")

    def coefficients(self, projected: Tensor) -> tuple[Tensor, Tensor]:
        """a = z   b = (1 - z) * n."""
        update, candidate = projected.to(self.input_weight.dtype).chunk(2, dim=-1)
        z = torch.sigmoid(update)
        return z, (1 - z) * positive(candidate)


class MinLSTMCell(LinearCell):
    """f, i = sigmoid(W x + b)   n = g(W x + b)   h' = (f * h + i * n) / (f + i).

    f / (f + i) is the sigmoid of log f - log i, which needs no division.
    """

    gates, forget_gate = 3, 0
    activations = ("forget gate", "candidate above 1/2", "candidate below 1/2")

    def coefficients(self, projected: Tensor) -> tuple[Tensor, Tensor]:
        """a = f / (f + i)   b = (1 - a) * n."""
        forget, take, candidate = projected.to(self.input_weight.dtype).chunk(3, dim=-1)
        kept = torch.sigmoid(logsigmoid(forget) - logsigmoid(take))
        return kept, (1 - kept) * positive(candidate)


def positive(x: Tensor) -> Tensor:
    """g(x) = x + 1/2 where x > 0, else sigmoid(x)."""
    above = torch.relu(x)
    return above + torch.sigmoid(x - above)
