"""The update rules, by their names in the settings; weight decay falls on matrices only.

They call the functions that torch's optimiser classes call. The classes themselves import torch's compiler
when they are first made, which takes as long as importing torch.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from elman.config import TrainSettings

from .exchange import Exchange

EPSILON = 1e-8  # in Adam's denominator


class Optimizer:
    """SGD, Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019) over the parameters of a
    network.
    """

    def __init__(self, network: nn.Module, settings: TrainSettings, exchange: Exchange) -> None:
        """Of a network, as far as this process changes it."""
        self._settings, self._exchange = settings, exchange
        self._names = [name for name, _ in network.named_parameters()]
        self._parameters = list(network.parameters())
        averaged = () if settings.optimizer == "sgd" else ("first_moment", "second_moment")
        self._moments = {name: [torch.zeros_like(share) for share in exchange.shares] for name in averaged}
        self._steps = [p.new_zeros(()) for p in self._parameters] if averaged else []
        self._groups = [  # indices of parameters that share a weight decay
            (settings.weight_decay, [i for i, p in enumerate(self._parameters) if p.dim() > 1]),
            (0.0, [i for i, p in enumerate(self._parameters) if p.dim() <= 1]),
        ]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Change every parameter by its gradient."""
        for decay, indices in self._groups:
            if indices:
                self._update(learning_rate, decay, indices)
        self._exchange.meet()

    def state(self) -> Iterator[tuple[str, Tensor]]:
        """Yield what all processes together remember between steps, by name; all have to ask for it."""
        for moment, parts in self._moments.items():
            for name, tensor in zip(self._names, self._exchange.whole(parts), strict=True):
                yield f"{name}.{moment}", tensor
        yield from ((f"{name}.steps", steps) for name, steps in zip(self._names, self._steps, strict=False))

    def restore(self, saved: Mapping[str, Tensor]) -> None:
        """Remember what was saved, as far as this process needs it."""
        for moment, parts in self._moments.items():
            found = self._exchange.parts(saved[f"{name}.{moment}"] for name in self._names)
            for part, remembered in zip(parts, found, strict=True):
                part.copy_(remembered)
        for name, steps in zip(self._names, self._steps, strict=False):
            steps.copy_(saved[f"{name}.steps"])

    def _update(self, learning_rate: float, decay: float, indices: list[int]) -> None:
        parameters = [self._exchange.shares[i] for i in indices]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
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
