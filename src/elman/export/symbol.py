"""Stand-ins for tensors: a network runs on them as it is, and each of its operations becomes an ONNX node.

So no equation is written a second time. Axes: T steps, B rows, D width in, N width out, V vocabulary.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from elman.errors import ExportError

from .quantization import INT8_FROM, quantize_rows
from .writer import CONTRIBUTED, FAR, Writer


class Lookup(NamedTuple):
    """Rows of a table (V, D), by ids."""

    ids: str
    table: Tensor


class Symbol:
    """A tensor that is not there yet. Rows that are looked up are written down only where they are needed."""

    def __init__(self, writer: Writer, name: str = "", lookup: Lookup | None = None) -> None:
        self.writer, self._name, self.lookup = writer, name, lookup

    @property
    def name(self) -> str:
        """What the graph calls it."""
        if not self._name and self.lookup is not None:
            self._name = self.writer.add(
                "Gather", self.writer.constant(self.lookup.table.numpy()), self.lookup.ids
            )
        return self._name

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _write(getattr(function, "__name__", str(function)), args, kwargs or {})

    def __getitem__(self, place: Any) -> "Symbol":
        result: Symbol = _write("getitem", (self, place), {})
        return result

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: _write(name, (self, *args), kwargs)


def _operator(name: str) -> Callable[..., Any]:
    return lambda *args: _write(name, args, {})


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "matmul", "rmatmul"):
    setattr(Symbol, f"__{_name}__", _operator(_name))


def _write(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Write the node of a torch function."""
    form = FORMS.get(name.strip("_"))
    if form is None:
        raise ExportError(
            f"the model uses {name}, which elman cannot write as ONNX; expected one of "
            f"{', '.join(sorted(FORMS))}"
        )
    symbol = next(
        part
        for arg in args
        for part in (arg if isinstance(arg, list | tuple) else [arg])
        if isinstance(part, Symbol)
    )
    return form(symbol.writer, *args, **kwargs)


def _name_of(writer: Writer, value: Any) -> str:
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, Tensor):
        return writer.constant(value.detach().cpu().numpy())
    return writer.constant(value, "float32")


def _elementwise(operator: str, swapped: bool = False) -> Callable[..., Symbol]:
    def form(writer: Writer, *values: Any) -> Symbol:
        names = [_name_of(writer, value) for value in (reversed(values) if swapped else values)]
        return Symbol(writer, writer.add(operator, *names))

    return form


def _product(writer: Writer, x: Symbol, weight: Tensor) -> Symbol:
    """x (..., D) times weight (N, D), transposed: (..., N). Large weights in 8 bits where that is wanted."""
    array = weight.detach().cpu().numpy()
    if writer.int8 and array.size >= INT8_FROM:
        rows = quantize_rows(array)
        name = writer.add(
            "MatMulNBits",
            x.name,
            writer.constant(rows.numbers),
            writer.constant(rows.scales),
            domain=CONTRIBUTED,
            K=array.shape[1],
            N=array.shape[0],
            bits=8,
            block_size=rows.block,
            accuracy_level=4,  # sums in integers
        )
        return Symbol(writer, name)
    return Symbol(writer, writer.add("MatMul", x.name, writer.constant(array.T)))


def _matmul(writer: Writer, x: Symbol, y: Any) -> Symbol:
    if isinstance(y, Tensor):
        return _product(writer, x, y.T)
    return Symbol(writer, writer.add("MatMul", x.name, y.name))


def _linear(writer: Writer, x: Symbol, weight: Tensor, bias: Tensor | None = None) -> Any:
    product = _product(writer, x, weight)
    return product if bias is None else FORMS["add"](writer, product, bias)


def _embedding(
    writer: Writer,
    ids: Symbol,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    *_: Any,
    **__: Any,
) -> Symbol:
    table = weight.detach().cpu()
    if max_norm is not None:  # torch shortens the rows that are looked up, when they are
        norms = table.norm(norm_type, dim=1, keepdim=True)
        table = torch.where(norms > max_norm, table * (max_norm / (norms + 1e-7)), table)
    return Symbol(writer, lookup=Lookup(ids.name, table))


