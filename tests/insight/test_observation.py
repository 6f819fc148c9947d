"""What is shown of a run is what ran: states, gates, gradients, each against another way to compute it."""

from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor

from elman.cells import CELLS, Cell, State
from elman.config import ModelSettings
from elman.errors import RequestError
from elman.evaluation.spelling import Spelling
from elman.insight.inspection import inspect
from elman.insight.inspection import observation as observation_module
from elman.insight.inspection.observation import Activation, Layer, Observation, observe
from elman.insight.inspection.openness import measure_openness
from elman.insight.inspection.reach import measure_reach
from elman.model import Network
from elman.recurrence import Choice, fused
from elman.tokens import learn_tokenizer

IDS = np.random.default_rng(5).integers(0, 7, 30)


def network(cell: str, layers: int = 1, hidden: int = 5, **settings: object) -> Network:
    """A network in float64 with random weights in every entry."""
    torch.manual_seed(3)
    sizes = {"cell": cell, "layers": layers, "hidden_size": hidden, "embedding_size": 4}
    made = Network(ModelSettings.model_validate({**sizes, **settings}), 7).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(0, 0.6)
    return made


def gates_by_name(seen: Observation) -> dict[str, Activation]:
    return {activation.name: activation for activation in seen.layers[0].activations}


def arrays(made: Network) -> dict[str, np.ndarray]:
    return {name: parameter.detach().numpy() for name, parameter in made.named_parameters()}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def before(states: np.ndarray) -> np.ndarray:
    """What each step starts from."""
    return np.vstack([np.zeros_like(states[:1]), states[:-1]])


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["rnn-tanh", "rnn-relu", "gru", "lstm"])
def test_states_of_every_layer_equal_those_of_torchs_kernels(cell: str, bidirectional: bool) -> None:
    made = network(cell, layers=2, bidirectional=bidirectional)
    seen = observe(made, IDS)
    x = made.embedding(torch.from_numpy(IDS))[:, None]
    cells, directions = [cast(Cell, module) for module in made.stack.cells], made.stack.directions
    for layer in range(2):
        outputs = []
        for direction in range(directions):
            place = layer * directions + direction
            turned = x.flip(0) if direction else x
            out, _ = fused.unroll(cells[place], turned, cells[place].initial_state(1))
            outputs.append(out.flip(0) if direction else out)
            expected = outputs[-1][:, 0].detach().numpy()
            np.testing.assert_allclose(seen.layers[place].hidden, expected, rtol=0, atol=1e-12)
        x = torch.cat(outputs, dim=-1)


def test_predictions_are_those_of_the_network_and_blocks_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = network("gru", layers=2).eval()
    whole = observe(made, IDS)
    with torch.no_grad():
        logits = made(torch.from_numpy(IDS)[:, None], made.initial_state(1))[0][:-1, 0].numpy()  # (T-1, V)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(chances[np.arange(len(IDS) - 1), IDS[1:]])
    np.testing.assert_allclose(whole.predictions.nats, [np.log(7), *expected], atol=1e-12)
    entropy = -(chances * np.log(chances)).sum(axis=1)
    np.testing.assert_allclose(whole.predictions.entropy, [np.log(7), *entropy], atol=1e-12)
    assert whole.predictions.likeliest[1:, 0].tolist() == logits.argmax(axis=1).tolist()
    monkeypatch.setattr(observation_module, "LOGITS_AT_MOST", 7 * 4)
    blocks = observe(made, IDS)
    np.testing.assert_allclose(blocks.predictions.nats, whole.predictions.nats, atol=1e-12)
    np.testing.assert_allclose(blocks.layers[1].hidden, whole.layers[1].hidden, atol=1e-12)


def test_gates_of_the_lstm_equal_its_formula() -> None:
    made = network("lstm")
    seen, weights = observe(made, IDS), arrays(made)
    h, c = seen.layers[0].states
    x = weights["embedding.weight"][IDS]
    drive = x @ weights["stack.cells.0.input_weight"].T + weights["stack.cells.0.bias"]
    drive = drive + before(h) @ weights["stack.cells.0.recurrent_weight"].T
    i, f, g, o = np.split(drive, 4, axis=1)
    expected = {
        "input gate": sigmoid(i),
        "forget gate": sigmoid(f),
        "output gate": sigmoid(o),
        "candidate": np.tanh(g),
        "squashed cell": np.tanh(c),
    }
    gates = gates_by_name(seen)
    assert gates.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(gates[name].values, values, atol=1e-12)
    np.testing.assert_allclose(c, sigmoid(f) * before(c) + sigmoid(i) * np.tanh(g), atol=1e-12)


