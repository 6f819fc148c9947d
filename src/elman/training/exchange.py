"""How the gradients of all processes become one update of the weights.

Alone there is nothing to exchange. Processes on one machine keep the weights in memory that all of them see,
and each changes its share of every tensor; others average their gradients, and each changes all.
"""

import math
from functools import reduce

import torch
from torch import Tensor, nn

from .clipping import clip_gradients
from .ranks import Ranks


class Exchange:
    """Of one process alone. What the others of this file do otherwise is said there."""

    def __init__(self, network: nn.Module, largest: float | None) -> None:
        """Of a network; `largest` is the norm above which its gradients are shortened."""
        self._network, self._largest = network, largest
        # what this process changes of each parameter; gradients come to it before each update
        self.shares: list[Tensor] = list(network.parameters())

    def part(self, tensor: Tensor) -> Tensor:
        """Return what belongs to this process's share of a parameter, of a tensor of the same shape."""
        return tensor

    def whole(self, part: Tensor, like: Tensor) -> Tensor:
        """Return the tensor, of the shape of a parameter, of which all processes hold parts."""
        return part

    def gradients(self, nats: float) -> tuple[float, float]:
        """Set the gradients of all shares; return the mean loss, and the norm before shortening."""
        return nats, clip_gradients(self._network, self._largest)

    def meet(self) -> None:
        """Wait until all have changed their shares."""


class AveragedGradients(Exchange):
    """Of processes that see no common memory."""

    def __init__(self, network: nn.Module, largest: float | None, ranks: Ranks) -> None:
        super().__init__(network, largest)
        self._ranks = ranks

    def gradients(self, nats: float) -> tuple[float, float]:
        """Send all to all."""
        nats = self._ranks.average(list(self._network.parameters()), nats)
        return super().gradients(nats)


class SharedMemory(Exchange):
    """Of processes on one machine."""

    def __init__(self, network: nn.Module, largest: float | None, ranks: Ranks) -> None:
        """Move the weights to where all processes see them, and make room for the gradients of each."""
        super().__init__(network, largest)
        self._ranks = ranks
        self._parameters = list(network.parameters())
        counts = [parameter.numel() for parameter in self._parameters]
        weights, *gradients = ranks.memory(1 + ranks.size, sum(counts)).unbind()
        for parameter, place in zip(self._parameters, torch.split(weights, counts), strict=True):
            if ranks.rank == 0:
                place.copy_(parameter.detach().flatten())
            parameter.data = place.view_as(parameter)
        self.shares = [self.part(parameter.data) for parameter in self._parameters]
        self._sent = torch.split(gradients[ranks.rank], counts)
        others = [sent for rank, sent in enumerate(gradients) if rank != ranks.rank]
        received = ([self.part(one) for one in torch.split(sent, counts)] for sent in others)
        self._received = list(zip(*received, strict=True))  # by parameter, then by process
        ranks.meet()

    def part(self, tensor: Tensor) -> Tensor:
        """Return a stretch of its numbers (N,)."""
        return tensor.view(-1)[self._ranks.rows(tensor.numel())]

    def whole(self, part: Tensor, like: Tensor) -> Tensor:
        """Put the stretches of all processes together."""
        return self._ranks.gather(part, like.numel()).view_as(like)

    def gradients(self, nats: float) -> tuple[float, float]:
        """Send what belongs to the shares of others, and add to this process's what they have sent."""
        found = [torch.zeros_like(p) if p.grad is None else p.grad for p in self._parameters]
        found = [gradient.flatten() for gradient in found]
        for sent, gradient in zip(self._sent, found, strict=True):
            own = self._ranks.rows(len(sent))
            sent[: own.start] = gradient[: own.start]
            sent[own.stop :] = gradient[own.stop :]
        self._ranks.meet()
        own_parts = map(self.part, found)
        sums = [reduce(Tensor.add_, parts, own) for parts, own in zip(self._received, own_parts, strict=True)]
        squares = float(sum(part.dot(part) for part in sums))
        squares, nats = self._ranks.add(squares, nats)
        size = self._ranks.size
        norm = math.sqrt(squares) / size
        shorter = min(1.0, self._largest / (norm + 1e-6)) if self._largest else 1.0  # as torch does
        for share, part in zip(self.shares, sums, strict=True):
            share.grad = part.mul_(shorter / size)
        return nats / size, norm

    def meet(self) -> None:
        """Wait for all."""
        self._ranks.meet()


def make_exchange(network: nn.Module, largest: float | None, ranks: Ranks) -> Exchange:
    """Return the one for these processes."""
    if ranks.size == 1:
        return Exchange(network, largest)
    together = ranks.line is not None and all(one.device.type == "cpu" for one in network.parameters())
    return (SharedMemory if together else AveragedGradients)(network, largest, ranks)
