"""Layer normalisation (Ba et al. 2016)."""

from torch import Tensor, nn

from elman.recurrence import native


class Norm(nn.LayerNorm):
    """Each row less its mean, over its deviation; then times a weight and plus a bias, which are learned.

    `native`: by the library in C++, which under autocast rounds once, to what the next product reads.
    """

    native = False

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (..., D) over its last axis."""
        if self.native and x.shape[-1] % native.lanes() == 0:
            return native.normalize(x, self.weight, self.bias, self.eps)
        return super().forward(x)
