"""The update rules, by their names in the settings; weight decay falls on matrices only.

They call the kernels that torch's optimiser classes call, each of which changes all tensors in one pass. The
classes themselves import torch's compiler when they are first made, which takes as long as importing torch,
and sort the tensors at each step, which takes as long as a small layer.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

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
        self._kept: dict[str, list[Tensor]] = {}  # between steps
        if settings.optimizer != "sgd":
            self._kept = {
                "first_moment": exchange.memory(),
                "second_moment": exchange.memory(),
                "steps": [p.new_zeros(()) for p in self._parameters],
            }
        # of the moments, what this process changes
        self._moments = [exchange.parts(tensors) for kind, tensors in self._kept.items() if kind != "steps"]
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

    def state(self) -> dict[str, Tensor]:
        """Return what is remembered between steps, by name."""
        return {
            f"{name}.{kind}": tensor
            for kind, tensors in self._kept.items()
            for name, tensor in zip(self._names, tensors, strict=True)
        }

    def restore(self, saved: Mapping[str, Tensor]) -> None:
        """Remember what was saved."""
        for name, tensor in self.state().items():
            tensor.copy_(saved[name])

    def _update(self, learning_rate: float, decay: float, indices: list[int]) -> None:
        parameters = [self._exchange.shares[i] for i in indices]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        if self._settings.optimizer == "sgd":
            torch._fused_sgd_(
                parameters,
                gradients,
                [],
                weight_decay=decay,
                momentum=0.0,
                lr=learning_rate,
                dampening=0.0,
                nesterov=False,
                maximize=False,
                is_first_step=True,
            )
            return
        first, second = self._settings.betas
        first_moments, second_moments = self._moments
        steps = [self._kept["steps"][i] for i in indices]
        torch._foreach_add_(steps, 1)
        (torch._fused_adam_ if self._settings.optimizer == "adam" else torch._fused_adamw_)(
            parameters,
            gradients,
            [first_moments[i] for i in indices],
            [second_moments[i] for i in indices],
            [],
            steps,
            amsgrad=False,
            beta1=first,
            beta2=second,
            lr=learning_rate,
            weight_decay=decay,
            eps=EPSILON,
            maximize=False,
        )
