"""The recurrent weight (G*H, H), in the orders in which the library reads it.

Where several processes train one network on one machine, the weight has an attribute `common`, by which they
do this together, and more (`window.py`).
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from .library import find_function, lanes, pointer
from .pages import large_pages
from .team import Team


class Rows(NamedTuple):
    """Of a batch that all processes learn from."""

    whole: int
    own: slice  # of this process
    threads: int  # of all processes


class Common(Protocol):
    """What those processes have in common of the weight, as `elman.training` makes it."""

    @property
    def team(self) -> Team:
        """Return this process among those."""

    def orders(self, kind: torch.dtype) -> tuple[Tensor, ...]:
        """Return room for the weight in two other orders."""

    def part(self, count: int) -> slice:
        """Return which of so many pieces of work are this process's."""

    def meet(self) -> None:
        """Wait until all have done their part; an error where one is gone."""

    def take_gradient(self) -> Tensor | None:
        """Return where the gradient is to be written, once."""

    def part_of_gradient(self) -> Tensor:
        """Return where this process's part of its rows is to be written, for all, in place of all of it."""

    def rows(self, own: int) -> Rows:
        """Return the rows of all, of which so many are this process's."""

    def room(self, place: int, kind: torch.dtype, shape: Sequence[int]) -> Tensor:
        """Return a tensor that all see, the same for the same place."""


def pack(weight: Tensor, kind: torch.dtype, back: bool) -> tuple[Tensor, Tensor | None]:
    """Return the weight in the order of a step forward; and of a step back, where that is asked for."""
    packed = large_pages(weight.numel(), kind)
    packed_back = large_pages(weight.numel(), kind) if back else None
    _pack(weight, packed, packed_back, slice(0, weight.shape[0] // lanes()))
    return packed, packed_back


def pack_together(weight: Tensor, kind: torch.dtype, common: Common) -> tuple[Tensor, Tensor]:
    """Pack this process's part into the same two orders, where all see them."""
    packed, back = common.orders(kind)
    _pack(weight, packed, back, common.part(weight.shape[0] // lanes()))
    return packed, back


def _pack(weight: Tensor, packed: Tensor, back: Tensor | None, vectors: slice) -> None:
    """Pack some of the vectors of outputs that the weight has."""
    weight, units = weight.contiguous(), weight.shape[1]
    sizes = weight.shape[0] // units, units, vectors.start, vectors.stop
    tensors = map(pointer, (weight, packed, back))
    find_function("pack", packed.dtype)(*tensors, *sizes, torch.get_num_threads())