def test_gates_of_the_gru_equal_its_formula() -> None:
    made = network("gru")
    seen, weights = observe(made, IDS), arrays(made)
    drive = weights["embedding.weight"][IDS] @ weights["stack.cells.0.input_weight"].T
    r_in, z_in, n_in = np.split(drive + weights["stack.cells.0.bias"], 3, axis=1)
    recurrent = before(seen.layers[0].hidden) @ weights["stack.cells.0.recurrent_weight"].T
    r_back, z_back, n_back = np.split(recurrent, 3, axis=1)
    r, z = sigmoid(r_in + r_back), sigmoid(z_in + z_back)
    n = np.tanh(n_in + r * (n_back + weights["stack.cells.0.candidate_bias"]))
    for name, values in {"reset gate": r, "update gate": z, "candidate": n}.items():
        np.testing.assert_allclose(gates_by_name(seen)[name].values, values, atol=1e-12)


@pytest.mark.parametrize("cell", ["min-gru", "min-lstm", "rg-lru"])
def test_gates_of_the_linear_cells_equal_their_formulas_and_see_no_state(cell: str) -> None:
    made = network(cell)
    seen, weights = observe(made, IDS), arrays(made)
    drive = weights["embedding.weight"][IDS] @ weights["stack.cells.0.input_weight"].T
    first, *_, last = np.split(drive + weights["stack.cells.0.bias"], CELLS[cell].gates, axis=1)
    middle = np.split(drive + weights["stack.cells.0.bias"], CELLS[cell].gates, axis=1)[1]
    below = {"candidate above 1/2": last.clip(min=0), "candidate below 1/2": sigmoid(last.clip(max=0))}
    shares = sigmoid(first) / (sigmoid(first) + sigmoid(middle))
    expected = {
        "min-gru": {"update gate": sigmoid(first), **below},
        "min-lstm": {"forget gate": shares, **below},
        "rg-lru": {"recurrence gate": sigmoid(first), "input gate": sigmoid(middle)},
    }[cell]
    gates = gates_by_name(seen)
    assert gates.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(gates[name].values, values, atol=1e-12)


@pytest.mark.parametrize("cell", list(CELLS))
def test_every_activation_of_every_cell_has_its_name(cell: str) -> None:
    made = network(cell)
    activations = observe(made, IDS).layers[0].activations
    assert tuple(activation.name for activation in activations) == CELLS[cell].activations
    for activation in activations:
        bounded = activation.name.endswith(("gate", "below 1/2"))  # or the lower half of a candidate
        assert (activation.function == "sigmoid") == bounded
        if activation.name == "state":
            np.testing.assert_array_equal(activation.values, observe(made, IDS).layers[0].hidden)


def test_openness_counts_what_is_at_the_ends() -> None:
    values = np.array([[0.05, 0.5, 0.95], [0.02, 0.05, 0.97], [0.09, 0.95, 0.92]])
    layer = Layer("layer 1", (np.zeros((3, 3)),), [Activation("state", "sigmoid", values)])
    (gate,) = measure_openness(layer)
    assert (gate.low, gate.high) == (pytest.approx(4 / 9), pytest.approx(4 / 9))
    assert gate.mean == pytest.approx(values.mean())
    assert (gate.mostly_low, gate.mostly_high) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert sum(gate.counts) == 9
    dead = np.array([[0.0, 0.0, 3.0], [0.0, 2.0, 1.0]])
    layer = Layer("layer 1", (dead,), [Activation("state", "relu", dead)])
    (unit,) = measure_openness(layer)
    assert (unit.low, unit.dead) == (pytest.approx(1 / 2), pytest.approx(1 / 3))
    gate = [Activation("update gate", "sigmoid", values)]
    names = [[row.name for row in measure_openness(Layer("1", (h,), gate))] for h in (values, dead)]
    assert names == [["update gate", "state"], ["update gate"]]  # a state beyond 1 has no ends


