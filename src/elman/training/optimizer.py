"""The update rules, by their names in the settings; weight decay falls on matrices only.

They call the functions that torch's optimiser classes call. The classes themselves import torch's compiler
when they are first made, which takes as long as importing torch.
"""

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from elman.config import TrainSettings

EPSILON = 1e-8  # in Adam's denominator


class Optimizer:
    """SGD, Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019) over the parameters of a
    network.
    """

    def __init__(self, network: nn.Module, settings: TrainSettings) -> None:
        self._settings = settings
        self._names = [name for name, _ in network.named_parameters()]
        self.parameters = list(network.parameters())
        averaged = () if settings.optimizer == "sgd" else ("first_moment", "second_moment")
        self._moments = {moment: [torch.zeros_like(p) for p in self.parameters] for moment in averaged}
        self._steps = [p.new_zeros(()) for p in self.parameters] if averaged else []
        self._groups = [  # indices of parameters that share a weight decay
            (settings.weight_decay, [i for i, p in enumerate(self.parameters) if p.dim() > 1]),
            (0.0, [i for i, p in enumerate(self.parameters) if p.dim() <= 1]),
        ]

    def clear_gradients(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Change every parameter by its gradient."""
        for decay, indices in self._groups:
            if indices:
                self._update(learning_rate, decay, indices)

    def state(self) -> Iterator[tuple[str, Tensor]]:
        """Yield what is remembered between steps, by name."""
        for moment, tensors in self._moments.items():
            yield from ((f"{name}.{moment}", t) for name, t in zip(self._names, tensors, strict=True))
        yield from ((f"{name}.steps", steps) for name, steps in zip(self._names, self._steps, strict=False))

    def restore(self, saved: Iterable[tuple[str, Tensor]]) -> None:
        """Remember what was saved."""
        places = dict(self.state())
        for name, tensor in saved:
            places[name].copy_(tensor)

    def _update(self, learning_rate: float, decay: float, indices: list[int]) -> None:
        parameters: list[Tensor] = [self.parameters[i] for i in indices]
        gradients = [g for p in parameters if (g := p.grad) is not None]
        fused = parameters[0].device.type in ("cpu", "cuda")
        if self._settings.optimizer == "sgd":
            sgd(
                parameters,
                gradients,
                [None] * len(parameters),
                fused=fused,
                weight_decay=decay,
                momentum=0.0,
                lr=learning_rate,
                dampening=0.0,
                nesterov=False,
                maximize=False,
            )
            return
        first, second = self._settings.betas
        (adam if self._settings.optimizer == "adam" else adamw)(
            parameters,
            gradients,
            [self._moments["first_moment"][i] for i in indices],
            [self._moments["second_moment"][i] for i in indices],
            [],
            [self._steps[i] for i in indices],
            fused=fused,
            amsgrad=False,
            beta1=first,
            beta2=second,
            lr=learning_rate,
            weight_decay=decay,
            eps=EPSILON,
            maximize=False,
        )


def clip_gradients(network: nn.Module, largest: float | None) -> float:
    """Scale all gradients so that their global norm is at most `largest`; return the norm before that."""
    return float(nn.utils.clip_grad_norm_(network.parameters(), largest or math.inf))
