import numpy as np
import pytest
import torch
from torch import nn

from elman.cells import CELLS
from elman.cells.elman import ElmanState
from elman.config import ModelSettings, layer_of, settings_from
from elman.config.settings import LINEAR
from elman.model import Network, TorchEngine, detach, renew
from elman.recurrence import reference

EXACT = {"rtol": 0, "atol": 1e-12}


def make(vocabulary_size: int = 11, seed: int = 3, **fields: object) -> Network:
    torch.manual_seed(seed)
    network = Network(ModelSettings.model_validate({"hidden_size": 6, **fields}), vocabulary_size).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.5)
    return network.eval()


def test_two_layers_equal_torch_lstm_with_two_layers_and_a_linear_decoder() -> None:
    network = make(layers=2, embedding_size=4)
    twin = nn.LSTM(4, 6, num_layers=2).double()
    with torch.no_grad():
        for layer, cell in enumerate(network.stack.cells):
            getattr(twin, f"weight_ih_l{layer}").copy_(cell.input_weight)
            getattr(twin, f"weight_hh_l{layer}").copy_(cell.recurrent_weight)
            getattr(twin, f"bias_ih_l{layer}").copy_(cell.bias)
            getattr(twin, f"bias_hh_l{layer}").zero_()
    ids = torch.randint(0, 11, (7, 3))
    logits, states = network(ids, network.initial_state(3))
    outputs, (h, c) = twin(network.embedding.weight[ids])
    torch.testing.assert_close(logits, outputs @ network.decoder.weight.T + network.decoder.bias, **EXACT)
    for layer in range(2):
        torch.testing.assert_close(states[layer].h, h[layer], **EXACT)
        torch.testing.assert_close(states[layer].c, c[layer], **EXACT)


def test_one_hot_input_equals_an_embedding_by_the_identity() -> None:
    one_hot, embedded = make(), make(embedding_size=11)
    with torch.no_grad():
        for name, parameter in one_hot.named_parameters():
            embedded.get_parameter(name).copy_(parameter)
        embedded.embedding.weight.copy_(torch.eye(11))
    ids = torch.randint(0, 11, (5, 2))
    torch.testing.assert_close(
        one_hot(ids, one_hot.initial_state(2))[0], embedded(ids, embedded.initial_state(2))[0]
    )


def test_the_last_steps_are_those_of_the_whole_window() -> None:
    network, ids = make(), torch.randint(0, 11, (5, 2))
    whole, _ = network(ids, network.initial_state(2))
    torch.testing.assert_close(network(ids, network.initial_state(2), last=2)[0], whole[-2:], **EXACT)


def test_tied_weights_are_one_tensor_and_need_equal_widths() -> None:
    network = make(embedding_size=6, tied=True)
    assert network.decoder.weight is network.embedding.weight
    untied = make(embedding_size=6)
    assert untied.parameter_count() - network.parameter_count() == 11 * 6
    with pytest.raises(
        ValueError, match="tied weights need equal widths, found embedding_size 4 and hidden_size 6"
    ):
        make(embedding_size=4, tied=True)


def test_dropout_falls_between_layers_and_on_the_outputs_and_only_in_training() -> None:
    network, ids = make(layers=2, dropout=0.5), torch.randint(0, 11, (4, 2))
    state = network.initial_state(2)
    assert torch.equal(network(ids, state)[0], network(ids, state)[0])
    network.train()
    first, second = network(ids, state), network(ids, state)
    assert torch.equal(first[1][0].h, second[1][0].h)  # nothing is dropped below the first layer
    assert not torch.equal(first[1][1].h, second[1][1].h)
    shallow = make(dropout=0.5).train()
    assert not torch.equal(
        shallow(ids, shallow.initial_state(2))[0], shallow(ids, shallow.initial_state(2))[0]
    )


