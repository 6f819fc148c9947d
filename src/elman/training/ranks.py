"""Processes that train one model together, as `torchrun` starts them: each has its rows of every batch.

Rank 0 leads: it says what happens next, and the others do the same. Weights are equal everywhere, by what
`exchange` does; hidden states stay where their rows are. Knows nothing of files.
"""

import datetime
import itertools
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed

from elman.config import process
from elman.errors import RankError
from elman.recurrence.native.library import CannotCompileError, load_library
from elman.recurrence.native.team import Team

from .line import Line, open_line

Tensors = dict[str, NDArray[Any]]
# for which the others wait while rank 0 validates; who is gone is noticed at once
PATIENCE = datetime.timedelta(days=1)


class Ranks:
    """This process among the others; alone, nothing is said or shared.

    Every method that speaks to the others has to be called by all of them, in the same order.
    """

    def __init__(
        self,
        rank: int = 0,
        size: int = 1,
        device: str = "cpu",
        line: Line | None = None,
        own_group: bool = False,
    ) -> None:
        """`line`: where all run on one machine. `own_group`: torch's group of processes ends with this."""
        self.rank, self.size, self.line, self._own_group = rank, size, line, own_group
        self._device = torch.device(device)  # of what is sent
        self._team: Team | None = None

    def rows(self, rows: int) -> slice:
        """Return which rows of a batch are this process's."""
        return slice(rows * self.rank // self.size, rows * (self.rank + 1) // self.size)

    def add_gradients(self, parameters: Sequence[Tensor], nats: float) -> float:
        """Set all gradients to their sum over the processes, and return that of the loss."""
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        sent = torch.cat([*(g.flatten() for g in gradients), gradients[0].new_tensor([nats])])
        self._all_reduce(sent)
        *sums, nats_of_all = torch.split(sent, [*(p.numel() for p in parameters), 1])
        for parameter, total in zip(parameters, sums, strict=True):
            parameter.grad = total.view_as(parameter)
        return float(nats_of_all)

    def add(self, *values: float) -> list[float]:
        """Return the sum of each value over the processes."""
        return self._tell(values, Line.add, self._all_reduce)

    def meet(self) -> None:
        """Wait until all processes have come so far."""
        if self.line:
            with self.together():
                self.team.meet()
        else:
            self.add(0.0)

    def memory(self, *shape: int) -> Tensor:
        """Return zeros in fp32 that all processes see; of those that have a line."""
        assert self.line is not None
        with self.together():
            file = self.line.memory(4 * math.prod(shape))
        memory = torch.from_file(f"/proc/self/fd/{file}", shared=True, size=math.prod(shape))
        os.close(file)
        return memory.view(shape)

    @property
    def team(self) -> Team:
        """This process among those of its machine, as the library knows it; of those that have a line."""
        assert self.line is not None
        if self._team is None:
            self._arrived = self.memory(self.size, 16)  # kept, as the ends are, while the library reads them
            self._ends = torch.tensor(self.line.files(), dtype=torch.int32)
            tensors = self._arrived.data_ptr(), self._ends.data_ptr()
            self._team = Team(self.rank, self.size, *tensors, len(self._ends))
        return self._team

    def agree(self, *values: float) -> list[float]:
        """Return what rank 0 says."""
        return self._tell(values, Line.agree, self._broadcast)

    def gather(self, part: Tensor, rows: int) -> Tensor:
        """Return the rows (B, ...) of all processes, of which `part` is this one's share."""
        if self.size == 1:
            return part
        shape = rows, *part.shape[1:]
        whole = self.memory(*shape) if self.line else part.new_zeros(shape)
        whole[self.rows(rows)] = part
        if self.line:
            self.meet()
        else:
            self._all_reduce(whole)
        return whole

    def spread(self, tensors: Tensors, values: dict[str, Any]) -> tuple[Tensors, dict[str, Any]]:
        """Return rank 0's arrays and its values, which JSON can hold."""
        if self.size == 1:
            return tensors, values
        shapes = {name: [array.dtype.str, list(array.shape)] for name, array in tensors.items()}
        shapes, values = json.loads(self._spread_bytes(json.dumps([shapes, values]).encode()))
        return {
            name: np.frombuffer(
                self._spread_bytes(tensors[name].tobytes() if self.rank == 0 else b""), np.dtype(kind)
            ).reshape(shape)
            for name, (kind, shape) in shapes.items()
        }, values

    @contextmanager
    def borrowed_threads(self) -> Iterator[None]:
        """Compute on the threads of all processes, where they are on this machine and wait for this one."""
        own = torch.get_num_threads()
        if self.line:
            torch.set_num_threads(min(own * self.size, os.cpu_count() or own))
        try:
            yield
        finally:
            torch.set_num_threads(own)

    def leave(self) -> None:
        """Part from the others."""
        if self.line:
            self.line.close()
        if self._own_group and distributed.is_initialized():
            with suppress(RuntimeError):  # others may be gone already
                distributed.destroy_process_group()

    def _tell(
        self,
        values: Sequence[float],
        by_line: Callable[[Line, Sequence[float]], list[float]],
        by_tensor: Callable[[Tensor], None],
    ) -> list[float]:
        if self.size == 1 or not values:
            return list(values)
        if self.line:
            with self.together():
                return by_line(self.line, values)
        told = torch.tensor(values, dtype=torch.float64, device=self._device)
        by_tensor(told)
        return told.tolist()

    def _spread_bytes(self, content: bytes) -> bytes:
        if self.line:
            with self.together():
                return self.line.spread(content)
        count = torch.tensor([len(content)], device=self._device)
        self._broadcast(count)
        sent = torch.zeros(int(count), dtype=torch.uint8, device=self._device)
        if self.rank == 0 and content:
            sent.copy_(torch.from_numpy(np.frombuffer(content, np.uint8).copy()))
        self._broadcast(sent)
        return sent.cpu().numpy().tobytes()

    def _broadcast(self, tensor: Tensor) -> None:
        with self.together():
            distributed.broadcast(tensor, 0)

    def _all_reduce(self, tensor: Tensor) -> None:
        with self.together():
            distributed.all_reduce(tensor)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Say in one line that another process is gone."""
        try:
            yield
        except (RuntimeError, OSError) as error:
            raise RankError(
                f"another of the {self.size} processes of this run has ended, expected all of them; what was "
                "saved, if anything, is intact: go on with --resume --out DIR"
            ) from error


ALONE = Ranks()
_joined = itertools.count()  # a program may train several models, one after the other


def join_ranks() -> Ranks:
    """Return this process among those that `torchrun` started with it, or alone.

    On a machine with a GPU for each process they meet by NCCL, else by gloo; where they share memory, they
    know each other by gloo, and then need it no more.
    """
    rank, size = process()
    if size == 1:
        return ALONE
    if torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", size)):
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", rank)))
        device, backend = "cuda", "nccl"
    else:
        device, backend = "cpu", "gloo"
    own_group = not distributed.is_initialized()  # else it is the program's
    if own_group:
        # not every build of torch has these
        from torch.distributed.distributed_c10d import PrefixStore
        from torch.distributed.rendezvous import rendezvous

        store, _, _ = next(rendezvous("env://", rank, size))
        place = PrefixStore(f"elman/{next(_joined)}", store)
        distributed.init_process_group(backend, store=place, rank=rank, world_size=size, timeout=PATIENCE)
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "0"))  # processes on this machine
    ranks = Ranks(rank, size, device, own_group=own_group)
    if here != size or sum(ranks.add(_has_common_memory())) < size:
        return ranks
    with ranks.together():
        line = open_line(rank, size, lambda path: str(ranks.spread({}, {"path": path})[1]["path"]))
    if device == "cpu" and own_group:
        ranks.leave()  # a thread of gloo wakes up a hundred times a second, and stops what computes
        own_group = False
    return Ranks(rank, size, device, line, own_group)


def _has_common_memory() -> bool:
    """Say whether this process can share memory with others, which the library does."""
    if not hasattr(os, "memfd_create"):
        return False
    try:
        load_library()
    except CannotCompileError:
        return False
    return True
