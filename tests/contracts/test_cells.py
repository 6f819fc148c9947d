"""The contract of every cell and every path: joining CELLS or PATHS is the only way in."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from elman.cells import CELLS, Cell, State
from elman.recurrence import PATHS, choose
from elman.recurrence.reference import unroll as reference

TWINS: dict[str, Any] = {
    "rnn-tanh": lambda d, h, bias: nn.RNN(d, h, nonlinearity="tanh", bias=bias),
    "rnn-relu": lambda d, h, bias: nn.RNN(d, h, nonlinearity="relu", bias=bias),
    "gru": lambda d, h, bias: nn.GRU(d, h, bias=bias),
    "lstm": lambda d, h, bias: nn.LSTM(d, h, bias=bias),
}
sizes = st.tuples(*[st.integers(1, 6)] * 4, st.booleans(), st.integers(0, 2**31))
PAIRS = [(cell, path) for cell in CELLS for path in PATHS]
each_pair = pytest.mark.parametrize(("name", "path"), PAIRS)
EXACT = {"rtol": 0, "atol": 1e-12}


def make(name: str, input_size: int, hidden_size: int, bias: bool, seed: int) -> Cell:
    """A cell in float64 with random weights in every entry, so that a swapped gate must show."""
    torch.manual_seed(seed)
    cell = CELLS[name](input_size, hidden_size, bias).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.normal_(0, 0.7)
    return cell


def random_state(cell: Cell, rows: int) -> State:
    return cell.state_type(*(torch.randn(rows, cell.hidden_size).double() for _ in cell.state_type._fields))


def twin(name: str, cell: Cell) -> nn.RNNBase:
    """The torch.nn module with the weights of a cell."""
    module: nn.RNNBase = TWINS[name](cell.input_size, cell.hidden_size, cell.bias is not None).double()
    with torch.no_grad():
        module.weight_ih_l0.copy_(cell.input_weight)
        module.weight_hh_l0.copy_(cell.recurrent_weight)
        if cell.bias is not None:
            module.bias_ih_l0.copy_(cell.bias)
            module.bias_hh_l0.zero_()
            if name == "gru":
                module.bias_hh_l0[2 * cell.hidden_size :] = cell.candidate_bias
    return module


def test_every_cell_has_a_torch_twin_here() -> None:
    assert sorted(TWINS) == sorted(CELLS)


@each_pair
@settings(deadline=None, max_examples=25)
@given(sizes=sizes)
def test_equals_torch_in_outputs_state_and_gradients_from_zero_and_from_the_returned_state(
    name: str, path: str, sizes: Any
) -> None:
    steps, rows, width, hidden, bias, seed = sizes
    cell = make(name, width, hidden, bias, seed)
    module = twin(name, cell)
    state, torch_state = cell.initial_state(rows), None
    for _ in range(2):
        x = torch.randn(steps, rows, width).double().requires_grad_()
        twin_x = x.detach().clone().requires_grad_()
        outputs, state = PATHS[path](cell, x, state)
        expected, torch_state = module(twin_x, torch_state)
        torch.testing.assert_close(outputs, expected, **EXACT)
        finals = torch_state if isinstance(torch_state, tuple) else (torch_state,)
        for part, final in zip(state, finals, strict=True):
            torch.testing.assert_close(part, final[0], **EXACT)
        weights = torch.randn_like(expected)
        cell.zero_grad()
        module.zero_grad()
        loss = (outputs * weights).sum() + sum(part.square().sum() for part in state)
        twin_loss = (expected * weights).sum() + sum(final.square().sum() for final in finals)
        loss.backward()
        twin_loss.backward()
        torch.testing.assert_close(x.grad, twin_x.grad, **EXACT)
        torch.testing.assert_close(cell.input_weight.grad, module.weight_ih_l0.grad, **EXACT)
        torch.testing.assert_close(cell.recurrent_weight.grad, module.weight_hh_l0.grad, **EXACT)
        if cell.bias is not None:
            torch.testing.assert_close(cell.bias.grad, module.bias_ih_l0.grad, **EXACT)
        if getattr(cell, "candidate_bias", None) is not None:
            recurrent = module.bias_hh_l0.grad[2 * hidden :]
            torch.testing.assert_close(cell.candidate_bias.grad, recurrent, **EXACT)
        state = cell.state_type(*(part.detach() for part in state))
        torch_state = tuple(f.detach() for f in finals) if len(finals) > 1 else finals[0].detach()


@each_pair
@settings(deadline=None, max_examples=15)
@given(sizes=sizes)
def test_two_half_windows_equal_one_whole_window(name: str, path: str, sizes: Any) -> None:
    steps, rows, width, hidden, bias, seed = sizes
    cell = make(name, width, hidden, bias, seed)
    x, start = torch.randn(2 * steps, rows, width).double(), random_state(cell, rows)
    whole, final = PATHS[path](cell, x, start)
    first, middle = PATHS[path](cell, x[:steps], start)
    second, end = PATHS[path](cell, x[steps:], middle)
    torch.testing.assert_close(torch.cat([first, second]), whole, **EXACT)
    for part, expected in zip(end, final, strict=True):
        torch.testing.assert_close(part, expected, **EXACT)


@each_pair
@settings(deadline=None, max_examples=15)
@given(sizes=sizes)
def test_rows_are_independent(name: str, path: str, sizes: Any) -> None:
    steps, rows, width, hidden, bias, seed = sizes
    cell = make(name, width, hidden, bias, seed)
    x, start = torch.randn(steps, rows, width).double(), random_state(cell, rows)
    together, _ = PATHS[path](cell, x, start)
    for row in range(rows):
        alone_start = cell.state_type(*(part[row : row + 1] for part in start))
        alone, _ = PATHS[path](cell, x[:, row : row + 1], alone_start)
        torch.testing.assert_close(alone, together[:, row : row + 1], **EXACT)


@each_pair
@settings(deadline=None, max_examples=15)
@given(sizes=sizes, data=st.data())
def test_later_input_never_changes_earlier_output(
    name: str, path: str, sizes: Any, data: st.DataObject
) -> None:
    steps, rows, width, hidden, bias, seed = sizes
    cell = make(name, width, hidden, bias, seed)
    x, start = torch.randn(steps, rows, width).double(), random_state(cell, rows)
    changed = data.draw(st.integers(0, steps - 1))
    outputs, _ = PATHS[path](cell, x, start)
    x[changed:] += torch.randn(steps - changed, rows, width).double()
    other, _ = PATHS[path](cell, x, start)
    assert torch.equal(other[:changed], outputs[:changed])
    if name != "rnn-relu":  # relu may be silent on both
        assert not torch.equal(other[changed:], outputs[changed:])


@pytest.mark.parametrize("name", list(CELLS))
def test_gradients_of_the_reference_agree_with_finite_differences(name: str) -> None:
    cell = make(name, 3, 2, True, seed=5)
    x = torch.randn(4, 2, 3).double().requires_grad_()
    start = random_state(cell, 2)

    def run(x: Tensor, *parameters: Tensor) -> Tensor:
        outputs, _ = reference(cell, x, start)
        return outputs

    assert torch.autograd.gradcheck(run, (x, *cell.parameters()))


@pytest.mark.parametrize("name", list(CELLS))
def test_a_step_leaves_the_state_it_was_given_as_it_was(name: str) -> None:
    cell = make(name, 3, 4, True, seed=1)
    state = random_state(cell, 2)
    before = [part.clone() for part in state]
    reference(cell, torch.randn(3, 2, 3).double(), state)
    assert all(torch.equal(part, kept) for part, kept in zip(state, before, strict=True))


def test_choose_says_its_path_and_why_and_refuses_what_cannot_run() -> None:
    from elman.errors import SettingsError

    class Other(Cell):
        gates, state_type, forget_gate = 1, CELLS["rnn-tanh"].state_type, None

        def step(self, projected: Tensor, state: State) -> State:
            return state

    assert choose(CELLS["lstm"](2, 3))[:2] == ("fused", "torch's kernel for this cell")
    assert choose(CELLS["lstm"](2, 3), "reference")[:2] == ("reference", "asked for")
    assert choose(Other(2, 3)).name == "reference"
    with pytest.raises(SettingsError, match="torch has no kernel for Other"):
        choose(Other(2, 3), "fused")
