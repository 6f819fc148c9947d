"""A network in, one ONNX graph out that reads whole windows and writes on by itself.

    ids (T, B), states (B, H)      -> logits (T, B, V), next states
    and where uniforms are given (N, B): the tokens drawn with them (N, B), the logits of all T + N - 1 tokens
    read, and the states before the last token drawn, which is to be read next

so that many tokens cost one call. A loop draws as `elman.engine.draw` does. Axes: T steps read, N tokens
drawn, B rows, H hidden units, V vocabulary.
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, TensorProto, helper
from torch import Tensor

from elman.cells import Cell, State
from elman.model import Network, running_by
from elman.recurrence import Unroll

from .symbol import Symbol
from .writer import CONTRIBUTED, IR_VERSION, OPSET, Nodes, Writer

FLOAT, DOUBLE, INT64, BOOL = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.BOOL


def export(network: Network, int8: bool = False) -> bytes:
    """Return a network as an ONNX model. Its weights, mode and path stay as they are.

    Raises:
        ExportError: a cell uses an operation that has no ONNX form here.
    """
    if network.device.type != "cpu":
        network = copy.deepcopy(network).cpu()
    content: bytes = _Export(network, Writer(int8)).model().SerializeToString()
    return content


class _Export:
    def __init__(self, network: Network, writer: Writer) -> None:
        self.network, self.writer = network, writer
        zeros = network.initial_state(1)
        self.types = [type(state) for state in zeros]
        self.parts = [
            (f"state.{n}.{field}", part.shape[1])
            for n, state in enumerate(zeros)
            for field, part in zip(state._fields, state, strict=True)
        ]

    def model(self) -> ModelProto:
        """Write the whole graph."""
        writer, vocabulary = self.writer, self.network.vocabulary_size
        states = [name for name, _ in self.parts]
        logits, after = self._run(self._scan, "ids", states)
        inputs = [helper.make_tensor_value_info("ids", INT64, ["T", "B"]), *self._states("")]
        outputs = [
            helper.make_tensor_value_info("logits", FLOAT, ["read", "B", vocabulary]),
            *self._states("next."),
        ]
        if self.network.sees_ahead:
            results = [logits, *after]
        else:
            results, optional = self._written(logits, after)
            inputs += optional
            outputs.insert(1, helper.make_tensor_value_info("drawn", INT64, ["N", "B"]))
        for result, output in zip(results, outputs, strict=True):
            writer.alias(result, output.name)
        graph = helper.make_graph(writer.nodes, "elman", inputs, outputs, writer.weights)
        operators = [helper.make_opsetid("", OPSET)]
        if writer.int8:
            operators.append(helper.make_opsetid(CONTRIBUTED, 1))
        return helper.make_model(graph, opset_imports=operators, ir_version=IR_VERSION, producer_name="elman")

    def _states(self, prefix: str) -> list[Any]:
        return [helper.make_tensor_value_info(prefix + name, FLOAT, ["B", size]) for name, size in self.parts]

    def _run(self, unroll: Unroll, ids: str, states: list[str]) -> tuple[str, list[str]]:
        """Let the network run on symbols: the names of logits (T, B, V) and of the next states."""
        names = iter(states)
        symbols = tuple(
            kind(*(Symbol(self.writer, next(names)) for _ in kind._fields)) for kind in self.types
        )
        with running_by(unroll, self.network):
            logits, after = self.network(Symbol(self.writer, ids), symbols)
        return logits.name, [part.name for state in after for part in state]

    def _scan(self, cell: Cell, x: Any, state: State) -> tuple[Any, State]:
        """A recurrence path: all steps, as a loop in the graph."""
        writer, kind = self.writer, type(state)
        projected, before = project(cell, x), [writer.name("before") for _ in state]
        step_input, outputs = writer.name("projected"), [writer.name("after") for _ in (*state, "output")]
        with writer.body() as nodes:
            after = cell.step(_symbol(writer, step_input), kind(*(Symbol(writer, name) for name in before)))
            for part, name in zip((*after, cell.output(after)), outputs, strict=True):
                writer.alias(part.name, name)
        kept = (FLOAT, ["B", cell.hidden_size])
        body = _body(
            "step",
            nodes,
            [*_named(before, [kept] * len(before)), (step_input, FLOAT, None)],
            _named(outputs, [kept] * len(outputs)),
        )
        *after_all, sequence = writer.add_many(
            "Scan",
            [*(part.name for part in state), projected.name],
            len(outputs),
            body=body,
            num_scan_inputs=1,
        )
        return Symbol(writer, sequence), kind(*(Symbol(writer, name) for name in after_all))

    def _one_step(self, cell: Cell, x: Any, state: State) -> tuple[Any, State]:
        """A recurrence path: one step, in line."""
        after = cell.step(project(cell, x)[0], state)
        return cell.output(after)[None], after

    def _written(self, logits: str, states: list[str]) -> tuple[list[str], list[Any]]:
        """Draw tokens where uniforms are given, each read before the next is drawn."""
        writer, vocabulary = self.writer, self.network.vocabulary_size
        optional: list[tuple[str, NDArray[Any], list[Any]]] = [
            ("uniforms", np.zeros((0, 1, 1)), ["N", "rows", 1]),
            ("temperature", np.ones((1, 1)), ["rows", 1]),
            ("bias", np.zeros((1, vocabulary), dtype=np.float32), ["rows", vocabulary]),
        ]
        infos = []
        for name, default, shape in optional:
            kind = helper.np_dtype_to_tensor_dtype(default.dtype)
            infos.append(helper.make_tensor_value_info(name, kind, shape))
            writer.weights.append(helper.make_tensor(name, kind, default.shape, default.flatten()))
        zero, one = (writer.constant([n], "int64") for n in (0, 1))
        count = writer.add("Shape", "uniforms", start=0, end=1)

        given, nothing = writer.name("drawn"), writer.name("drawn")
        with writer.body() as drawing:
            last = writer.slice(logits, -1)
            writer.alias(self._draw(last, writer.slice("uniforms", 0, 1)), given)
        with writer.body() as reading:
            writer.alias(writer.slice("ids", 0, 0), nothing)
        (first,) = writer.add_many(
            "If",
            [writer.add("Greater", count, zero)],
            1,
            then_branch=_body("draw", drawing, [], [(given, INT64, ["n", "B"])]),
            else_branch=_body("read", reading, [], [(nothing, INT64, ["n", "B"])]),
        )
        # not inside a branch: ONNX Runtime prepares the weights of bodies of the first level only
        turns = writer.add("Max", writer.add("Sub", count, one), zero)
        start = writer.slice(writer.add("Concat", "ids", first, axis=0), -1)
        rest = writer.slice("uniforms", 1)
        _, *after, tokens, rows = self._loop(turns, start, states, rest)
        read = writer.add("Concat", logits, writer.add("Squeeze", rows, one), axis=0)
        return [read, writer.add("Concat", first, writer.add("Squeeze", tokens, one), axis=0), *after], infos

    def _loop(self, turns: str, start: str, states: list[str], uniforms: str) -> list[str]:
        """Read the token before, draw the next: the last token (1, B), states, all tokens, all logits."""
        writer, vocabulary = self.writer, self.network.vocabulary_size
        turn, go_on, token = (writer.name(hint) for hint in ("turn", "go_on", "token"))
        before = [writer.name("before") for _ in states]
        outputs = [writer.name("after") for _ in range(len(states) + 4)]
        with writer.body() as nodes:
            logits, after = self._run(self._one_step, token, before)
            drawn = self._draw(logits, writer.add("Gather", uniforms, turn))
            for value, name in zip((go_on, drawn, *after, drawn, logits), outputs, strict=True):
                writer.alias(value, name)
        floats = [(FLOAT, ["B", size]) for _, size in self.parts]
        body = _body(
            "write",
            nodes,
            [(turn, INT64, []), (go_on, BOOL, []), (token, INT64, [1, "B"]), *_named(before, floats)],
            [
                (outputs[0], BOOL, []),
                (outputs[1], INT64, [1, "B"]),
                *_named(outputs[2:-2], floats),
                (outputs[-2], INT64, [1, "B"]),
                (outputs[-1], FLOAT, [1, "B", vocabulary]),
            ],
        )
        return writer.add_many("Loop", [turns, "", start, *states], len(outputs) - 1, body=body)

    def _draw(self, logits: str, uniforms: str) -> str:
        """Draw one token for each row of logits (1, B, V) by the inverse of its distribution: (1, B)."""
        writer = self.writer
        scores = writer.add("Cast", writer.add("Add", logits, "bias"), to=DOUBLE)
        shares = writer.add("Softmax", writer.add("Div", scores, "temperature"), axis=-1)
        summed = writer.add("CumSum", shares, writer.constant(-1, "int64"))
        below = writer.add("Cast", writer.add("LessOrEqual", summed, uniforms), to=INT64)
        drawn = writer.add("ReduceSum", below, writer.constant([-1], "int64"), keepdims=0)
        return writer.add("Min", drawn, writer.constant(self.network.vocabulary_size - 1, "int64"))


Info = tuple[str, int, list[Any] | None]  # of a value: name, type and shape


def _named(names: Sequence[str], kinds: Sequence[tuple[int, list[Any] | None]]) -> list[Info]:
    return [(name, *kind) for name, kind in zip(names, kinds, strict=True)]


def _body(name: str, nodes: Nodes, inputs: Sequence[Info], outputs: Sequence[Info]) -> GraphProto:
    before, after = ([helper.make_tensor_value_info(*info) for info in side] for side in (inputs, outputs))
    return helper.make_graph(nodes, name, before, after)


def _symbol(writer: Writer, name: str) -> Any:
    return Symbol(writer, name)  # a cell takes it for a tensor


def project(cell: Cell, x: Any) -> Any:
    """Do the input products: on the table where rows are looked up and it is no larger than what recurs."""
    if x.lookup is not None:
        rows, width = x.lookup.table.shape
        one_hot = rows == width
        if one_hot or rows <= cell.hidden_size:
            with torch.no_grad():
                table: Tensor = cell.project(x.lookup.table)
            return Symbol(x.writer, lookup=x.lookup._replace(table=table))
    return cell.project(x)
