"""The trace shows what runs: shapes from torch itself, of one step and of the sequence."""

import pytest
import torch

from elman.cells import CELLS
from elman.config import ModelSettings
from elman.errors import ElmanError
from elman.insight.drawing import draw
from elman.insight.trace import trace
from elman.lessons import trace_recipe
from elman.model import Network


def network(**settings: object) -> Network:
    torch.manual_seed(3)
    return Network(ModelSettings.model_validate({"hidden_size": 5, "embedding_size": 4, **settings}), 7)


def shapes(flow: object, place: str, name: str) -> list[tuple[int, ...]]:
    return [op.output for op in flow.operations if (op.place, op.name) == (place, name)]


@pytest.mark.parametrize("cell", list(CELLS))
def test_three_layers_have_outputs_t_b_h_and_states_l_b_h(cell: str) -> None:
    traced = trace(network(cell=cell, layers=3), [1, 2, 3, 4], list("abcdefg"), rows=2)
    assert traced.sequence.outputs == (4, 2, 5)
    parts = 2 if cell == "lstm" else 1
    assert list(traced.sequence.states.values()) == [(2, 5)] * 3 * parts
    assert [flow.outputs for flow in traced.steps] == [(1, 2, 5)] * 4


def test_a_residual_layer_is_seen_to_normalise_and_to_add() -> None:
    made = network(cell="min-gru", layers=2, residual=True)
    step = [(op.place, op.name) for op in trace(made, [1, 2], list("abcdefg")).steps[0].operations]
    one = ["linear", "sigmoid", "relu", "sigmoid", "add", "multiply", "multiply", "add"]
    assert step == [
        ("input", "embedding"),
        ("input", "layer norm"),
        *(("layer 1", name) for name in [*one, "layer norm"]),  # of another width: nothing is added
        *(("layer 2", name) for name in [*one, "add", "layer norm"]),
        *(("output", name) for name in ("linear", "softmax", "argmax")),
    ]


def test_operations_are_those_of_the_cell_in_their_order() -> None:
    traced = trace(network(cell="rnn-tanh"), [1, 2], list("abcdefg"))
    step = [(op.place, op.name, op.output) for op in traced.steps[0].operations]
    assert step == [
        ("input", "embedding", (1, 4)),
        ("layer 1", "linear", (1, 5)),
        ("layer 1", "matrix product", (1, 5)),
        ("layer 1", "add", (1, 5)),
        ("layer 1", "tanh", (1, 5)),
        ("output", "linear", (1, 7)),
        ("output", "softmax", (1, 7)),
        ("output", "argmax", (1, 1)),
    ]
    assert shapes(traced.sequence, "input", "embedding") == [(2, 1, 4)]
    assert len(shapes(traced.sequence, "layer 1", "tanh")) == 2


def test_both_directions_are_named_and_the_outputs_stand_side_by_side() -> None:
    traced = trace(network(cell="gru", bidirectional=True), [1, 2, 3], list("abcdefg"))
    assert traced.sequence.outputs == (3, 1, 10)
    assert set(traced.sequence.states) == {"layer 1 forward h", "layer 1 backward h"}
    assert traced.steps == []  # the backward direction begins at the end: no step stands alone
    assert traced.path == [(1, 3), (1, 4), (1, 10), (1, 7)]
    assert draw(traced).count("1\u00d710") == 3  # upward; sideways each direction has its own
    assert draw(traced).count("1\u00d75<") == 4


def test_a_wrong_shape_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trace reads the run: where a layer gives another width, the trace has that width."""
    honest = trace(network(cell="rnn-tanh"), [1, 2], list("abcdefg"))
    wrong = network(cell="rnn-tanh")
    wrong.decoder = torch.nn.Linear(5, 9)
    traced = trace(wrong, [1, 2], [*"abcdefg", "?", "!"])
    assert honest.path[-1] == (1, 7)
    assert traced.path[-1] == (1, 9)


def test_tracing_leaves_the_network_as_it_was_and_predicts_what_it_predicts() -> None:
    traced_network = network(layers=2, dropout=0.5).train()
    choice = traced_network.stack.choice
    traced = trace(traced_network, [1, 2, 3], list("abcdefg"))
    assert traced_network.training
    assert traced_network.stack.choice is choice
    with torch.inference_mode():
        logits, _ = traced_network.eval()(torch.tensor([[1], [2], [3]]), traced_network.initial_state(1))
    assert traced.predicted == "abcdefg"[int(logits[-1, 0].argmax())]
    assert traced.probability == pytest.approx(float(logits[-1, 0].softmax(dim=0).max()), rel=1e-5)
    assert traced.steps[-1].predicted == traced.sequence.predicted[-1:]


def test_a_token_with_a_bracket_is_drawn_as_text() -> None:
    assert "&lt;unk&gt;" in draw(trace(network(), [0], ["<unk>", *"bcdefg"]))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("char4", "goo", "did you mean char3"),
        ("char3", "", "the text is empty"),
        ("hello-rnn", "hey", "hello-rnn has no 'y'"),
        ("models", "a", "no recipe 'models'"),
    ],
)
def test_what_cannot_be_traced_is_refused(name: str, text: str, said: str) -> None:
    with pytest.raises(ElmanError, match=said):
        trace_recipe(name, text)
