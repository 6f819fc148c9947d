"""Gradients that are too long are shortened. Knows nothing of what they are gradients of."""

import math
from collections.abc import Iterable

from torch import nn


def clip_gradients(parameters: Iterable[nn.Parameter], largest: float | None) -> float:
    """Scale all gradients so that their global norm is at most `largest`; return the norm before that."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = float(nn.utils.get_total_norm(gradients))
    factor = shortening(norm, largest)
    if factor < 1:
        for gradient in gradients:
            gradient.mul_(factor)
    return norm


def shortening(norm: float, largest: float | None) -> float:
    """Return by what gradients of such a norm are multiplied, as torch's `clip_grad_norm_` does."""
    return min(1.0, (math.inf if largest is None else largest) / (norm + 1e-6))
