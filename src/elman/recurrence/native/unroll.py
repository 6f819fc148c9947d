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
    State,
)

from .library import CannotCompileError, find_function, lanes, pointer

SERVED = (ElmanTanhCell, ElmanReluCell, GRUCell, LSTMCell, MinGRUCell, MinLSTMCell)


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
    elif isinstance(cell, LinearCell):
        function, given = Minimal, (hidden, "min_lstm" if isinstance(cell, MinLSTMCell) else "min_gru")
    else:
        kind = "relu" if isinstance(cell, ElmanReluCell) else "tanh"
        function, given = Elman, (cell.recurrent_weight, hidden, kind)
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
        packed = _pack_gates(weight, kind)
        _call("lstm_forward", kind, shape, projected, packed, start, memory, outputs, last, memories, gates)
        ctx.save_for_backward(weight, start, memory, outputs, memories, gates)
        return outputs, last, memories[-1].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        weight, start, memory, outputs, memories, gates = ctx.saved_tensors
        d_outputs, d_hidden, d_memory = _own(*gradients)
        d_projected, packed = torch.empty_like(gates), _pack_columns(weight, gates.dtype)
        _call(
            "lstm_backward",
            gates.dtype,
            outputs.shape,
            *(packed, gates, memories, memory, d_outputs, d_projected, d_hidden, d_memory),
        )
        return d_projected, _weight_gradient(d_projected, start, outputs), d_hidden, d_memory, None


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
        packed = _pack_gates(weight, kind)
        _call("gru_forward", kind, shape, projected, packed, bias, start, outputs, state, gates)
        ctx.save_for_backward(weight, start, outputs, gates)
        ctx.biased = bias is not None
        return outputs, state

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        weight, start, outputs, gates = ctx.saved_tensors
        d_outputs, d_hidden = _own(*gradients)
        units = outputs.shape[2]
        d_projected = outputs.new_empty(*outputs.shape[:2], 3 * units)
        d_recurrent, packed = torch.empty_like(d_projected), _pack_columns(weight, gates.dtype)
        _call(
            "gru_backward",
            gates.dtype,
            outputs.shape,
            *(packed, gates, outputs, start, d_outputs, d_projected, d_recurrent, d_hidden),
        )
        d_weight = _weight_gradient(d_recurrent, start, outputs)
        d_bias = d_recurrent[..., 2 * units :].float().sum((0, 1)) if ctx.biased else None
        return d_projected, d_weight, d_bias, d_hidden, None


class Elman(Function):
    """Projected (T, B, H), weight (H, H), h (B, H), tanh or relu -> outputs (T, B, H), h."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, weight: Tensor, hidden: Tensor, activation: str
    ) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        shape, kind = _shape(projected, weight), projected.dtype
        outputs, last, start = projected.new_empty(shape), torch.empty_like(hidden), hidden.to(kind)
        packed = _pack_rows(weight, kind)
        _call(f"{activation}_forward", kind, shape, projected, packed, start, outputs, last)
        ctx.save_for_backward(weight, start, outputs)
        ctx.activation = activation
        return outputs, last

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        weight, start, outputs = ctx.saved_tensors
        d_outputs, d_hidden = _own(*gradients)
        d_projected, packed = torch.empty_like(outputs), _pack_columns(weight, outputs.dtype)
        _call(
            f"{ctx.activation}_backward",
            outputs.dtype,
            outputs.shape,
            *(packed, outputs, d_outputs, d_projected, d_hidden),
        )
        return d_projected, _weight_gradient(d_projected, start, outputs), d_hidden, None


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


def _shape(projected: Tensor, weight: Tensor) -> tuple[int, int, int]:
    """Return T, B and H."""
    return projected.shape[0], projected.shape[1], weight.shape[1]


def _gates(projected: Tensor, width: int, keep: bool) -> Tensor | None:
    """Return room for the gates (T, B, width), where a backward pass will want them."""
    return projected.new_empty(*projected.shape[:2], width) if keep else None


def _own(d_outputs: Tensor, *d_state: Tensor) -> list[Tensor]:
    """Return gradients as they can be written to: those of the state are overwritten."""
    return [d_outputs.contiguous(), *(part.clone(memory_format=torch.contiguous_format) for part in d_state)]


def _weight_gradient(d_products: Tensor, start: Tensor, outputs: Tensor) -> Tensor:
    """Return the gradient (G*H, H) of the recurrent weight, in one product over all steps and rows."""
    before = torch.cat([start[None], outputs[:-1]])
    return (d_products.flatten(0, 1).T @ before.flatten(0, 1)).float()


def _pack_gates(weight: Tensor, kind: torch.dtype) -> Tensor:
    """Pack (G*H, H) so that all gates of a unit stand side by side."""
    gates, units = weight.shape[0] // weight.shape[1], weight.shape[1]
    return _pack("pack_gates", weight.contiguous(), kind, gates, units)


def _pack_rows(weight: Tensor, kind: torch.dtype) -> Tensor:
    """Pack (H, H), whose sums are over the inputs."""
    units = ctypes.c_int64(weight.shape[1])
    return _pack("pack_adjacent", weight.contiguous(), kind, *weight.shape, units, ctypes.c_int64(1))


def _pack_columns(weight: Tensor, kind: torch.dtype) -> Tensor:
    """Pack (G*H, H) transposed: sums over gates."""
    width, units = weight.shape
    return _pack(
        "pack_adjacent", weight.contiguous(), kind, units, width, ctypes.c_int64(1), ctypes.c_int64(units)
    )


def _pack(name: str, weight: Tensor, kind: torch.dtype, *order: object) -> Tensor:
    """Return weights in the order in which they are read, as products.h says."""
    packed = torch.empty(weight.numel(), dtype=kind)
    find_function(name, kind)(pointer(weight), pointer(packed), *order, torch.get_num_threads())
    return packed


def _call(name: str, kind: torch.dtype, shape: torch.Size | tuple[int, ...], *tensors: Tensor | None) -> None:
    """Call a function of the library on torch's threads; each takes a row at least."""
    steps, rows, units = shape
    threads = min(torch.get_num_threads(), rows)
    sizes = (steps, ctypes.c_int64(rows), units, threads)
    find_function(name, kind)(*sizes, *map(pointer, tensors))
