"""Dropout (Srivastava et al. 2014) whose random numbers cost little: 16 bits for each entry.

torch's own draws 32 bits for each on one core of a CPU, which takes a tenth of a training step.
"""

import torch
from torch import Tensor, nn

from elman.recurrence import native
from elman.recurrence.native import LEVELS


class Dropout(nn.Dropout):
    """Each entry zero with probability p, to 1 in 65,536, and what is left as much larger.

    `native`: by the library in C++, which has numbers of its own.
    """

    native = False

    def forward(self, x: Tensor) -> Tensor:
        """Drop entries of x, of any shape, in training; draws from torch's random state."""
        if not self.training or self.p == 0 or x.device.type != "cpu":
            return super().forward(x)
        if self.native:
            return native.drop(x, self.p)
        words = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        bits = words.view(torch.int16)[: x.numel()].view(x.shape)
        kept = (bits >= round(self.p * LEVELS) - LEVELS // 2).to(x.dtype)
        return x * kept.div_(1 - self.p)
