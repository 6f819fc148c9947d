"""A cell over a whole window by the library, forward and backward, behind torch's autograd.

Products take the precision of what comes in, fp32 or bf16, and add up in fp32; states are fp32.
Axes: T steps, B rows, H hidden units, G gates.
"""

import ctypes
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

from .library import CannotCompileError, find_function, lanes, pointer
from .weights import pack, weight_gradient

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
        shape, kind = _shape(projected, weight), projected.dtype
        outputs, gates = projected.new_empty(shape), _gates(projected, 4 * shape[2], keep)
        memories, last = hidden.new_empty(shape), torch.empty_like(hidden)
        start = hidden.to(kind)
        packed, back, ctx.place = pack(weight, kind, keep)
        _call("lstm_forward", kind, shape, projected, packed, start, memory, outputs, last, memories, gates)
        ctx.save_for_backward(back, start, memory, outputs, memories, gates)
        return outputs, last, memories[-1].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        packed, start, memory, outputs, memories, gates = ctx.saved_tensors
        d_outputs, d_hidden, d_memory = _own(*gradients)
        d_projected = torch.empty_like(gates)
        _call(
            "lstm_backward",
            gates.dtype,
            outputs.shape,
            *(packed, gates, memories, memory, d_outputs, d_projected, d_hidden, d_memory),
        )
        return d_projected, weight_gradient(ctx.place, d_projected, start, outputs), d_hidden, d_memory, None


class GRU(Function):
    """Projected (T, B, 3H), weight (3H, H), the candidate's bias (H,) or None, h (B, H) -> outputs, h."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, weight: Tensor, bias: Tensor | None, hidden: Tensor, keep: bool
    ) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        shape, kind = _shape(projected, weight), projected.dtype
        outputs, gates = projected.new_empty(shape), _gates(projected, 4 * shape[2], keep)
        start, state = hidden.to(kind), hidden.clone()
        packed, back, ctx.place = pack(weight, kind, keep)
        _call("gru_forward", kind, shape, projected, packed, bias, start, outputs, state, gates)
        ctx.save_for_backward(back, start, outputs, gates)
        ctx.biased = bias is not None
        return outputs, state

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        packed, start, outputs, gates = ctx.saved_tensors
        d_outputs, d_hidden = _own(*gradients)
        units = outputs.shape[2]
        d_projected = outputs.new_empty(*outputs.shape[:2], 3 * units)
        d_recurrent = torch.empty_like(d_projected)
        _call(
            "gru_backward",
            gates.dtype,
            outputs.shape,
            *(packed, gates, outputs, start, d_outputs, d_projected, d_recurrent, d_hidden),
        )
        d_weight = weight_gradient(ctx.place, d_recurrent, start, outputs)
        d_bias = d_recurrent[..., 2 * units :].float().sum((0, 1)) if ctx.biased else None
        return d_projected, d_weight, d_bias, d_hidden, None


class Elman(Function):
    """Projected (T, B, H), weight (H, H), h (B, H), tanh or relu -> outputs (T, B, H), h."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, weight: Tensor, hidden: Tensor, activation: str, keep: bool
    ) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        shape, kind = _shape(projected, weight), projected.dtype
        outputs, last, start = projected.new_empty(shape), torch.empty_like(hidden), hidden.to(kind)
        packed, back, ctx.place = pack(weight, kind, keep)
        _call(f"{activation}_forward", kind, shape, projected, packed, start, outputs, last)
        ctx.save_for_backward(back, start, outputs)
        ctx.activation = activation
        return outputs, last

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        packed, start, outputs = ctx.saved_tensors
        d_outputs, d_hidden = _own(*gradients)
        d_projected = torch.empty_like(outputs)
        _call(
            f"{ctx.activation}_backward",
            outputs.dtype,
            outputs.shape,
            *(packed, outputs, d_outputs, d_projected, d_hidden),
        )
        return d_projected, weight_gradient(ctx.place, d_projected, start, outputs), d_hidden, None, None


class Minimal(Function):
    """Projected (T, B, G*H), h (B, H), min_gru or min_lstm -> outputs (T, B, H) in fp32, h."""

    @staticmethod
    def forward(ctx: Any, projected: Tensor, hidden: Tensor, kind: str) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        shape = (*projected.shape[:2], hidden.shape[1])
        outputs = hidden.new_empty(shape)
        _call(f"{kind}_forward", projected.dtype, shape, projected, hidden, outputs)
        ctx.save_for_backward(projected, outputs, hidden)
        ctx.kind = kind
        return outputs, outputs[-1].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        projected, outputs, start = ctx.saved_tensors
        d_outputs, d_hidden = _own(*gradients)
        d_projected = torch.empty_like(projected)
        _call(
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
        _call("rg_lru_forward", projected.dtype, shape, projected, limits, hidden, outputs)
        ctx.save_for_backward(projected, limits, outputs, hidden)
        return outputs, outputs[-1].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        projected, limits, outputs, start = ctx.saved_tensors
        d_outputs, d_hidden = _own(*gradients)
        d_projected, d_limits = torch.empty_like(projected), torch.zeros_like(start)
        _call(
            "rg_lru_backward",
            projected.dtype,
            outputs.shape,
            *(projected, limits, outputs, start, d_outputs, d_projected, d_limits, d_hidden),
        )
        return d_projected, d_limits.sum(0), d_hidden


def _shape(projected: Tensor, weight: Tensor) -> tuple[int, int, int]:
    """Return T, B and H."""
    return projected.shape[0], projected.shape[1], weight.shape[1]


def _gates(projected: Tensor, width: int, keep: bool) -> Tensor | None:
    """Return room for the gates (T, B, width), where a backward pass will want them."""
    return projected.new_empty(*projected.shape[:2], width) if keep else None


def _own(d_outputs: Tensor, *d_state: Tensor) -> list[Tensor]:
    """Return gradients as they can be written to: those of the state are overwritten."""
    return [d_outputs.contiguous(), *(part.clone(memory_format=torch.contiguous_format) for part in d_state)]


def _call(name: str, kind: torch.dtype, shape: torch.Size | tuple[int, ...], *tensors: Tensor | None) -> None:
    """Call a function of the library on torch's threads."""
    steps, rows, units = shape
    sizes = (steps, ctypes.c_int64(rows), units, torch.get_num_threads())
    find_function(name, kind)(*sizes, *map(pointer, tensors))
