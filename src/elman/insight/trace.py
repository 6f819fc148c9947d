"""A network and a text in, each operation of a real run with its shapes out. Nothing is typed in.

The run goes by the reference loop, so that every operation of a cell is seen, and is recorded as torch
executes it: once character by character, once over the whole sequence.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from elman.cells import Cell, State
from elman.model import Network, running_by
from elman.model.stack import States
from elman.recurrence import reference

# torch's functions by the names that equations have; what only moves numbers about is left out
NAMES = {
    "embedding": "embedding",
    "one_hot": "one-hot",
    "linear": "linear",
    "matmul": "matrix product",
    "__matmul__": "matrix product",
    "relu": "relu",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "log_sigmoid": "log sigmoid",
    "exp": "exp",
    "expm1": "exp - 1",
    "sqrt": "square root",
    "layer_norm": "layer norm",
    "add": "add",
    "__add__": "add",
    "__radd__": "add",
    "mul": "multiply",
    "__mul__": "multiply",
    "softmax": "softmax",
    "argmax": "argmax",
}
Shape = tuple[int, ...]


class Operation(NamedTuple):
    """One operation as torch executed it."""

    place: str  # input, layer 1, layer 1 backward, output
    name: str
    inputs: tuple[Shape, ...]
    output: Shape
    values: list[Any] | None  # the output as nested lists, where they are asked for


class Flow(NamedTuple):
    """One run: of a single step, or of the whole sequence."""

    title: str
    ids: Shape
    operations: list[Operation]
    outputs: Shape  # of the last layer: (T, B, H)
    states: dict[str, Shape]  # after the last step, by layer, direction and part: (B, H)
    predicted: list[str]  # the likeliest token after each step; of two streams, at it


class Trace(NamedTuple):
    """What a network does with a text."""

    pieces: list[str]  # the tokens of the text
    rows: int
    steps: list[Flow]  # for each character, B rows of it; none where later characters are seen
    sequence: Flow  # all T steps at once
    path: list[Shape]  # of one prediction: (B, T) ids, (B, D) input, (B, H) hidden, (B, V) logits
    predicted: str  # the likeliest token after the text; of two streams, in place of the last one
    probability: float
    two_stream: bool  # each prediction is made of what one stream reads before it and the other after it

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, for JSON."""
        return {
            **self._asdict(),
            "steps": [_flow(flow) for flow in self.steps],
            "sequence": _flow(self.sequence),
        }


def trace(
    network: Network, ids: Sequence[int], pieces: Sequence[str], rows: int = 1, values: bool = False
) -> Trace:
    """Run a network on token ids (T,), the same in `rows` rows, and record what happens.

    `pieces` (V,) are the texts of the tokens. The network's weights, mode and path stay as they are.
    """
    recorder = _Recorder(network, pieces, values)
    column = torch.tensor(ids)[:, None].expand(-1, rows)  # (T, B)
    with running_by(recorder.unroll, network), torch.no_grad():
        states, steps = network.initial_state(rows), []
        for place, token in enumerate(() if network.sees_ahead else ids):
            here, title = column[place : place + 1], f"step {place + 1}: {pieces[token]!r}"
            flow, states, _ = recorder.run(title, here, states)
            steps.append(flow)
        sequence, _, probabilities = recorder.run("the sequence", column, network.initial_state(rows))
    inside = next(op.output for op in sequence.operations if op.place == "input")
    best = int(probabilities.argmax())
    return Trace(
        [pieces[token] for token in ids],
        rows,
        steps,
        sequence,
        [(rows, len(ids)), inside[1:], sequence.outputs[1:], sequence.operations[-2].output[1:]],
        pieces[best],
        float(probabilities[best]),
        network.settings.two_stream,
    )


class _Recorder(TorchFunctionMode):
    """Notes torch's functions as they are called, with the part of the network that calls them."""

    def __init__(self, network: Network, pieces: Sequence[str], values: bool) -> None:
        super().__init__()
        self._network, self._pieces, self._values = network, pieces, values
        cells = [cell for stack in network.stacks for cell in stack.cells]
        self._places = {id(cell): name for cell, name in zip(cells, self._names(), strict=True)}
        self._operations: list[Operation] = []
        self._place = "input"

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        name = NAMES.get(getattr(function, "__name__", ""))
        if name and isinstance(output, Tensor):
            inputs = tuple(_shape(value) for value in args if isinstance(value, Tensor))
            values = output.tolist() if self._values else None
            self._operations.append(Operation(self._place, name, inputs, _shape(output), values))
        return output

    def unroll(self, cell: Cell, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Run a cell by the reference loop, and note that it was this one."""
        self._place = self._places[id(cell)]
        return reference.unroll(cell, x, state)

    def run(self, title: str, ids: Tensor, states: States) -> tuple[Flow, States, Tensor]:
        """Run ids (T, B) from states on; also return the states and the last probabilities (V,)."""
        self._operations, self._place = [], "input"
        seen: list[Shape] = []

        def end_of_layers(*hooked: Any) -> None:
            seen.append(_shape(hooked[2]))
            self._place = "output"

        handle = self._network.dropout.register_forward_hook(end_of_layers)
        with self:
            logits, after = self._network(ids, states)
            probabilities = torch.softmax(logits, dim=-1)
            best = torch.argmax(probabilities, dim=-1)  # (T, B)
        handle.remove()
        flat = len(ids) == 1  # one step: the axis of time says nothing
        operations = [_without_time(op) for op in self._operations] if flat else self._operations
        shapes = {
            f"{name} {part}": _shape(tensor)
            for name, state in zip(self._names(), after, strict=True)
            for part, tensor in zip(state._fields, state, strict=True)
        }
        predicted = [self._pieces[token] for token in best[:, 0].tolist()]
        flow = Flow(title, _shape(ids), operations, seen[0], shapes, predicted)
        return flow, after, probabilities[-1, 0]

    def _names(self) -> list[str]:
        layers = [f"layer {layer + 1}" for layer in range(self._network.settings.layers)]
        turns = ("forward", "backward")
        if self._network.settings.two_stream:
            return [f"{layer} {turn}" for turn in turns for layer in layers]
        if self._network.settings.bidirectional:
            return [f"{layer} {turn}" for layer in layers for turn in turns]
        return layers


def _flow(flow: Flow) -> dict[str, Any]:
    return {**flow._asdict(), "operations": [operation._asdict() for operation in flow.operations]}


def _shape(tensor: Tensor) -> Shape:
    return tuple(tensor.shape)


def _without_time(operation: Operation) -> Operation:
    """Leave out the axis of time where it has one step: (1, B, H) -> (B, H)."""
    shapes = [shape[1:] if len(shape) == 3 and shape[0] == 1 else shape for shape in operation.inputs]
    output = operation.output
    return operation._replace(
        inputs=tuple(shapes), output=output[1:] if len(output) == 3 and output[0] == 1 else output
    )
