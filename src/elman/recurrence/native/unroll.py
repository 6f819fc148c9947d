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
from elman.recurrence.lookup import Lookup

from .inputs import Inputs, precision, project
from .library import CannotCompileError, lanes
from .window import Window, call, open_window

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


def unroll(cell: Cell, x: Tensor | Lookup, state: State) -> tuple[Tensor, State]:
    """Run a cell over a sequence: x (T, B, D) and a state -> outputs (T, B, H) and the state after the last
    step, in fp32.

    Raises:
        RuntimeError: a precision that this processor has no products for.
    """
    hidden = state[0].float().contiguous()
    function: Any  # torch has no types for `apply`
    given: tuple[Any, ...]
    if isinstance(cell, RGLRUCell):
        function, given = RGLRU, (*project(cell, x), cell.limits(), hidden)
    elif isinstance(cell, LinearCell):
        kind = "min_lstm" if isinstance(cell, MinLSTMCell) else "min_gru"
        function, given = Minimal, (*project(cell, x), hidden, kind)
    else:
        table, ids = x if isinstance(x, Lookup) else (x, x)
        weight, (steps, rows) = cell.recurrent_weight, ids.shape[:2]
        window = open_window(weight, precision(table), steps, rows, torch.is_grad_enabled())
        products = window.read(cell, x)
        if isinstance(cell, LSTMCell):
            function, given = LSTM, (products, window, weight, hidden, state.c)
        elif isinstance(cell, GRUCell):
            function, given = GRU, (products, window, weight, cell.candidate_bias, hidden)
        else:
            kind = "relu" if isinstance(cell, ElmanReluCell) else "tanh"
            function, given = Elman, (products, window, weight, hidden, kind)
    outputs, *after = function.apply(*given)
    return outputs, cell.state_type(*after)


