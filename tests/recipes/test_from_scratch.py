"""The RNN written out in tensors, the recipe lyrics-scratch and torch.nn.RNN: one model, three ways."""

import pytest
import torch
from torch import Tensor, nn

from elman.config import settings_from
from elman.model import Network
from elman.recipes import TYPICAL, load_recipe

VOCABULARY = 1027  # of the first 10,000 characters of the lyrics


def one_hot(ids: Tensor, size: int) -> Tensor:
    """One-hot by scatter: a one is written into a row of zeros, at the place that the id says."""
    return torch.zeros(*ids.shape, size).scatter_(-1, ids[..., None], 1)


def from_scratch(inputs: Tensor, h: Tensor, weights: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Inputs (T, B, V), h (B, H) -> logits (T, B, V), h: the equations, a line each."""
    logits = []
    for x in inputs:
        h = torch.tanh(x @ weights["W_xh"] + h @ weights["W_hh"] + weights["b_h"])
        logits.append(h @ weights["W_hq"] + weights["b_q"])
    return torch.stack(logits), h


@pytest.fixture
def network() -> Network:
    torch.manual_seed(0)
    settings = settings_from([*load_recipe("lyrics-scratch").layers(*TYPICAL)])
    made = Network(settings.model, VOCABULARY, settings.train.recurrence)
    for parameter in made.parameters():  # a bias of zeros would hide a bias that is left out
        nn.init.uniform_(parameter, -0.1, 0.1)
    return made


def test_one_hot_by_scatter_equals_that_of_torch() -> None:
    ids = torch.randint(VOCABULARY, (35, 32))
    assert torch.equal(one_hot(ids, VOCABULARY), nn.functional.one_hot(ids, VOCABULARY).float())


def test_scratch_recipe_and_torch_agree_in_outputs_states_and_gradients(network: Network) -> None:
    """At the sizes of the lyrics, from a state that is not zero, to 1e-6."""
    ids, targets = torch.randint(VOCABULARY, (2, 35, 32))
    start = torch.rand(32, 256)
    cell, decoder = network.stack.cells[0], network.decoder
    matrices = {
        "W_xh": cell.input_weight.T,
        "W_hh": cell.recurrent_weight.T,
        "b_h": cell.bias,
        "W_hq": decoder.weight.T,
        "b_q": decoder.bias,
    }
    weights = {name: tensor.detach().clone().requires_grad_() for name, tensor in matrices.items()}
    rnn, linear = nn.RNN(VOCABULARY, 256), nn.Linear(256, VOCABULARY)
    with torch.no_grad():
        rnn.weight_ih_l0.copy_(weights["W_xh"].T)
        rnn.weight_hh_l0.copy_(weights["W_hh"].T)
        rnn.bias_ih_l0.copy_(weights["b_h"])
        rnn.bias_hh_l0.zero_()
        linear.weight.copy_(weights["W_hq"].T)
        linear.bias.copy_(weights["b_q"])

    (state,) = network.initial_state(32)
    recipe_logits, (recipe_state,) = network(ids, (type(state)(start),))
    inputs = one_hot(ids, VOCABULARY)
    scratch_logits, scratch_state = from_scratch(inputs, start, weights)
    outputs, torch_state = rnn(inputs, start[None])
    torch_logits = linear(outputs)
    for logits in (recipe_logits, scratch_logits, torch_logits):
        nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()).backward()

    torch.testing.assert_close(scratch_logits, torch_logits, rtol=0, atol=1e-6)
    torch.testing.assert_close(recipe_logits, torch_logits, rtol=0, atol=1e-6)
    torch.testing.assert_close(scratch_state, torch_state[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(recipe_state.h, torch_state[0], rtol=0, atol=1e-6)
    gradients = {
        "W_xh": (cell.input_weight.grad.T, rnn.weight_ih_l0.grad.T),
        "W_hh": (cell.recurrent_weight.grad.T, rnn.weight_hh_l0.grad.T),
        "b_h": (cell.bias.grad, rnn.bias_ih_l0.grad),
        "W_hq": (decoder.weight.grad.T, linear.weight.grad.T),
        "b_q": (decoder.bias.grad, linear.bias.grad),
    }
    for name, (recipe, kernel) in gradients.items():
        assert kernel.abs().max() > 1e-4, f"{name} has a gradient that can be compared"
        torch.testing.assert_close(weights[name].grad, kernel, rtol=0, atol=1e-6)
        torch.testing.assert_close(recipe, kernel, rtol=0, atol=1e-6)
