"""The recurrent weight (G*H, H), in the orders in which the library reads it; and its gradient.

Where several processes train one network on one machine, the weight has an attribute `common`, by which they
do this together.
"""

from typing import Protocol

import torch
from torch import Tensor

from .library import find_function, lanes, pointer


class Common(Protocol):
    """What those processes have in common of the weight, as `elman.training` makes it."""

    def orders(self, kind: torch.dtype) -> tuple[Tensor, ...]:
        """Return room for the weight in two other orders."""

    def part(self, count: int) -> slice:
        """Return which of so many pieces of work are this process's."""

    def meet(self) -> None:
        """Wait until all have done their part."""

    def take_gradient(self) -> Tensor | None:
        """Return where the gradient is to be written, once."""


def pack(weight: Tensor, kind: torch.dtype, keep: bool) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return the weight in the order of a step forward; in that of a step back, where `keep` asks for it; and
    where its gradient is wanted, if that matters.
    """
    common: Common | None = getattr(weight, "common", None) if keep else None
    whole = slice(0, weight.shape[0] // lanes())
    if common is None:
        packed = torch.empty(weight.numel(), dtype=kind)
        _pack(weight, packed, back := torch.empty_like(packed) if keep else None, whole)
        return packed, back, None
    packed, back = common.orders(kind)
    _pack(weight, packed, back, common.part(whole.stop))
    common.meet()
    return packed, back, common.take_gradient()


def weight_gradient(place: Tensor | None, d_products: Tensor, start: Tensor, outputs: Tensor) -> Tensor:
    """Return the gradient (G*H, H), in one product over all steps and rows, in its place where it has one."""
    before = torch.cat([start[None], outputs[:-1]])
    gradient = d_products.flatten(0, 1).T @ before.flatten(0, 1)
    return gradient.float() if place is None else place.copy_(gradient).view_as(gradient)


def _pack(weight: Tensor, packed: Tensor, back: Tensor | None, vectors: slice) -> None:
    """Pack some of the vectors of outputs that the weight has."""
    weight, units = weight.contiguous(), weight.shape[1]
    sizes = weight.shape[0] // units, units, vectors.start, vectors.stop
    tensors = map(pointer, (weight, packed, back))
    find_function("pack", packed.dtype)(*tensors, *sizes, torch.get_num_threads())
