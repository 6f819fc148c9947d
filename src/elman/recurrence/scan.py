"""All steps of a linear cell together, as a scan in two levels, forward and backward.

The T steps are cut into about sqrt(T) stretches. All stretches advance side by side from zero, to learn what
each makes of a state; the states at their starts follow one from the other; then all advance once more, from
these. So some 3 sqrt(T) operations do the whole, on a CPU and on a GPU alike. There are no logarithms and no
quotients of products: a decay of zero, or a product that vanishes, does no harm.
"""

from collections.abc import Sequence
from math import isqrt
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from elman.cells import Cell, LinearCell, State

from .lookup import Lookup

SERVED = (LinearCell,)


def unroll(cell: Cell, x: Tensor | Lookup, state: State) -> tuple[Tensor, State]:
    """Run a cell over a sequence: x (T, B, D) and a state -> outputs (T, B, H) and the state after the last
    step, in the precision of the weights.
    """
    assert isinstance(cell, LinearCell)
    projected = x.through(cell.project).rows() if isinstance(x, Lookup) else cell.project(x)
    # torch gives `apply` no types
    states: Tensor = Scan.apply(*cell.coefficients(projected), state.h)  # type: ignore[no-untyped-call]
    return states, cell.state_type(states[-1].clone())


class Scan(Function):
    """a and b (T, B, H), h before the first step (B, H) -> h after each step (T, B, H): h' = a * h + b."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, start: Tensor) -> Tensor:
        """Run all steps."""
        states = torch.empty_like(b)
        scan(a, b, start, states)
        ctx.save_for_backward(a, start, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the same scan from the end: what reaches a state is what reads it and a of the next step."""
        a, start, states = ctx.saved_tensors
        d_b = torch.empty_like(d_states)
        d_b[-1] = d_states[-1]
        scan(a[1:], d_states[:-1], d_b[-1], d_b[:-1], backward=True)
        d_a = torch.empty_like(a)
        torch.mul(d_b[0], start, out=d_a[0])
        torch.mul(d_b[1:], states[:-1], out=d_a[1:])
        return d_a, d_b, a[0] * d_b[0]


def scan(a: Tensor, b: Tensor, start: Tensor, states: Tensor, backward: bool = False) -> None:
    """Write into states (T, B, H) what h' = a * h + b makes of a start (B, H), from the end if `backward`."""
    stretches = isqrt(len(b))
    if not stretches:
        return
    whole, order = len(b) - len(b) % stretches, -1 if backward else 1
    first, rest = (-whole, slice(0, -whole)) if backward else (0, slice(whole, None))
    steps = [  # of all stretches together: (stretches, B, H) each
        part[first:][:whole].view(stretches, -1, *part.shape[1:]).unbind(1)[::order]
        for part in (a, b, states)
    ]
    kept, made = steps[0][0], steps[1][0]  # by a stretch: of the state it begins with, and beside it
    for a_step, b_step in zip(steps[0][1:], steps[1][1:], strict=True):
        kept, made = kept * a_step, torch.addcmul(b_step, a_step, made)
    starts = [start]
    for factor, added in zip(kept.unbind()[::order], made.unbind()[::order], strict=True):
        starts.append(torch.addcmul(added, factor, starts[-1]))
    *starts, last = starts
    _advance(steps, torch.stack(starts[::order]))
    _advance([part[rest].unbind()[::order] for part in (a, b, states)], last)


def _advance(steps: Sequence[Sequence[Tensor]], state: Tensor) -> None:
    """Take steps in turn: a, b and the place of each state."""
    for a, b, place in zip(*steps, strict=True):
        state = torch.addcmul(b, a, state, out=place)
