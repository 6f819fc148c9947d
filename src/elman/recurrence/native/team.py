"""Processes on one machine that train one network, as the library knows them.

They meet, and add up their gradients, in memory that all of them see.
"""

import ctypes

import torch
from torch import Tensor

from .library import load_library, pointer


class Piece(ctypes.Structure):
    """The gradient of a weight, of whose numbers this process changes some, as `team.h` has it."""

    _fields_ = (
        ("gradient", ctypes.c_void_p),
        ("place", ctypes.c_int64),  # among the gradients that a process leaves for the others
        ("count", ctypes.c_int64),  # of numbers
        ("begin", ctypes.c_int64),  # of those that this process changes
        ("end", ctypes.c_int64),
        ("complete", ctypes.c_int32),  # no other has anything to add
    )


class Team(ctypes.Structure):
    """This process among those, as `team.h` has it."""

    _fields_ = (
        ("rank", ctypes.c_int32),
        ("size", ctypes.c_int32),
        ("arrived", ctypes.c_void_p),  # of each process, numbers of 4 bytes, 16 apart
        ("ends", ctypes.c_void_p),  # sockets, numbers of 4 bytes
        ("count", ctypes.c_int32),  # of these
        ("gone", ctypes.c_int32),  # set by the library when another process is gone
    )

    def meet(self) -> None:
        """Wait until all have come so far.

        Raises:
            ConnectionResetError: another process is gone.
        """
        load_library().meet(ctypes.byref(self))
        self._check()

    def add_gradients(
        self, pieces: "ctypes.Array[Piece]", left: Tensor, sums: Tensor, nats: float
    ) -> tuple[float, float]:
        """Leave the others what is theirs; of this process's own numbers make the sum over all.

        `left` (P,) says where each of P processes leaves its gradients and finds its sums; all see these, and
        `sums` (P, 2) in fp64. Returns the sum of the squares of all sums, and that of all nats.

        Raises:
            ConnectionResetError: another process is gone.
        """
        totals = (ctypes.c_double * 2)(0.0, nats)
        given = pieces, len(pieces), pointer(left), pointer(sums), totals, torch.get_num_threads()
        load_library().add_gradients(ctypes.byref(self), *given)
        self._check()
        squares, nats = totals
        return squares, nats

    def _check(self) -> None:
        if self.gone:
            raise ConnectionResetError
