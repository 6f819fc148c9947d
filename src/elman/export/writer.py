"""ONNX nodes under way: names, the weights they share, the bodies of loops. Knows no torch and no cells."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

OPSET, IR_VERSION = 18, 9
FAR = 2**62  # beyond the end of any axis
CONTRIBUTED = "com.microsoft"  # operators that ONNX Runtime adds to those of ONNX

Nodes = list[onnx.NodeProto]


class Writer:
    """Collects nodes; within `body`, those of a graph inside the graph.

    Values are known by name. Weights stand once, in the outermost graph, whoever uses them.
    """

    def __init__(self, int8: bool = False) -> None:
        self.int8 = int8  # whether large weights are kept in 8 bits
        self.weights: list[onnx.TensorProto] = []
        self.nodes: Nodes = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}  # names of weights by their content
        self._names = 0

    def name(self, hint: str) -> str:
        """Return a name that nothing else has."""
        self._names += 1
        return f"{hint}.{self._names}"

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return its name."""
        return self.add_many(operator, inputs, 1, domain=domain, **attributes)[0]

    def add_many(
        self, operator: str, inputs: Sequence[str], outputs: int, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node with several outputs and return their names."""
        names = [self.name(operator.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, domain=domain, **attributes))
        return names

    def slice(self, value: str, start: int, stop: int | None = None, axis: int = 0, step: int = 1) -> str:
        """Add a node that takes a stretch of an axis, to its end where no stop is given."""
        bounds = (start, FAR if stop is None else stop, axis, step)
        return self.add("Slice", value, *(self.constant([bound], "int64") for bound in bounds))

    def alias(self, value: str, name: str) -> None:
        """Give a value another name."""
        self.nodes.append(helper.make_node("Identity", [value], [name]))

    def constant(self, values: Any, dtype: Any = None) -> str:
        """Return the name of an array that never changes. Equal ones are kept once."""
        array: NDArray[Any] = np.asarray(values, dtype=dtype, order="C")
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = self.name("weight" if array.ndim > 1 else "constant")
            self.weights.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]

    @contextmanager
    def body(self) -> Iterator[Nodes]:
        """Collect the nodes of a graph inside this one."""
        outer, self.nodes = self.nodes, []
        try:
            yield self.nodes
        finally:
            self.nodes = outer
