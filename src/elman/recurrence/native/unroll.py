"""A cell over a whole window by the library, forward and backward, behind torch's autograd.

Products take the precision of what comes in, fp32 or bf16, and add up in fp32; states are fp32.
Axes: T steps, B rows, H hidden units, G gates.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from elman.cells import (
    Cell,
    ElmanReluCell,
    ElmanTanhCell,
    GRUCell,
    LinearCell,
    LSTMCell,
    MinGRUCell,
    MinLSTMCell,
    RGLRUCell,
    State,
)

from .library import CannotCompileError, lanes
from .window import call, open_window

SERVED = (ElmanTanhCell, ElmanReluCell, GRUCell, LSTMCell, MinGRUCell, MinLSTMCell, RGLRUCell)


def refusal(cell: Cell) -> str | None:
    """Say why the library cannot run a cell on this machine; None where it can."""
    if not isinstance(cell, SERVED):
        return f"{type(cell).__name__} has no native form"
    if cell.input_weight.device.type != "cpu":
        return f"it runs on the CPU, not on {cell.input_weight.device.type}"
    try:
        wide = lanes()
    except CannotCompileError as error:
        return str(error)
    if cell.hidden_size % wide:
        return f"hidden size {cell.hidden_size} is no multiple of {wide}"
    return None


def unroll(cell: Cell, x: Tensor, state: State) -> tuple[Tensor, State]:
    """Run a cell over a sequence: x (T, B, D) and a state -> outputs (T, B, H) and the state after the last
    step, in fp32.

    Raises:
        RuntimeError: a precision that this processor has no products for.
    """
    return advance(cell, cell.project(x), state)


def advance(cell: Cell, projected: Tensor, state: State) -> tuple[Tensor, State]:
    """Do the same from the input products (T, B, G*H) on.

    Raises:
        RuntimeError: a precision that this processor has no products for.
    """
    hidden, keep = state[0].float().contiguous(), torch.is_grad_enabled()
    function: Any  # torch has no types for `apply`
    given: tuple[Any, ...]
    if isinstance(cell, LSTMCell):
        function, given = LSTM, (cell.recurrent_weight, hidden, state.c.float().contiguous(), keep)
    elif isinstance(cell, GRUCell):
        function, given = GRU, (cell.recurrent_weight, cell.candidate_bias, hidden, keep)
    elif isinstance(cell, RGLRUCell):
        function, given = RGLRU, (cell.limits(), hidden)
    elif isinstance(cell, LinearCell):
        function, given = Minimal, (hidden, "min_lstm" if isinstance(cell, MinLSTMCell) else "min_gru")
    else:
        kind = "relu" if isinstance(cell, ElmanReluCell) else "tanh"
        function, given = Elman, (cell.recurrent_weight, hidden, kind, keep)
    outputs, *after = function.apply(projected.contiguous(), *given)
    return outputs, cell.state_type(*after)


class LSTM(Function):
    """Projected (T, B, 4H), weight (4H, H), h and c (B, H) -> outputs (T, B, H), h and c."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, weight: Tensor, hidden: Tensor, memory: Tensor, keep: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run all steps."""
        window = ctx.window = open_window(projected, weight, keep)
        shape, kind, width = window.shape, window.kind, projected.shape[2]
        projected, start, memory = window.bring(projected, hidden.to(kind), memory)
        outputs, last = window.room(kind, *shape), window.room(torch.float32, *shape[1:])
        memories = window.room(torch.float32, *shape)
        gates = window.room(kind, *shape[:2], width) if keep else None
        tensors = (projected, window.packed, start, memory, outputs, last, memories, gates)
        window.call("lstm_forward", *tensors)
        ctx.save_for_backward(start, memory, outputs, memories, gates)
        return window.own(outputs), window.own(last), window.own(memories[-1]).clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        window, (start, memory, outputs, memories, gates) = ctx.window, ctx.saved_tensors
        d_outputs, d_hidden, d_memory = window.bring(*_own(*gradients))
        d_projected = window.room(window.kind, *gates.shape)
        tensors = (window.back, gates, memories, memory, d_outputs, d_projected, d_hidden, d_memory)
        window.call("lstm_backward", *tensors)
        d_projected, start, outputs, d_hidden, d_memory = map(
            window.own, (d_projected, start, outputs, d_hidden, d_memory)
        )
        return d_projected, window.weight_gradient(d_projected, start, outputs), d_hidden, d_memory, None


