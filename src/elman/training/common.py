"""What processes on one machine have in common of a weight, beside the weight itself.

Some recurrence paths bring weights into another order before they use them, and write a gradient where they
are told to. What several processes see is brought into order once, each doing a part, and the gradient of
each stands at once where the others read it.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from elman.recurrence.native.weights import Rows, Team

from .ranks import Ranks


class CommonWeight:
    """Of one weight; what is asked for, all processes ask for, in the same order."""

    def __init__(self, ranks: Ranks, gradient: Tensor) -> None:
        """`gradient` is where the others read that of this process, of the shape of the weight."""
        self._ranks, self._gradient = ranks, gradient
        self._taken = False
        self._orders: dict[torch.dtype, tuple[Tensor, ...]] = {}
        self._rows: dict[int, Rows] = {}
        self._rooms: dict[int, Tensor] = {}

    @property
    def team(self) -> Team:
        """This process among those, as the library knows it."""
        return self._ranks.team

    def orders(self, kind: torch.dtype) -> tuple[Tensor, ...]:
        """Return room for the numbers of the weight in two other orders, (N,) each."""
        if kind not in self._orders:
            memory = self._ranks.memory(2, self._gradient.numel()).unbind()
            self._orders[kind] = tuple(room.view(kind)[: self._gradient.numel()] for room in memory)
        return self._orders[kind]

    def part(self, count: int) -> slice:
        """Return which of so many pieces of work are this process's."""
        return self._ranks.rows(count)

    def meet(self) -> None:
        """Wait until all have done their part."""
        self._ranks.meet()

    def take_gradient(self) -> Tensor | None:
        """Return where the gradient is to be written: None for a second one, which is added to the first."""
        place = None if self._taken else self._gradient
        self._taken = True
        return place

    def rows(self, own: int) -> Rows:
        """Return the rows of all processes, of which so many are this process's."""
        if own not in self._rows:
            whole, threads = map(int, self._ranks.add(own, torch.get_num_threads()))
            self._rows[own] = Rows(whole, self._ranks.rows(whole), threads)
        return self._rows[own]

    def room(self, place: int, kind: torch.dtype, shape: Sequence[int]) -> Tensor:
        """Return a tensor of numbers of up to 4 bytes, the same in all processes for the same place."""
        count = math.prod(shape)
        if place not in self._rooms or len(self._rooms[place]) < count:
            self._rooms[place] = self._ranks.memory(count)
        return self._rooms[place].view(kind)[:count].view(shape)

    def clear_gradient(self) -> None:
        """Offer the place again."""
        self._taken = False
