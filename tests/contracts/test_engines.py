"""The contract of engines: an exported network equals the network it was made of, whatever it is made of."""

from contextlib import suppress
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper

from elman.cells import CELLS
from elman.config import ModelSettings, settings_from
from elman.engine import Draws, draw, write_by_steps
from elman.engine.external import holds_external_data
from elman.engine.onnx import OnnxEngine
from elman.errors import ExportError, FolderError
from elman.export import export
from elman.export.quantization import quantize_rows
from elman.export.symbol import Symbol
from elman.export.writer import Writer
from elman.model import Network, TorchEngine
from elman.recipes import load_recipe, recipe_names

V = 23
SHAPES = [
    *({"cell": cell} for cell in CELLS),
    {"cell": "lstm", "layers": 3, "embedding_size": None},
    {"cell": "gru", "layers": 2, "bias": False},
    {"cell": "gru", "embedding_size": 200, "batch_first": True},  # too wide to be folded into a table
    {"cell": "lstm", "tied": True, "embedding_size": 24},
    {"cell": "rnn-tanh", "hidden_size": 8, "max_norm": 0.5, "padding_idx": 0},
    {"cell": "gru", "bidirectional": True},
    {"cell": "lstm", "layers": 2, "two_stream": True},
    {"cell": "min-gru", "layers": 3, "residual": True, "embedding_size": 24},
    {"cell": "rg-lru", "layers": 2, "residual": True, "bidirectional": True},
    {"cell": "lstm", "layers": 2, "residual": True, "embedding_size": None},
]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def make(int8: bool = False, **options: object) -> tuple[Network, OnnxEngine]:
    torch.manual_seed(0)
    network = Network(ModelSettings(**{"hidden_size": 24, "embedding_size": 8, **options}), V)
    return network, OnnxEngine(export(network, int8))


def ids(steps: int, rows: int) -> np.ndarray:
    return np.random.default_rng(steps * rows).integers(V, size=(steps, rows))


def draws(count: int, temperatures: list[float], forbidden: int = 3) -> Draws:
    bias = np.zeros((1, V), dtype=np.float32)
    bias[:, forbidden] = -np.inf
    uniforms = np.random.default_rng(count).random((count, len(temperatures)))
    return Draws(uniforms, np.array(temperatures)[:, np.newaxis], bias)


@each_shape
def test_logits_and_states_are_those_of_torch(shape: dict) -> None:
    network, engine = make(**shape)
    expected = TorchEngine(network)
    state, reference = engine.initial_state(3), expected.initial_state(3)
    for window in (ids(9, 3), ids(1, 3), ids(4, 3)):
        logits, state = engine.feed(window, state)
        wanted, reference = expected.feed(window, reference)
        np.testing.assert_allclose(logits, wanted, rtol=0, atol=2e-6)
        for part, other in zip(state, reference, strict=True):
            np.testing.assert_allclose(part, other, rtol=0, atol=2e-6)


@each_shape
def test_what_is_written_in_one_call_is_what_torch_writes_step_by_step(shape: dict) -> None:
    network, engine = make(**shape)
    how = draws(30, [1.0, 0.5, 1e-30])
    written = engine.write(ids(5, 3), engine.initial_state(3), how)
    expected = write_by_steps(TorchEngine(network), ids(5, 3), engine.initial_state(3), how)
    np.testing.assert_array_equal(written.ids, expected.ids)
    assert 3 not in written.ids
    np.testing.assert_allclose(written.logits, expected.logits, rtol=0, atol=5e-6)
    assert written.logits.shape == (5 + 30 - 1, 3, V)
    for part, other in zip(written.state, expected.state, strict=True):
        np.testing.assert_allclose(part, other, rtol=0, atol=5e-6)


def test_many_tokens_are_written_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    _, engine = make(cell="lstm")
    monkeypatch.setattr(engine, "feed", None)
    assert engine.write(ids(4, 2), engine.initial_state(2), draws(50, [1.0, 1.0])).ids.shape == (50, 2)


def test_writing_goes_on_where_it_stopped() -> None:
    _, engine = make(cell="lstm")
    how = draws(12, [1.0])
    whole = engine.write(ids(4, 1), engine.initial_state(1), how)
    first = engine.write(ids(4, 1), engine.initial_state(1), how._replace(uniforms=how.uniforms[:5]))
    second = engine.write(first.ids[-1:], first.state, how._replace(uniforms=how.uniforms[5:]))
    np.testing.assert_array_equal(whole.ids, np.concatenate([first.ids, second.ids]))


def test_tokens_are_drawn_as_often_as_their_probabilities_say() -> None:
    logits = np.array([[1.0, 0.0, 2.0, -1.0]], dtype=np.float32)
    count = 20_000
    how = Draws(np.random.default_rng(0).random((count, 1)), np.ones((1, 1)), np.zeros((1, 4), np.float32))
    drawn = np.bincount([int(draw(logits, how, turn)[0]) for turn in range(count)], minlength=4)
    expected = torch.softmax(torch.tensor(logits[0]).double(), 0).numpy() * count
    assert ((drawn - expected) ** 2 / expected).sum() < 16.3  # chi-squared, 3 degrees: one in a thousand


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_exported(name: str) -> None:
    torch.manual_seed(0)
    network = Network(settings_from(load_recipe(name).layers(1_000_000, V)).model, V)
    engine, expected = OnnxEngine(export(network)), TorchEngine(network)
    logits, _ = engine.feed(ids(6, 2), engine.initial_state(2))
    wanted, _ = expected.feed(ids(6, 2), expected.initial_state(2))
    np.testing.assert_allclose(logits, wanted, rtol=0, atol=2e-5)