@pytest.mark.parametrize("path", ["reference", "fused", "native"])
def test_weight_dropout_leaves_out_recurrent_weights_for_a_window_and_only_in_training(path: str) -> None:
    torch.manual_seed(3)
    settings = ModelSettings(cell="gru", hidden_size=16, embedding_size=4, weight_dropout=0.5)
    network = Network(settings, 11, path)
    cell, ids, state = network.stack.cells[0], torch.randint(0, 11, (6, 2)), network.initial_state(2)
    kept = cell.recurrent_weight.detach().clone()
    assert torch.equal(network.eval()(ids, state)[0], network(ids, state)[0])
    torch.manual_seed(5)
    logits, _ = network.train()(ids, state)
    logits.square().sum().backward()
    gone = cell.recurrent_weight.grad == 0
    assert 0.4 < gone.double().mean() < 0.6
    assert torch.equal(cell.recurrent_weight, kept)
    with torch.no_grad():
        cell.recurrent_weight.copy_((kept * 2).masked_fill(gone, 0.0))
    torch.testing.assert_close(network.eval()(ids, state)[0], logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cell", list(CELLS))
def test_initialisations_are_what_they_say(cell: str) -> None:
    settings = {"cell": cell, "hidden_size": 8}
    if CELLS[cell].recurrent:
        orthogonal = Network(ModelSettings.model_validate(settings), 5).stack.cells[0]
        for gate in orthogonal.recurrent_weight.chunk(orthogonal.gates):
            torch.testing.assert_close(gate @ gate.T, torch.eye(8), rtol=0, atol=1e-5)
        identity = Network(
            ModelSettings.model_validate({**settings, "initialization": "identity"}), 5
        ).stack.cells[0]
        for gate in identity.recurrent_weight.chunk(identity.gates):
            assert torch.equal(gate, torch.eye(8))
    else:
        assert not hasattr(
            Network(ModelSettings.model_validate(settings), 5).stack.cells[0], "recurrent_weight"
        )
    uniform = Network(ModelSettings.model_validate({**settings, "initialization": "uniform"}), 5)
    weights = torch.cat([p.flatten() for p in uniform.parameters() if p.dim() > 1])
    assert weights.abs().max() <= 0.1
    assert weights.abs().max() > 0.09
    assert all((p == 0).all() for name, p in uniform.named_parameters() if name.endswith("bias"))
    normal = Network(ModelSettings.model_validate({**settings, "initialization": "normal"}), 90)
    weights = torch.cat([p.flatten() for p in normal.parameters() if p.dim() > 1])
    assert float(weights.detach().std()) == pytest.approx(0.01, rel=0.1)
    torch_like = Network(ModelSettings.model_validate({**settings, "initialization": "torch"}), 5)
    cell_of_torch = torch_like.stack.cells[0]
    values = torch.cat([p.flatten() for name, p in cell_of_torch.named_parameters() if name != "decay"])
    assert values.abs().max() <= 8**-0.5
    assert values.abs().max() > 0.9 * 8**-0.5


def test_the_forget_gate_starts_open_and_the_other_biases_at_zero() -> None:
    for cell, gate in (("lstm", 1), ("gru", 1), ("min-gru", 0), ("min-lstm", 0)):
        layer = Network(ModelSettings.model_validate({"cell": cell, "hidden_size": 4}), 5).stack.cells[0]
        expected = torch.zeros(layer.gates * 4)
        expected[gate * 4 : (gate + 1) * 4] = 1
        assert torch.equal(layer.bias, expected)


@pytest.mark.parametrize("initialization", ["orthogonal", "uniform", "normal", "torch"])
def test_units_of_an_rg_lru_forget_at_all_speeds_however_weights_start(initialization: str) -> None:
    settings = {"cell": "rg-lru", "hidden_size": 2000, "initialization": initialization}
    cell = Network(ModelSettings.model_validate(settings), 5).stack.cells[0]
    kept = torch.sigmoid(cell.decay.detach()) ** 8
    counts = torch.histc(kept, 3, 0.01, 0.999)
    assert counts.sum() == 2000
    assert ((counts - 2000 / 3).abs() < 120).all()  # evenly, to five deviations


def test_a_residual_layer_adds_to_what_it_reads_normalised() -> None:
    network = make(cell="gru", layers=3, embedding_size=6, residual=True)
    ids = torch.randint(0, 11, (7, 3))
    x, states = network.embedding.weight[ids], []
    for cell, norm in zip(network.stack.cells, network.stack.norms, strict=False):
        centred = x - x.mean(-1, keepdim=True)
        read = centred / (x.var(-1, unbiased=False, keepdim=True) + 1e-5).sqrt() * norm.weight + norm.bias
        outputs, state = reference.unroll(cell, read, cell.initial_state(3))
        x, states = x + outputs, [*states, state]
    outputs = nn.functional.layer_norm(x, (6,), network.stack.norms[-1].weight, network.stack.norms[-1].bias)
    logits, after = network(ids, network.initial_state(3))
    torch.testing.assert_close(logits, outputs @ network.decoder.weight.T + network.decoder.bias, **EXACT)
    torch.testing.assert_close(after, tuple(states), **EXACT)
    wider = make(cell="gru", layers=2, embedding_size=4, residual=True)  # nothing to add to below
    assert wider.stack.norms[0].weight.shape == (4,)
    assert wider(ids, wider.initial_state(3))[0].shape == (7, 3, 11)


@pytest.mark.parametrize(
    ("options", "found"), [({"two_stream": True}, "two_stream"), ({"output": "hidden"}, "output hidden")]
)
def test_residual_layers_need_one_stack_and_linear_logits(options: dict, found: str) -> None:
    with pytest.raises(ValueError, match=f"residual needs one stack and output linear, found {found}"):
        make(residual=True, **options)


def test_a_cell_without_recurrent_weights_has_none_to_drop() -> None:
    with pytest.raises(ValueError, match="weight_dropout needs recurrent weights, and min-gru has none"):
        make(cell="min-gru", weight_dropout=0.1)
    assert set(LINEAR) == {name for name, cell in CELLS.items() if not cell.recurrent}


def test_the_engine_steps_as_it_feeds_and_leaves_the_mode_as_it_was() -> None:
    network = make(layers=2, embedding_size=4, dropout=0.3).float().train()
    engine, ids = TorchEngine(network), np.random.default_rng(0).integers(0, 11, (6, 3))
    fed, final = engine.feed(ids, engine.initial_state(3))
    state = engine.initial_state(3)
    for step, row in enumerate(ids):
        logits, state = engine.step(row, state)
        np.testing.assert_allclose(logits, fed[step], rtol=0, atol=1e-5)
    for part, expected in zip(state, final, strict=True):
        np.testing.assert_allclose(part, expected, rtol=0, atol=1e-5)
    assert network.training


def test_detached_states_have_no_history_and_the_same_values() -> None:
    network = make().train()
    _, states = network(torch.randint(0, 11, (3, 2)), network.initial_state(2))
    (cut,) = detach(states)
    assert states[0].h.requires_grad
    assert not cut.h.requires_grad
    torch.testing.assert_close(cut.h, states[0].h.detach().float())


def test_fresh_rows_start_from_zero_and_the_others_go_on() -> None:
    states = (ElmanState(torch.ones(3, 2)), ElmanState(torch.ones(3, 2)))
    renewed = renew(states, torch.tensor([True, False, True]))
    assert [state.h[:, 0].tolist() for state in renewed] == [[0, 1, 0], [0, 1, 0]]
    assert states[0].h.min() == 1


def test_two_directions_and_three_layers_equal_torch_gru() -> None:
    network = make(cell="gru", layers=3, embedding_size=4, bidirectional=True)
    twin = nn.GRU(4, 6, num_layers=3, bidirectional=True).double()
    with torch.no_grad():
        for place, cell in enumerate(network.stack.cells):
            name = f"l{place // 2}" + ("_reverse" if place % 2 else "")
            getattr(twin, f"weight_ih_{name}").copy_(cell.input_weight)
            getattr(twin, f"weight_hh_{name}").copy_(cell.recurrent_weight)
            getattr(twin, f"bias_ih_{name}").copy_(cell.bias)
            getattr(twin, f"bias_hh_{name}").zero_()
            getattr(twin, f"bias_hh_{name}")[12:] = cell.candidate_bias
    ids = torch.randint(0, 11, (7, 3))
    logits, states = network(ids, network.initial_state(3))
    outputs, h = twin(network.embedding.weight[ids])
    assert outputs.shape == (7, 3, 12)
    torch.testing.assert_close(logits, outputs @ network.decoder.weight.T + network.decoder.bias, **EXACT)
    torch.testing.assert_close(torch.stack([state.h for state in states]), h, **EXACT)


def test_options_of_torch_are_taken_by_their_names() -> None:
    settings = settings_from(
        [
            layer_of(
                {
                    "train.steps": 1,
                    "model.nonlinearity": "relu",
                    "model.num_layers": 2,
                    "model.bidirectional": True,
                    "model.batch_first": True,
                    "model.bias": False,
                    "model.dropout": 0.1,
                }
            )
        ]
    )
    assert (settings.model.cell, settings.model.layers) == ("rnn-relu", 2)
    network = Network(settings.model, 5)
    assert [tuple(network.stack(torch.zeros(3, 4, 5), network.initial_state(3))[0].shape)] == [(3, 4, 1024)]


def test_batch_first_changes_the_layout_between_the_parts_and_nothing_else() -> None:
    plain, turned = make(layers=2), make(layers=2, batch_first=True)
    ids = torch.randint(0, 11, (5, 3))
    torch.testing.assert_close(
        plain(ids, plain.initial_state(3))[0], turned(ids, turned.initial_state(3))[0], **EXACT
    )


def test_hidden_units_are_the_logits_where_there_is_no_linear_layer() -> None:
    network = make(cell="rnn-tanh", output="hidden")
    ids = torch.randint(0, 11, (5, 3))
    logits, states = network(ids, network.initial_state(3))
    assert logits.shape == (5, 3, 11)
    assert torch.equal(logits[-1], states[0].h)


def test_an_embedding_has_a_padding_row_of_zeros_and_a_largest_norm() -> None:
    torch.manual_seed(0)
    settings = {"embedding_size": 4, "padding_idx": 2, "max_norm": 0.5, "initialization": "uniform"}
    network = Network(ModelSettings.model_validate({"hidden_size": 6, **settings}), 11)
    assert (network.embedding.weight[2] == 0).all()
    with torch.no_grad():
        network.embedding.weight[3] = 9.0
    network(torch.tensor([[3]]), network.initial_state(1))
    assert float(network.embedding.weight[3].detach().norm()) == pytest.approx(0.5, rel=1e-5)
