"""What the library reads at each step of a window, and what goes back to it.

Axes: T steps, B rows, W width (G*H), V tokens.
"""

import ctypes
from typing import NamedTuple

import torch
from torch import Tensor

from elman.cells import Cell
from elman.recurrence.lookup import Lookup

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

    def gradient(self, d_products: Tensor, first: int = 0, apart: int = 1) -> Tensor:
        """Return that of the products, given that of each step (T, B, W).

        Of those of tokens only some, so far apart from the first on.
        """
        if self.tokens is None:
            return d_products
        entries, width = self.products[first::apart].shape
        sums = self.products.new_zeros(entries, width, dtype=torch.float32)
        sizes = *map(ctypes.c_int64, (self.tokens.numel(), width)), first, apart
        tensors = map(pointer, (d_products, self.tokens, sums))
        find_function("add_by_token", d_products.dtype)(*sizes, *tensors, torch.get_num_threads())
        return sums.to(self.products.dtype)


def project(cell: Cell, x: Tensor | Lookup) -> Inputs:
    """Return what a cell reads of a sequence (T, B, D), or of each entry of a table once."""
    if isinstance(x, Lookup):
        return Inputs(cell.project(x.table).contiguous(), x.ids.int().contiguous())
    return Inputs(cell.project(x).contiguous(), None)


def precision(x: Tensor) -> torch.dtype:
    """Return that of products with x: under autocast not its own."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
