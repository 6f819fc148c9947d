"""A window of steps as the library runs it: by this process alone, or by several of one machine together.

Alone, a process sees to its rows, and what it reads and writes is its own. Where their rows are few and the
weights many, processes that train one network see to some units of all rows each, as threads do, in memory
that all of them see: none reads more weights than its own.
"""

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from .library import find_function, load_library, pointer
from .weights import Common, Rows, Team, pack, pack_together

Shape = tuple[int, int, int]  # T steps, B rows, H units


class Window:
    """Of this process alone; `packed` and `back`: the weight as steps forward and back read it."""

    team: Team | None = None

    def __init__(
        self, shape: Shape, kind: torch.dtype, packed: Tensor, back: Tensor | None, place: Tensor | None
    ) -> None:
        self.shape, self.kind = shape, kind
        self.packed, self.back, self._place = packed, back, place

    def bring(self, *parts: Tensor) -> Sequence[Tensor]:
        """Return tensors (..., B, W) as the library reads them."""
        return parts

    def room(self, kind: torch.dtype, *shape: int) -> Tensor:
        """Return room for what it writes."""
        return torch.empty(shape, dtype=kind)

    def own(self, whole: Tensor) -> Tensor:
        """Return what of it (..., B, W) is this process's."""
        return whole

    def call(self, name: str, *tensors: Tensor | None) -> None:
        """Call a function of the library."""
        call(name, self.kind, self.shape, *tensors, team=self.team)

    def weight_gradient(self, d_products: Tensor, start: Tensor, outputs: Tensor) -> Tensor:
        """Return the gradient (G*H, H), in one product over all steps and rows; in its place, if any."""
        before = torch.cat([start[None], outputs[:-1]])
        gradient = d_products.flatten(0, 1).T @ before.flatten(0, 1)
        if self._place is None:
            return gradient.float()
        return self._place.copy_(gradient).view_as(gradient)


class CommonWindow(Window):
    """Of all processes; B is the number of their rows."""

    def __init__(self, rows: Rows, common: Common, shape: Shape, kind: torch.dtype, *weights: Tensor) -> None:
        super().__init__((shape[0], rows.whole, shape[2]), kind, *weights)
        self._rows, self._common, self._places = rows.own, common, 0
        self.team = common.team

    def bring(self, *parts: Tensor) -> Sequence[Tensor]:
        """Put this process's rows where all see them."""
        places = [self.room(part.dtype, *part.shape[:-2], self.shape[1], part.shape[-1]) for part in parts]
        for place, part in zip(places, parts, strict=True):
            place[..., self._rows, :] = part
        return places

    def room(self, kind: torch.dtype, *shape: int) -> Tensor:
        """Return room that all see."""
        self._places += 1
        return self._common.room(self._places, kind, shape)

    def own(self, whole: Tensor) -> Tensor:
        """Copy this process's rows."""
        return whole[..., self._rows, :].clone(memory_format=torch.contiguous_format)

    def call(self, name: str, *tensors: Tensor | None) -> None:
        """Call it in all processes; each sees to its units."""
        super().call(name, *tensors)
        if self._common.team.gone:
            self._common.meet()  # which says so


def open_window(projected: Tensor, weight: Tensor, keep: bool) -> Window:
    """Return a window for input products (T, B, G*H) and a weight (G*H, H); `keep`: for a step back, too."""
    kind, shape = projected.dtype, (*projected.shape[:2], weight.shape[1])
    common: Common | None = getattr(weight, "common", None) if keep else None
    if common is None:
        return Window(shape, kind, *pack(weight, kind, keep), None)
    place, packed = common.take_gradient(), pack_together(weight, kind, common)
    rows = common.rows(shape[1])
    sizes = rows.whole, weight.numel() * kind.itemsize, rows.threads
    if place is not None and load_library().pays(*map(ctypes.c_int64, sizes)):
        return CommonWindow(rows, common, shape, kind, *packed, place)
    common.meet()
    return Window(shape, kind, *packed, place)


def call(
    name: str, kind: torch.dtype, shape: Sequence[int], *tensors: Tensor | None, team: Team | None = None
) -> None:
    """Call a function of the library on torch's threads."""
    steps, rows, units = shape
    sizes = steps, ctypes.c_int64(rows), units, torch.get_num_threads()
    find_function(name, kind)(*sizes, ctypes.byref(team) if team else None, *map(pointer, tensors))