def _layer_norm(
    writer: Writer, x: Symbol, shape: Sequence[int], weight: Tensor, bias: Tensor, eps: float
) -> Symbol:
    if x.lookup is not None:  # row by row: the table itself
        table = torch.nn.functional.layer_norm(x.lookup.table, tuple(shape), weight.cpu(), bias.cpu(), eps)
        return Symbol(writer, lookup=x.lookup._replace(table=table.detach()))
    names = [_name_of(writer, value) for value in (x, weight, bias)]
    return Symbol(writer, writer.add("LayerNormalization", *names, axis=-1, epsilon=eps))


def _one_hot(writer: Writer, ids: Symbol, classes: int) -> Symbol:
    return Symbol(writer, lookup=Lookup(ids.name, torch.eye(classes)))


def _getitem(writer: Writer, x: Symbol, place: Any) -> Symbol:
    if place is None:
        return Symbol(writer, writer.add("Unsqueeze", x.name, writer.constant([0], "int64")))
    if isinstance(place, int):
        return Symbol(writer, writer.add("Gather", x.name, writer.constant(place, "int64")))
    if place.start in (None, 0) and place.stop is None:
        return x
    return Symbol(writer, writer.slice(x.name, place.start or 0, place.stop))


def _flip(writer: Writer, x: Symbol, dim: int) -> Symbol:
    return Symbol(writer, writer.slice(x.name, -1, -FAR, dim, -1))


def _chunk(writer: Writer, x: Symbol, chunks: int, dim: int = 0) -> list[Symbol]:
    names = writer.add_many("Split", [x.name], chunks, axis=dim, num_outputs=chunks)
    return [Symbol(writer, name) for name in names]


def _cat(writer: Writer, parts: Sequence[Symbol], dim: int = 0) -> Symbol:
    return Symbol(writer, writer.add("Concat", *(_name_of(writer, part) for part in parts), axis=dim))


def _expm1(writer: Writer, x: Symbol) -> Symbol:
    """exp(x) - 1 = 2 t / (1 - t)   t = tanh(x / 2): nothing is lost near zero."""
    t = writer.add("Tanh", writer.add("Mul", x.name, writer.constant(0.5, "float32")))
    one, two = (writer.constant(n, "float32") for n in (1, 2))
    return Symbol(writer, writer.add("Div", writer.add("Mul", t, two), writer.add("Sub", one, t)))


def _log_sigmoid(writer: Writer, x: Symbol) -> Symbol:
    """log sigmoid(x) = -log(1 + exp(-x))."""
    return Symbol(writer, writer.add("Neg", writer.add("Softplus", writer.add("Neg", x.name))))


def _same(writer: Writer, x: Symbol, *_: Any, **__: Any) -> Symbol:
    return x


def _transpose(writer: Writer, x: Symbol, first: int, second: int) -> Symbol:
    assert {first, second} == {0, 1}, "only steps and rows are ever exchanged"
    return Symbol(writer, writer.add("Transpose", x.name, perm=[1, 0, 2]))


# torch's functions by name, and what writes them down
FORMS: dict[str, Callable[..., Any]] = {
    "add": _elementwise("Add"),
    "radd": _elementwise("Add", swapped=True),
    "sub": _elementwise("Sub"),
    "rsub": _elementwise("Sub", swapped=True),
    "mul": _elementwise("Mul"),
    "rmul": _elementwise("Mul", swapped=True),
    "sigmoid": _elementwise("Sigmoid"),
    "tanh": _elementwise("Tanh"),
    "relu": _elementwise("Relu"),
    "exp": _elementwise("Exp"),
    "expm1": _expm1,
    "log_sigmoid": _log_sigmoid,
    "sqrt": _elementwise("Sqrt"),
    "matmul": _matmul,
    "linear": _linear,
    "embedding": _embedding,
    "one_hot": _one_hot,
    "layer_norm": _layer_norm,
    "getitem": _getitem,
    "flip": _flip,
    "chunk": _chunk,
    "cat": _cat,
    "transpose": _transpose,
    "dropout": _same,  # of a network that is not training
    "to": _same,
}
