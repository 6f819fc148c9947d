"""Gradients that are too long are shortened. Knows nothing of what they are gradients of."""

import math

from torch import nn


def clip_gradients(network: nn.Module, largest: float | None) -> float:
    """Scale all gradients so that their global norm is at most `largest`; return the norm before that."""
    return float(nn.utils.clip_grad_norm_(network.parameters(), largest or math.inf))
