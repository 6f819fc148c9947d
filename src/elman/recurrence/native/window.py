"""A window of steps as the library runs it: by this process alone, or by several of one machine together.

Alone, a process sees to its rows, and what it reads and writes is its own. Where their rows are few and the
weights many, processes that train one network see to some units of all rows each, as threads do, in memory
that all of them see: none reads more weights than its own.
"""

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from elman.cells import Cell
from elman.recurrence.lookup import Lookup

from .inputs import Inputs, project
from .library import find_function, load_library, pointer
from .team import Team
from .weights import Common, Rows, pack, pack_together


class Window:
    """Of this process alone; `packed` and `back`: the weight as steps forward and back read it."""

    team: Team | None = None

    def __init__(
        self, shape: tuple[int, int, int], packed: Tensor, back: Tensor | None, place: Tensor | None
    ) -> None:
        """`shape`: T, B and H; `place`: where the gradient of the weight is to be written."""
        self.shape, self.kind = shape, packed.dtype
        self.packed, self.back, self._place = packed, back, place
        self._rows = slice(0, shape[1])  # of this process

    def read(self, cell: Cell, x: Tensor | Lookup) -> Tensor:
        """Make the input products, for the steps to read; return those that this process's gradient is of."""
        products, tokens = project(cell, x)
        self.inputs = Inputs(products.detach(), tokens)
        return products

    def start(self, state: Tensor, kind: torch.dtype) -> Tensor:
        """Return room for a state before the first step, which is there, and after each: (1 + T, B, H)."""
        steps, rows, units = self.shape
        states = self.room(kind, 1 + steps, rows, units)
        states[0, self._rows] = state
        return states

    def bring(self, *parts: Tensor) -> Sequence[Tensor]:
        """Return tensors (..., B, W) as the library reads them."""
        return parts

    def room(self, kind: torch.dtype, *shape: int) -> Tensor:
        """Return room for what it writes."""
        return torch.empty(shape, dtype=kind)

    def own(self, whole: Tensor) -> Tensor:
        """Return what of it (..., B, W) is this process's; it may be gone with the next window."""
        return whole

    def keep(self, whole: Tensor) -> Tensor:
        """Return the same, for as long as it is held."""
        return whole

    def call(self, name: str, *tensors: Tensor | None) -> None:
        """Call a function of the library."""
        call(name, self.kind, self.shape, *tensors, team=self.team)

    def input_gradient(self, d_products: Tensor) -> Tensor:
        """Return the gradient of the input products, given (T, B, W)."""
        return self.inputs.gradient(d_products)

    def weight_gradient(self, d_products: Tensor, states: Tensor) -> Tensor:
        """Return the gradient (G*H, H), in one product over all steps and rows; in its place, if any."""
        product = d_products.flatten(0, 1).T, states[:-1].flatten(0, 1)
        if self._place is None:
            return torch.mm(*product).float()
        _multiply(*product, self._place)
        return self._place.view_as(self._place)


class CommonWindow(Window):
    """Of all processes; B is the number of their rows. Each has as many, so that all read tokens or none.

    Before there is another one of the same weight they have to meet, as they do to add up gradients.
    """

    def __init__(self, steps: int, units: int, rows: Rows, common: Common, *weights: Tensor) -> None:
        super().__init__((steps, rows.whole, units), *weights)
        self._rows, self._common, self._places = rows.own, common, 0
        self.team = common.team
        # of a table; what is often read is not all of one process
        self._entries = slice(self.team.rank, None, self.team.size)

    def read(self, cell: Cell, x: Tensor | Lookup) -> Tensor:
        """Make those of this process's rows; of a table, of its entries."""
        if not isinstance(x, Lookup):
            products = cell.project(x)
            self.inputs = Inputs(self.bring(products.detach())[0], None)
            return products
        products = cell.project(x.table[self._entries])
        whole = self.room(self.kind, len(x.table), products.shape[1])
        whole[self._entries] = products.detach()
        (tokens,) = self.bring(x.ids.int()[..., None])
        self.inputs = Inputs(whole, tokens)
        return products

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
        """Return a view of its rows."""
        return whole[..., self._rows, :]

    def keep(self, whole: Tensor) -> Tensor:
        """Copy its rows."""
        return self.own(whole).clone()

    def call(self, name: str, *tensors: Tensor | None) -> None:
        """Call it in all processes; each sees to its units."""
        super().call(name, *tensors)
        if self._common.team.gone:
            self._common.meet()  # which says so

    def input_gradient(self, d_products: Tensor) -> Tensor:
        """Return it for this process's rows; of a table for its entries, of all rows."""
        if self.inputs.tokens is None:
            return self.own(d_products)
        return self.inputs.gradient(d_products, self._entries.start, self._entries.step)

    def weight_gradient(self, d_products: Tensor, states: Tensor) -> Tensor:
        """Return it with this process's part of its rows, of the whole batch; the rest does not count."""
        assert self._place is not None
        part = self._common.part(len(self._place))
        place = self._common.part_of_gradient()
        _multiply(d_products.flatten(0, 1)[:, part].T, states[:-1].flatten(0, 1), place)
        return self._place.view_as(self._place)


def open_window(weight: Tensor, kind: torch.dtype, steps: int, rows: int, keep: bool) -> Window:
    """Return a window of T steps of this process's B rows for a weight (G*H, H), in a precision.

    `keep`: for a step back, too.
    """
    units = weight.shape[1]
    common: Common | None = getattr(weight, "common", None) if keep else None
    if common is None:
        return Window((steps, rows, units), *pack(weight, kind, keep), None)
    place, packed = common.take_gradient(), pack_together(weight, kind, common)
    all_rows = common.rows(rows)
    sizes = all_rows.whole, weight.numel() * kind.itemsize, all_rows.threads
    if place is not None and load_library().pays(*map(ctypes.c_int64, sizes)):
        return CommonWindow(steps, units, all_rows, common, *packed, place)
    common.meet()
    return Window((steps, rows, units), *packed, place)


def call(
    name: str, kind: torch.dtype, shape: Sequence[int], *tensors: Tensor | None, team: Team | None = None
) -> None:
    """Call a function of the library on torch's threads."""
    steps, rows, units = shape
    sizes = steps, ctypes.c_int64(rows), units, torch.get_num_threads()
    find_function(name, kind)(*sizes, ctypes.byref(team) if team else None, *map(pointer, tensors))


def _multiply(left: Tensor, right: Tensor, place: Tensor) -> None:
    """Write a product to its place, which is fp32."""
    if left.dtype == place.dtype:
        torch.mm(left, right, out=place)
    else:
        place.copy_(torch.mm(left, right))