def test_exporting_leaves_the_network_as_it_was() -> None:
    network, _ = make(cell="gru", dropout=0.5)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    choice = network.stack.choice
    network.train()
    export(network, int8=True)
    assert network.training
    assert network.stack.choice is choice
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_an_operation_without_a_form_is_named() -> None:
    with pytest.raises(ExportError, match="the model uses logcumsumexp, which elman cannot write as ONNX"):
        torch.logcumsumexp(Symbol(Writer(), "x"), 0)


@pytest.mark.parametrize("width", [1, 127, 128, 300])
def test_eight_bits_are_wrong_by_half_a_step_at_most(width: int) -> None:
    weights = np.random.default_rng(width).normal(size=(7, width)).astype(np.float32)
    weights[3] = 0
    rows = quantize_rows(weights)
    back = (rows.numbers.astype(np.float32) - 128) * rows.scales[..., np.newaxis]
    back = back.reshape(7, -1)
    steps = np.repeat(rows.scales, rows.block, axis=1)[:, :width]
    assert (np.abs(back[:, :width] - weights) <= steps * (0.5 + 1e-3)).all()
    assert (back[:, width:] == 0).all()


@pytest.mark.parametrize("cell", CELLS)
def test_eight_bits_are_near_and_rows_do_not_touch_one_another(cell: str) -> None:
    """Each row of a batch gets what it gets beside any others, to the last bit, if their number is even."""
    torch.manual_seed(0)
    network = Network(ModelSettings(cell=cell, hidden_size=160, embedding_size=32), V)
    engine, exact = OnnxEngine(export(network, int8=True)), TorchEngine(network)
    window = ids(12, 40)
    logits, _ = engine.feed(window, engine.initial_state(40))
    wanted, _ = exact.feed(window, exact.initial_state(40))
    spread = float(wanted.std())
    assert 0 < np.abs(logits - wanted).max() < 0.15 * spread
    for rows in (2, 8, 18):
        fewer, _ = engine.feed(window[:, :rows], engine.initial_state(rows))
        np.testing.assert_array_equal(fewer, logits[:, :rows])
    alone, _ = engine.feed(window[:, :1], engine.initial_state(1))
    assert np.abs(alone - logits[:, :1]).max() < 0.15 * spread  # a row that has no other: another kernel


def test_rows_of_32_bits_do_not_touch_one_another() -> None:
    _, engine = make(cell="lstm", hidden_size=160)
    window = ids(12, 40)
    logits, _ = engine.feed(window, engine.initial_state(40))
    for rows in (2, 3, 17):
        fewer, _ = engine.feed(window[:, :rows], engine.initial_state(rows))
        np.testing.assert_array_equal(fewer, logits[:, :rows])


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(FolderError, match="the ONNX model cannot run"):
        OnnxEngine(b"not a model")


@pytest.mark.parametrize("place", ["weight", "constant", "body", "function"])
@pytest.mark.parametrize("location", ["beside.bin", "../beside.bin", "/etc/passwd"])
def test_weights_in_other_files_are_refused_wherever_they_are_named(
    place: str, location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside.bin").write_bytes(bytes(16))
    outside = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[4])
    outside.data_location = onnx.TensorProto.EXTERNAL
    outside.external_data.add(key="location", value=location)
    x, y = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [4]) for name in "xy")
    nodes, weights, functions = [helper.make_node("Add", ["x", "w"], ["y"])], [], []
    if place == "weight":
        weights = [outside]
    elif place == "constant":
        nodes.insert(0, helper.make_node("Constant", [], ["w"], value=outside))
    elif place == "body":
        body = helper.make_graph([helper.make_node("Identity", ["w"], ["z"])], "body", [], [y], [outside])
        body.output[0].name = "z"
        nodes = [helper.make_node("If", ["yes"], ["y"], then_branch=body, else_branch=body)]
        weights = [helper.make_tensor("yes", onnx.TensorProto.BOOL, [], [True])]
    else:
        inside = helper.make_node("Constant", [], ["o"], value=outside)
        functions = [helper.make_function("own", "F", [], ["o"], [inside], [helper.make_opsetid("", 18)])]
        nodes.insert(0, helper.make_node("F", [], ["w"], domain="own"))
    graph = helper.make_graph(nodes, "graph", [x], [y], weights)
    operators = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    model = helper.make_model(graph, opset_imports=operators, functions=functions, ir_version=9)
    with pytest.raises(FolderError, match="it keeps weights in other files"):
        OnnxEngine(model.SerializeToString())


@settings(deadline=None, max_examples=60)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.integers(0, 10_000))
def test_a_damaged_model_is_read_or_refused_and_nothing_else(place: int, bit: int, cut: int) -> None:
    content = bytearray(export(Network(ModelSettings(hidden_size=4, embedding_size=2), 5)))
    content[place % len(content)] ^= 1 << bit
    with suppress(ValueError):
        holds_external_data(bytes(content))
    with suppress(ValueError):
        holds_external_data(bytes(content[: cut % len(content)]))
