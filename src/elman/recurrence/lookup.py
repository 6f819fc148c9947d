"""A sequence whose steps are rows of a table, as those that the first layer reads are.

What is done to each row once need not be done at each step: the input products of 768 characters out of 65
are 65 products. Axes: T steps, B rows, V entries of the table, D width.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class Lookup(NamedTuple):
    """x[t, b] = table[ids[t, b]], of table (V, D) and ids (T, B)."""

    table: Tensor
    ids: Tensor

    def through(self, function: Callable[[Tensor], Tensor]) -> "Lookup":
        """Return the sequence of what a function makes of each row."""
        return self._replace(table=function(self.table))

    def flip(self, axis: int) -> "Lookup":
        """Return the sequence from its end."""
        return self._replace(ids=self.ids.flip(axis))

    def transpose(self, first: int, second: int) -> "Lookup":
        """Return the sequence with two axes of its ids in exchange."""
        return self._replace(ids=self.ids.transpose(first, second))

    def rows(self) -> Tensor:
        """Return the sequence itself: (T, B, D)."""
        # torch gives `apply` no types
        rows: Tensor = _Rows.apply(self.table, self.ids)  # type: ignore[no-untyped-call]
        return rows


def pays(entries: int, width: int, steps: int) -> bool:
    """Whether products of V rows of width D, looked up, are cheaper than those of T * B steps.

    Products with weights are three, one forward and two back; adding up the gradients of each row is one
    more, with V in place of D.
    """
    return entries / steps + entries / (3 * width) < 1


class _Rows(Function):
    """Table (V, D) and ids (T, B) -> rows (T, B, D)."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, ids: Tensor) -> Tensor:
        """Look the rows up."""
        ctx.save_for_backward(ids)
        ctx.entries = len(table)
        return table[ids]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_rows: Tensor) -> tuple[Tensor, None]:
        """Add up the gradients of each row, as one product with the one-hot ids."""
        (ids,) = ctx.saved_tensors
        one_hot = d_rows.new_zeros(ids.numel(), ctx.entries)  # (T*B, V)
        one_hot.scatter_(1, ids.flatten()[:, None], 1)
        return one_hot.T @ d_rows.flatten(0, 1), None