def test_gradient_of_the_elman_network_equals_the_product_of_its_jacobians() -> None:
    """d h' / d h = diag(1 - h'^2) U, and the loss comes in through the decoder."""
    made = network("rnn-tanh")
    seen, weights = observe(made, IDS), arrays(made)
    reach = measure_reach(made, IDS, seen)
    assert reach is not None
    steps, h = reach.norms.shape[1] - 1, seen.layers[0].hidden
    expected = []
    for t in range(steps + 1, len(IDS) - 1):
        logits = weights["decoder.weight"] @ h[t] + weights["decoder.bias"]
        error = np.exp(logits) / np.exp(logits).sum()
        error[IDS[t + 1]] -= 1
        gradients = [weights["decoder.weight"].T @ error]
        for k in range(steps):
            jacobian = np.diag(1 - h[t - k] ** 2) @ weights["stack.cells.0.recurrent_weight"]
            gradients.append(jacobian.T @ gradients[-1])
        expected.append([np.linalg.norm(gradient) for gradient in gradients])
    assert len(expected) == reach.places
    np.testing.assert_allclose(reach.norms[0], np.mean(expected, axis=0), rtol=1e-10)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gradient_of_two_layers_equals_finite_differences(cell: str) -> None:
    """Each part of each state is moved a little after its step, and the loss is measured again."""
    made, ids, small = network(cell, layers=2, hidden=3).eval(), IDS[:11], 1e-6
    seen = observe(made, ids)
    reach = measure_reach(made, ids, seen)
    assert reach is not None
    steps, parts = reach.norms.shape[1] - 1, len(seen.layers[0].states)
    column = torch.from_numpy(ids)[:, None].expand(-1, 2 * parts * 3)  # rows: sign, part and unit
    moves = torch.stack([torch.eye(parts * 3), -torch.eye(parts * 3)]).double() * small
    moves = moves.view(-1, parts, 3).transpose(0, 1)  # (parts, B, H)

    def loss(moved: Cell, at: int, t: int) -> Tensor:
        def unroll(cell: Cell, x: Tensor, state: State) -> tuple[Tensor, State]:
            outputs = []
            for step, projected in enumerate(cell.project(x).unbind(0)):
                state = cell.step(projected, state)
                if cell is moved and step == at:
                    state = cell.state_type(*(p + m for p, m in zip(state, moves, strict=True)))
                outputs.append(cell.output(state))
            return torch.stack(outputs), state

        made.stack.choice = Choice("reference", "moved", unroll)
        logits, _ = made(column[: t + 1], made.initial_state(column.shape[1]), last=1)
        return -logits[0].log_softmax(dim=-1)[:, int(ids[t + 1])]

    with torch.no_grad():
        for layer, module in enumerate(made.stack.cells):
            norms = []
            for t in range(steps + 1, len(ids) - 1):
                losses = [loss(cast(Cell, module), t - k, t).view(2, -1) for k in range(steps + 1)]
                norms.append([float((plus - minus).norm()) / (2 * small) for plus, minus in losses])
            np.testing.assert_allclose(reach.norms[layer], np.mean(norms, axis=0), rtol=1e-5)


def test_looking_inside_leaves_the_network_as_it_was() -> None:
    made = network("lstm", layers=2, dropout=0.5).train()
    choice = made.stack.choice
    first, second = observe(made, IDS), observe(made, IDS)
    np.testing.assert_array_equal(first.predictions.nats, second.predictions.nats)
    measure_reach(made, IDS, first)
    assert made.training
    assert made.stack.choice is choice
    assert all(parameter.grad is None for parameter in made.parameters())


def test_a_model_in_both_directions_has_no_one_way_back() -> None:
    made = network("gru", bidirectional=True)
    seen = observe(made, IDS)
    assert [layer.name for layer in seen.layers] == ["layer 1 forward", "layer 1 backward"]
    assert measure_reach(made, IDS, seen) is None


def test_a_model_that_fills_gaps_is_refused() -> None:
    made = network("lstm", two_stream=True)
    tokenizer = learn_tokenizer("character", ["abcdef"])
    with pytest.raises(RequestError, match="fills gaps, expected one that predicts the next token"):
        inspect(made, tokenizer, Spelling.learn("abcdef"), "abc")