class GRU(Function):
    """Projected (T, B, 3H), weight (3H, H), the candidate's bias (H,) or None, h (B, H) -> outputs, h."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, weight: Tensor, bias: Tensor | None, hidden: Tensor, keep: bool
    ) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        window = ctx.window = open_window(projected, weight, keep)
        shape, kind = window.shape, window.kind
        projected, start, state = window.bring(projected, hidden.to(kind), hidden.clone())
        outputs = window.room(kind, *shape)
        gates = window.room(kind, *shape[:2], 4 * shape[2]) if keep else None
        window.call("gru_forward", projected, window.packed, bias, start, outputs, state, gates)
        ctx.save_for_backward(start, outputs, gates)
        ctx.biased = bias is not None
        return window.own(outputs), window.own(state)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        window, (start, outputs, gates) = ctx.window, ctx.saved_tensors
        d_outputs, d_hidden = window.bring(*_own(*gradients))
        steps, rows, units = window.shape
        d_projected, d_recurrent = (window.room(window.kind, steps, rows, 3 * units) for _ in range(2))
        tensors = (window.back, gates, outputs, start, d_outputs, d_projected, d_recurrent, d_hidden)
        window.call("gru_backward", *tensors)
        d_projected, d_recurrent, start, outputs, d_hidden = map(
            window.own, (d_projected, d_recurrent, start, outputs, d_hidden)
        )
        d_weight = window.weight_gradient(d_recurrent, start, outputs)
        d_bias = d_recurrent[..., 2 * units :].float().sum((0, 1)) if ctx.biased else None
        return d_projected, d_weight, d_bias, d_hidden, None


class Elman(Function):
    """Projected (T, B, H), weight (H, H), h (B, H), tanh or relu -> outputs (T, B, H), h."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, weight: Tensor, hidden: Tensor, activation: str, keep: bool
    ) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        window = ctx.window = open_window(projected, weight, keep)
        shape, kind = window.shape, window.kind
        projected, start = window.bring(projected, hidden.to(kind))
        outputs, last = window.room(kind, *shape), window.room(torch.float32, *shape[1:])
        window.call(f"{activation}_forward", projected, window.packed, start, outputs, last)
        ctx.save_for_backward(start, outputs)
        ctx.activation = activation
        return window.own(outputs), window.own(last)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        window, (start, outputs) = ctx.window, ctx.saved_tensors
        d_outputs, d_hidden = window.bring(*_own(*gradients))
        d_projected = window.room(window.kind, *window.shape)
        window.call(f"{ctx.activation}_backward", window.back, outputs, d_outputs, d_projected, d_hidden)
        d_projected, start, outputs, d_hidden = map(window.own, (d_projected, start, outputs, d_hidden))
        return d_projected, window.weight_gradient(d_projected, start, outputs), d_hidden, None, None


class Minimal(Function):
    """Projected (T, B, G*H), h (B, H), min_gru or min_lstm -> outputs (T, B, H) in fp32, h."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, hidden: Tensor, kind: str) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        shape = (*projected.shape[:2], hidden.shape[1])
        outputs = hidden.new_empty(shape)
        call(f"{kind}_forward", projected.dtype, shape, projected, hidden, outputs)
        ctx.save_for_backward(projected, outputs, hidden)
        ctx.kind = kind
        return outputs, outputs[-1].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        projected, outputs, start = ctx.saved_tensors
        d_outputs, d_hidden = _own(*gradients)
        d_projected = torch.empty_like(projected)
        call(
            f"{ctx.kind}_backward",
            projected.dtype,
            outputs.shape,
            *(projected, outputs, start, d_outputs, d_projected, d_hidden),
        )
        return d_projected, d_hidden, None


class RGLRU(Function):
    """Projected (T, B, 3H), limits (H,), h (B, H) -> outputs (T, B, H) in fp32, h."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, limits: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        shape, limits = (*projected.shape[:2], hidden.shape[1]), limits.float().contiguous()
        outputs = hidden.new_empty(shape)
        call("rg_lru_forward", projected.dtype, shape, projected, limits, hidden, outputs)
        ctx.save_for_backward(projected, limits, outputs, hidden)
        return outputs, outputs[-1].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        projected, limits, outputs, start = ctx.saved_tensors
        d_outputs, d_hidden = _own(*gradients)
        d_projected, d_limits = torch.empty_like(projected), torch.zeros_like(start)
        call(
            "rg_lru_backward",
            projected.dtype,
            outputs.shape,
            *(projected, limits, outputs, start, d_outputs, d_projected, d_limits, d_hidden),
        )
        return d_projected, d_limits.sum(0), d_hidden


def _own(d_outputs: Tensor, *d_state: Tensor) -> list[Tensor]:
    """Return gradients as they can be written to: those of the state are overwritten."""
    return [d_outputs.contiguous(), *(part.clone(memory_format=torch.contiguous_format) for part in d_state)]