class LSTM(Function):
    """What a window reads, the window, weight (4H, H), h and c (B, H) -> outputs (T, B, H), h and c."""

    @staticmethod
    def forward(
        ctx: Any, products: Tensor, window: Window, weight: Tensor, hidden: Tensor, memory: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Run all steps."""
        ctx.window = window
        kind, (steps, rows, units) = window.kind, window.shape
        states, memories = window.start(hidden, kind), window.start(memory, torch.float32)
        last = window.room(torch.float32, rows, units)
        gates = window.room(kind, steps, rows, 4 * units) if window.back is not None else None
        window.call("lstm_forward", *window.inputs, window.packed, states, last, memories, gates)
        ctx.save_for_backward(states, memories, gates)
        return window.own(states[1:]), window.keep(last), window.own(memories[-1]).clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        window, (states, memories, gates) = ctx.window, ctx.saved_tensors
        d_outputs, d_hidden, d_memory = window.bring(*_own(*gradients))
        d_products = window.room(window.kind, *gates.shape)
        tensors = (window.back, gates, memories, d_outputs, d_products, d_hidden, d_memory)
        window.call("lstm_backward", *tensors)
        d_weight = window.weight_gradient(d_products, states)
        return window.input_gradient(d_products), None, d_weight, window.own(d_hidden), window.own(d_memory)


class GRU(Function):
    """What a window reads, the window, weight (3H, H), the candidate's bias (H,) or None, h (B, H) -> outputs
    (T, B, H), h.
    """

    @staticmethod
    def forward(
        ctx: Any, products: Tensor, window: Window, weight: Tensor, bias: Tensor | None, hidden: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        ctx.window = window
        kind, (steps, rows, units) = window.kind, window.shape
        states, (state,) = window.start(hidden, kind), window.bring(hidden.clone())
        gates = window.room(kind, steps, rows, 4 * units) if window.back is not None else None
        window.call("gru_forward", *window.inputs, window.packed, bias, states, state, gates)
        ctx.save_for_backward(states, gates)
        ctx.biased = bias is not None
        return window.own(states[1:]), window.keep(state)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        window, (states, gates) = ctx.window, ctx.saved_tensors
        d_outputs, d_hidden = window.bring(*_own(*gradients))
        steps, rows, units = window.shape
        d_products, d_recurrent = (window.room(window.kind, steps, rows, 3 * units) for _ in range(2))
        tensors = (window.back, gates, states, d_outputs, d_products, d_recurrent, d_hidden)
        window.call("gru_backward", *tensors)
        d_weight = window.weight_gradient(d_recurrent, states)
        candidate = d_recurrent[..., 2 * units :]
        d_bias = window.own(candidate).float().sum((0, 1)) if ctx.biased else None
        return window.input_gradient(d_products), None, d_weight, d_bias, window.own(d_hidden)


class Elman(Function):
    """What a window reads, the window, weight (H, H), h (B, H), tanh or relu -> outputs (T, B, H), h."""

    @staticmethod
    def forward(
        ctx: Any, products: Tensor, window: Window, weight: Tensor, hidden: Tensor, activation: str
    ) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        ctx.window = window
        states, last = window.start(hidden, window.kind), window.room(torch.float32, *window.shape[1:])
        window.call(f"{activation}_forward", *window.inputs, window.packed, states, last)
        ctx.save_for_backward(states)
        ctx.activation = activation
        return window.own(states[1:]), window.keep(last)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        window, (states,) = ctx.window, ctx.saved_tensors
        d_outputs, d_hidden = window.bring(*_own(*gradients))
        d_products = window.room(window.kind, *window.shape)
        window.call(f"{ctx.activation}_backward", window.back, states, d_outputs, d_products, d_hidden)
        d_weight = window.weight_gradient(d_products, states)
        return window.input_gradient(d_products), None, d_weight, window.own(d_hidden), None


class Minimal(Function):
    """Products (T, B, G*H), or (V, G*H) and tokens (T, B), h (B, H), min_gru or min_lstm -> outputs (T, B, H)
    in fp32, h.
    """

    @staticmethod
    def forward(
        ctx: Any, products: Tensor, tokens: Tensor | None, hidden: Tensor, kind: str
    ) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        inputs = Inputs(products, tokens)
        states = _start(inputs, hidden)
        call(f"{kind}_forward", products.dtype, (*inputs.shape, hidden.shape[1]), *inputs, states)
        ctx.save_for_backward(*inputs, states)
        ctx.kind = kind
        return states[1:], states[-1].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        *inputs, states = ctx.saved_tensors
        d_outputs, d_hidden = _own(*gradients)
        d_products = inputs[0].new_empty(*d_outputs.shape[:2], inputs[0].shape[-1])
        tensors = (*inputs, states, d_outputs, d_products, d_hidden)
        call(f"{ctx.kind}_backward", d_products.dtype, d_outputs.shape, *tensors)
        return Inputs(*inputs).gradient(d_products), None, d_hidden, None


class RGLRU(Function):
    """Products (T, B, 3H), or (V, 3H) and tokens (T, B), limits (H,), h (B, H) -> outputs (T, B, H) in fp32,
    h.
    """

    @staticmethod
    def forward(
        ctx: Any, products: Tensor, tokens: Tensor | None, limits: Tensor, hidden: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Run all steps."""
        inputs, limits = Inputs(products, tokens), limits.float().contiguous()
        states = _start(inputs, hidden)
        call("rg_lru_forward", products.dtype, (*inputs.shape, hidden.shape[1]), *inputs, limits, states)
        ctx.save_for_backward(*inputs, limits, states)
        return states[1:], states[-1].clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Run all steps back."""
        *inputs, limits, states = ctx.saved_tensors
        d_outputs, d_hidden = _own(*gradients)
        d_products = inputs[0].new_empty(*d_outputs.shape[:2], inputs[0].shape[-1])
        d_limits = torch.zeros_like(d_hidden)
        tensors = (*inputs, limits, states, d_outputs, d_products, d_limits, d_hidden)
        call("rg_lru_backward", d_products.dtype, d_outputs.shape, *tensors)
        return Inputs(*inputs).gradient(d_products), None, d_limits.sum(0), d_hidden


def _start(inputs: Inputs, hidden: Tensor) -> Tensor:
    """Return room for the state before the first step, which it is given, and after each: (1 + T, B, H)."""
    states = hidden.new_empty(1 + inputs.shape[0], *hidden.shape)
    states[0] = hidden
    return states


def _own(d_outputs: Tensor, *d_state: Tensor) -> list[Tensor]:
    """Return gradients as they can be written to: those of the state are overwritten."""
    return [d_outputs.contiguous(), *(part.clone(memory_format=torch.contiguous_format) for part in d_state)]
