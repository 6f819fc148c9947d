"""What stands between layers, by the library: dropout and layer normalisation, behind torch's autograd.

Either reads and writes its sequence once, and keeps for the way back no more than a seed, or two numbers of
each row.
"""

import ctypes
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from .inputs import precision
from .library import find_function, pointer

LEVELS = 2**16  # of the random bits that decide on an entry


def drop(x: Tensor, probability: float) -> Tensor:
    """Drop entries of x, of any shape, to 1 in 65,536, and make what is left as much larger.

    Draws one number from torch's random state. Which entries are dropped follows from it alone.
    """
    seed = int(torch.empty((), dtype=torch.int64).random_(-(2**63), None))
    # torch gives `apply` no types
    dropped: Tensor = Dropped.apply(x, seed, probability)  # type: ignore[no-untyped-call]
    return dropped


def normalize(x: Tensor, weight: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    """Normalise x (..., D) in fp32 over its last axis, as torch's layer_norm does, D a multiple of LANES.

    Under autocast the result has the precision of the products that read it.
    """
    kind = precision(x)
    # torch gives `apply` no types
    normal: Tensor = Normalized.apply(x, weight, bias, epsilon, kind)  # type: ignore[no-untyped-call]
    return normal


class Dropped(Function):
    """x, a seed, the probability of zero -> as x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, seed: int, probability: float) -> Tensor:
        """Drop entries."""
        ctx.seed, ctx.probability = seed, probability
        return _drop(x, seed, probability)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_dropped: Tensor) -> tuple[Tensor, None, None]:
        """Drop the same entries."""
        return _drop(d_dropped, ctx.seed, ctx.probability), None, None


class Normalized(Function):
    """x (..., D), weight and bias (D,), epsilon, a precision -> (..., D) in it."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, epsilon: float, kind: torch.dtype
    ) -> Tensor:
        """Normalise each row."""
        x = x.contiguous()
        normal, moments = torch.empty_like(x, dtype=kind), x.new_empty(*x.shape[:-1], 2)
        find_function("normalize", kind)(
            *(*_rows(x), ctypes.c_float(epsilon)),
            *map(pointer, (x, weight, bias, normal, moments)),
            torch.get_num_threads(),
        )
        ctx.save_for_backward(x, weight, moments)
        return normal

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_normal: Tensor) -> tuple[Tensor | None, ...]:
        """Pass each row's gradient on; sum up those of weight and bias."""
        x, weight, moments = ctx.saved_tensors
        d_normal, d_x, threads = d_normal.contiguous(), torch.empty_like(x), torch.get_num_threads()
        d_shares = x.new_zeros(threads, 2, x.shape[-1])
        find_function("normalize_back", d_normal.dtype)(
            *_rows(x), *map(pointer, (x, weight, moments, d_normal, d_x, d_shares)), threads
        )
        d_weight, d_bias = d_shares.sum(0)
        return d_x, d_weight, d_bias, None, None


def _drop(x: Tensor, seed: int, probability: float) -> Tensor:
    if x.numel() and not x.is_contiguous() and x[0].is_contiguous() and x[0].numel() % 4 == 0:
        stretches = len(x), x[0].numel(), x.stride(0)
    else:
        x = x.contiguous()
        stretches = 1, x.numel(), 0
    dropped, level = x.new_empty(x.shape), round(probability * LEVELS)
    find_function("drop", x.dtype)(
        *map(ctypes.c_int64, (*stretches, seed)),
        *(level, ctypes.c_float(1 / (1 - probability)), pointer(x), pointer(dropped)),
        torch.get_num_threads(),
    )
    return dropped


def _rows(x: Tensor) -> tuple[ctypes.c_int64, int]:
    """Return how many rows x (..., D) has, and D."""
    return ctypes.c_int64(x[..., 0].numel()), x.shape[-1]
