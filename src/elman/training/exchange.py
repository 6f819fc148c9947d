"""How the gradients of all processes become one update of the weights.

What comes in are gradients of this process's part of the mean loss; their sum over the processes is that of
the whole. Alone there is nothing to exchange. Processes on one machine keep the weights in memory that all of
them see, where the library adds up gradients, and each changes some rows of each; others add up their
gradients by torch's means, and each changes all.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from elman.recurrence.native.team import Piece

from .clipping import clip_gradients, shortening
from .common import CommonWeight
from .ranks import Ranks


class Exchange:
    """Of one process alone. What the others of this file do otherwise is said there."""

    def __init__(self, network: nn.Module, largest: float | None) -> None:
        """Of a network; `largest` is the norm above which its gradients are shortened."""
        self._parameters, self._largest = list(network.parameters()), largest
        # what this process changes of each parameter; gradients come to it before each update
        self.shares: list[Tensor] = list(self._parameters)

    def parts(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        """Return what belongs to this process's shares, of one tensor for each parameter, of its shape."""
        return list(tensors)

    def memory(self) -> list[Tensor]:
        """Return zeros of the shapes of all parameters, for what belongs to all shares."""
        return [torch.zeros_like(parameter) for parameter in self._parameters]

    def clear_gradients(self) -> None:
        """Forget all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def gradients(self, nats: float) -> tuple[float, float]:
        """Set the gradients of all shares; return the mean loss, and the norm before shortening."""
        return nats, clip_gradients(self._parameters, self._largest)

    def meet(self) -> None:
        """Wait until all have changed their shares."""


class AddedGradients(Exchange):
    """Of processes that see no common memory."""

    def __init__(self, network: nn.Module, largest: float | None, ranks: Ranks) -> None:
        super().__init__(network, largest)
        self._ranks = ranks

    def gradients(self, nats: float) -> tuple[float, float]:
        """Send all to all."""
        nats = self._ranks.add_gradients(self._parameters, nats)
        return super().gradients(nats / self._ranks.size)


class SharedMemory(Exchange):
    """Of processes on one machine, each of which changes some rows of every weight."""

    def __init__(self, network: nn.Module, largest: float | None, ranks: Ranks) -> None:
        """Move the weights to where all processes see them, and make room for the gradients of each."""
        super().__init__(network, largest)
        self._ranks = ranks
        self._own = [_numbers(parameter, ranks.rows(len(parameter))) for parameter in self._parameters]
        weights, *places = (self.memory() for _ in range(1 + ranks.size))
        for parameter, place in zip(self._parameters, weights, strict=True):
            if ranks.rank == 0:
                place.copy_(parameter.detach())
            parameter.data = place
        self.shares = self.parts(parameter.data for parameter in self._parameters)
        self._sums = self.parts(places[ranks.rank])  # those of the gradients of all, for the shares
        for share, total in zip(self.shares, self._sums, strict=True):
            share.grad = total
        self._places = places  # held: read where they are
        self._left = torch.tensor([one[0].data_ptr() for one in places])
        self._said = ranks.memory(ranks.size, 4).view(torch.float64)
        self._pieces = (Piece * len(self._own))()
        for piece, place, own in zip(self._pieces, places[ranks.rank], self._own, strict=True):
            piece.place, piece.count = place.storage_offset(), place.numel()
            piece.begin, piece.end = own.start, own.stop
        self._common = [CommonWeight(ranks, place) for place in places[ranks.rank]]
        for parameter, common in zip(self._parameters, self._common, strict=True):
            vars(parameter)["common"] = common  # for a recurrence path that knows of it
        ranks.meet()

    def parts(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        """Return a piece (N,) of each, of some none."""
        return [tensor.view(-1)[own] for tensor, own in zip(tensors, self._own, strict=True)]

    def memory(self) -> list[Tensor]:
        """Return such that all processes see."""
        counts = [parameter.numel() for parameter in self._parameters]
        places = torch.split(self._ranks.memory(sum(counts)), counts)
        return [place.view_as(one) for place, one in zip(places, self._parameters, strict=True)]

    def clear_gradients(self) -> None:
        """Forget all gradients, and offer their places anew."""
        super().clear_gradients()
        for common in self._common:
            common.clear_gradient()

    def gradients(self, nats: float) -> tuple[float, float]:
        """Add up those of this process's shares, where all find what the others left for them."""
        found = [torch.zeros_like(p) if p.grad is None else p.grad.contiguous() for p in self._parameters]
        for piece, gradient, common in zip(self._pieces, found, self._common, strict=True):
            piece.gradient, piece.complete = gradient.data_ptr(), common.complete
        with self._ranks.together():
            squares, nats = self._ranks.team.add_gradients(self._pieces, self._left, self._said, nats)
        norm = math.sqrt(squares)
        if (factor := shortening(norm, self._largest)) < 1:
            for part in self._sums:
                part.mul_(factor)
        return nats / self._ranks.size, norm

    def meet(self) -> None:
        """Wait for all."""
        self._ranks.meet()


def make_exchange(network: nn.Module, largest: float | None, ranks: Ranks) -> Exchange:
    """Return the one for these processes."""
    if ranks.size == 1:
        return Exchange(network, largest)
    together = ranks.line is not None and all(one.device.type == "cpu" for one in network.parameters())
    return (SharedMemory if together else AddedGradients)(network, largest, ranks)


def _numbers(parameter: Tensor, rows: slice) -> slice:
    """Return where the numbers of some rows lie among all."""
    width = parameter.numel() // len(parameter)
    return slice(rows.start * width, rows.stop * width)
