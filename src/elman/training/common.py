"""What processes on one machine have in common of a weight, beside the weight itself.

Some recurrence paths bring weights into another order before they use them, and write a gradient where they
are told to. What several processes see is brought into order once, each doing a part, and the gradient of
each stands at once where the others read it.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from elman.recurrence.native.team import Team
from elman.recurrence.native.weights import Rows

from .ranks import Ranks


class CommonWeight:
    """Of one weight; what is asked for, all processes ask for, in the same order."""

    def __init__(self, ranks: Ranks, gradient: Tensor) -> None:
        """`gradient` is where the others read that of this process, of the shape of the weight."""
        self._ranks, self._gradient = ranks, gradient
        self.complete = False  # the gradient: each process has its part of the rows, of the whole batch
        self._uses = 0
        self._orders: dict[torch.dtype, tuple[Tensor, ...]] = {}
        self._rows: dict[int, Rows] = {}
        self._memory: dict[int, Tensor] = {}  # (N,) by its place
        self._rooms: dict[tuple[int, torch.dtype, tuple[int, ...]], Tensor] = {}  # views of it

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
        self._uses += 1
        if self._uses == 1:
            return self._gradient
        if self.complete:
            self._clear_rest()
        return None

    def part_of_gradient(self) -> Tensor:
        """Return where this process's part of its rows is to be written, of the whole batch."""
        self.complete = True
        if self._uses > 1:
            self._clear_rest()
        return self._gradient[self.part(len(self._gradient))]

    def rows(self, own: int) -> Rows:
        """Return the rows of all processes, of which so many are this process's."""
        if own not in self._rows:
            whole, threads = map(int, self._ranks.add(own, torch.get_num_threads()))
            self._rows[own] = Rows(whole, self._ranks.rows(whole), threads)
        return self._rows[own]

    def room(self, place: int, kind: torch.dtype, shape: Sequence[int]) -> Tensor:
        """Return a tensor of numbers of up to 4 bytes, the same in all processes for the same place."""
        key = place, kind, tuple(shape)
        if key not in self._rooms:
            count = math.prod(shape)
            if place not in self._memory or len(self._memory[place]) < count:
                self._memory[place] = self._ranks.memory(count)
            self._rooms[key] = self._memory[place].view(kind)[:count].view(key[-1])
        return self._rooms[key]

    def clear_gradient(self) -> None:
        """Offer the place again."""
        self.complete, self._uses = False, 0

    def _clear_rest(self) -> None:
        """Write zeros where this process's part is not: what stands there will be added after all."""
        part = self.part(len(self._gradient))
        self._gradient[: part.start] = self._gradient[part.stop :] = 0
        self.complete = False
