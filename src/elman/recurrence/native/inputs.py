"""What the library reads at each step of a window, and what goes back to it.

Axes: T steps, B rows, W width (G*H), V tokens.
"""

import ctypes
from typing import NamedTuple

import torch
from torch import Tensor

from .library import find_function, pointer


class Inputs(NamedTuple):
    """Input products (T, B, W); or those of each token once (V, W), and the tokens (T, B) as int32."""

    products: Tensor
    tokens: Tensor | None

    @property
    def shape(self) -> tuple[int, int]:
        """T and B."""
        steps, rows = (self.products if self.tokens is None else self.tokens).shape[:2]
        return steps, rows

    def gradient(self, d_products: Tensor, rows: slice = slice(None)) -> Tensor:
        """Return that of the products, given that of each step (T, B, W), of some rows of the batch."""
        if self.tokens is None:
            return d_products[:, rows].contiguous()
        sums = self.products.new_zeros(self.products.shape, dtype=torch.float32)
        steps, whole, width = d_products.shape
        sizes = map(ctypes.c_int64, (whole, *rows.indices(whole)[:2], width))
        tensors = map(pointer, (d_products, self.tokens, sums))
        find_function("add_by_token", d_products.dtype)(steps, *sizes, *tensors, torch.get_num_threads())
        return sums.to(self.products.dtype)
