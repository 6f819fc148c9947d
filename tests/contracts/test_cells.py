"""The contract of every cell and every path: joining CELLS or PATHS is the only way in."""

from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from elman.cells import CELLS, Cell, State
from elman.recurrence import PATHS, choose, fused, native, rivals, scan
from elman.recurrence.reference import unroll as reference


class Tutorial(nn.Module):
    """The models of "from the unrolled model to the RNN", written as they are there, over nn.Linear."""

    def __init__(self, d: int, h: int, bias: bool, joined: bool) -> None:
        super().__init__()
        self.joined = joined
        self.l_in = nn.Linear(d + h if joined else d, h, bias=bias)
        self.l_hidden = nn.Linear(h, h, bias=bias)

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        h = x.new_zeros(x.shape[1], self.l_hidden.out_features) if state is None else state[0]
        outputs = []
        for c in x:
            if self.joined:
                h = torch.tanh(self.l_hidden(torch.relu(self.l_in(torch.cat((h, c), 1)))))
            else:
                h = torch.tanh(self.l_hidden(h + torch.relu(self.l_in(c))))
            outputs.append(h)
        return torch.stack(outputs), h[None]


class Sums(nn.Module):
    """The linear recurrences by the papers' formulas, without steps: a state is the sum of all that was added
    before, each times the product of what was kept since, by logarithms.
    """

    def __init__(self, name: str, d: int, h: int, bias: bool) -> None:
        super().__init__()
        self.name, self.linear = name, nn.Linear(d, (2 if name == "min-gru" else 3) * h, bias=bias)
        if name == "rg-lru":
            self.decay = nn.Parameter(torch.empty(h))

    def gates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first, *others = self.linear(x).chunk(2 if self.name == "min-gru" else 3, dim=-1)
        if self.name == "rg-lru":
            a = torch.sigmoid(self.decay) ** (8 * torch.sigmoid(first))
            return a, (1 - a**2) ** 0.5 * torch.sigmoid(others[0]) * others[1]
        n = torch.where(others[-1] > 0, others[-1] + 0.5, torch.sigmoid(others[-1]))
        if self.name == "min-gru":
            z = 1 - torch.sigmoid(first)  # the paper's z lets in
            return 1 - z, z * n
        f, i = torch.sigmoid(first), torch.sigmoid(others[0])
        return f / (f + i), i / (f + i) * n

    def forward(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        a, b = self.gates(x)
        kept = a.log().cumsum(0)  # (T, B, H)
        since = kept[:, None] - kept[None]  # (T, T, B, H): from the second step on to the first
        seen = torch.ones(len(x), len(x)).tril().bool()[:, :, None, None]
        h = (since.masked_fill(~seen, -torch.inf).exp() * b).sum(1)
        if state is not None:
            h = h + kept.exp() * state[0]
        return h, h[-1:]


TWINS: dict[str, Any] = {
    "rnn-tanh": lambda d, h, bias: nn.RNN(d, h, nonlinearity="tanh", bias=bias),
    "rnn-relu": lambda d, h, bias: nn.RNN(d, h, nonlinearity="relu", bias=bias),
    "gru": lambda d, h, bias: nn.GRU(d, h, bias=bias),
    "lstm": lambda d, h, bias: nn.LSTM(d, h, bias=bias),
    "rnn-added": lambda d, h, bias: Tutorial(d, h, bias, joined=False),
    "rnn-joined": lambda d, h, bias: Tutorial(d, h, bias, joined=True),
    "min-gru": lambda d, h, bias: Sums("min-gru", d, h, bias),
    "min-lstm": lambda d, h, bias: Sums("min-lstm", d, h, bias),
    "rg-lru": lambda d, h, bias: Sums("rg-lru", d, h, bias),
}
sizes = st.tuples(*[st.integers(1, 6)] * 4, st.booleans(), st.integers(0, 2**31))
PAIRS = [
    (cell, path)
    for cell in CELLS
    for path in PATHS
    if path == "reference"
    or issubclass(CELLS[cell], {"fused": fused, "native": native, "scan": scan}[path].SERVED)
]
each_pair = pytest.mark.parametrize(("name", "path"), PAIRS)


class Kind(NamedTuple):
    """In what a path is tried: its numbers, how many hidden units come together, how near it must be."""

    dtype: torch.dtype = torch.float64
    units: int = 1
    near: float = 1e-12


EXACT = Kind()


def kind_of(path: str) -> Kind:
    """The native path has single precision only, and units in whole vectors."""
    if path != "native":
        return EXACT
    lanes = next(n for n in (8, 16) if native.refusal(CELLS["lstm"](1, n)) is None)
    return Kind(torch.float32, lanes, 1e-5)


def make(name: str, input_size: int, hidden_size: int, bias: bool, seed: int, kind: Kind = EXACT) -> Cell:
    """A cell with random weights in every entry, so that a swapped gate must show."""
    torch.manual_seed(seed)
    cell = CELLS[name](input_size, hidden_size * kind.units, bias).to(kind.dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.normal_(0, 0.7 / kind.units**0.5)
    return cell


def random(cell: Cell, *shape: int) -> Tensor:
    return torch.randn(*shape).to(cell.input_weight.dtype)


def random_state(cell: Cell, rows: int) -> State:
    return cell.state_type(*(random(cell, rows, cell.hidden_size) for _ in cell.state_type._fields))


def assert_near(found: Tensor, expected: Tensor, path: str) -> None:
    """To rounding, of the largest entry where numbers are single."""
    kind, expected = kind_of(path), expected.detach().double()
    largest = 1.0 if kind is EXACT else max(1.0, float(expected.abs().max()))
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=kind.near * largest)


def twin(name: str, cell: Cell) -> tuple[nn.Module, list[tuple[nn.Parameter, nn.Parameter, Any]]]:
    """A module of torch with the weights of a cell; and which parameter is which stretch of which."""
    module: nn.Module = TWINS[name](cell.input_size, cell.hidden_size, cell.bias is not None).double()
    whole, h = slice(None), cell.hidden_size
    if isinstance(module, Tutorial):
        state, inputs = (whole, slice(0, h)), (whole, slice(h if module.joined else 0, None))
        same = [(cell.input_weight, module.l_in.weight, inputs)]
        same += [(cell.recurrent_weight, module.l_in.weight, state)] if module.joined else []
        hidden = cell.hidden_weight if module.joined else cell.recurrent_weight
        same += [(hidden, module.l_hidden.weight, whole)]
        if cell.bias is not None:
            same += [(cell.bias, module.l_in.bias, whole), (cell.hidden_bias, module.l_hidden.bias, whole)]
    elif isinstance(module, Sums):
        same = [(cell.input_weight, module.linear.weight, whole)]
        same += [(cell.bias, module.linear.bias, whole)] if cell.bias is not None else []
        same += [(cell.decay, module.decay, whole)] if name == "rg-lru" else []
    else:
        same = [
            (cell.input_weight, module.weight_ih_l0, whole),
            (cell.recurrent_weight, module.weight_hh_l0, whole),
        ]
        if cell.bias is not None:
            nn.init.zeros_(module.bias_hh_l0)
            same += [(cell.bias, module.bias_ih_l0, whole)]
            if name == "gru":
                same += [(cell.candidate_bias, module.bias_hh_l0, slice(2 * h, None))]
    with torch.no_grad():
        for ours, theirs, stretch in same:
            theirs[stretch] = ours
    assert {id(ours) for ours, _, _ in same} == {id(parameter) for parameter in cell.parameters()}
    return module, same


def test_every_cell_has_a_torch_twin_here() -> None:
    assert sorted(TWINS) == sorted(CELLS)


# the same examples each time: in single precision, relu near its kink may go either way
@each_pair
@settings(deadline=None, max_examples=25, derandomize=True)
@given(sizes=sizes)
def test_equals_torch_in_outputs_state_and_gradients_from_zero_and_from_the_returned_state(
    name: str, path: str, sizes: Any
) -> None:
    steps, rows, width, hidden, bias, seed = sizes
    cell = make(name, width, hidden, bias, seed, kind_of(path))
    module, same = twin(name, cell)
    state, torch_state = cell.initial_state(rows), None
    for _ in range(2):
        x = random(cell, steps, rows, width).requires_grad_()
        twin_x = x.detach().double().requires_grad_()
        outputs, state = PATHS[path](cell, x, state)
        expected, torch_state = module(twin_x, torch_state)
        assert_near(outputs, expected, path)
        finals = torch_state if isinstance(torch_state, tuple) else (torch_state,)
        for part, final in zip(state, finals, strict=True):
            assert_near(part, final[0], path)
        weights = random(cell, *expected.shape)
        cell.zero_grad()
        module.zero_grad()
        loss = (outputs * weights).sum() + sum(part.square().sum() for part in state)
        twin_loss = (expected * weights).sum() + sum(final.square().sum() for final in finals)
        loss.backward()
        twin_loss.backward()
        assert_near(x.grad, twin_x.grad, path)
        for ours, theirs, stretch in same:
            assert_near(ours.grad, theirs.grad[stretch], path)
        state = cell.state_type(*(part.detach() for part in state))
        torch_state = tuple(f.detach() for f in finals) if len(finals) > 1 else finals[0].detach()


@each_pair
@settings(deadline=None, max_examples=15)
@given(sizes=sizes)
def test_two_half_windows_equal_one_whole_window(name: str, path: str, sizes: Any) -> None:
    steps, rows, width, hidden, bias, seed = sizes
    cell = make(name, width, hidden, bias, seed, kind_of(path))
    x, start = random(cell, 2 * steps, rows, width), random_state(cell, rows)
    whole, final = PATHS[path](cell, x, start)
    first, middle = PATHS[path](cell, x[:steps], start)
    second, end = PATHS[path](cell, x[steps:], middle)
    assert_near(torch.cat([first, second]), whole, path)
    for part, expected in zip(end, final, strict=True):
        assert_near(part, expected, path)


@each_pair
@settings(deadline=None, max_examples=15)
@given(sizes=sizes)
def test_rows_are_independent(name: str, path: str, sizes: Any) -> None:
    steps, rows, width, hidden, bias, seed = sizes
    cell = make(name, width, hidden, bias, seed, kind_of(path))
    x, start = random(cell, steps, rows, width), random_state(cell, rows)
    together, _ = PATHS[path](cell, x, start)
    for row in range(rows):
        alone_start = cell.state_type(*(part[row : row + 1] for part in start))
        alone, _ = PATHS[path](cell, x[:, row : row + 1], alone_start)
        assert_near(alone, together[:, row : row + 1], path)


@each_pair
@settings(deadline=None, max_examples=15)
@given(sizes=sizes, data=st.data())
def test_later_input_never_changes_earlier_output(
    name: str, path: str, sizes: Any, data: st.DataObject
) -> None:
    steps, rows, width, hidden, bias, seed = sizes
    cell = make(name, width, hidden, bias, seed, kind_of(path))
    x, start = random(cell, steps, rows, width), random_state(cell, rows)
    changed = data.draw(st.integers(0, steps - 1))
    outputs, _ = PATHS[path](cell, x, start)
    x[changed:] += random(cell, steps - changed, rows, width)
    other, _ = PATHS[path](cell, x, start)
    assert torch.equal(other[:changed], outputs[:changed])
    if name not in ("rnn-relu", "rnn-added", "rnn-joined"):  # in these relu may be silent on both
        assert not torch.equal(other[changed:], outputs[changed:])


@pytest.mark.parametrize("name", list(CELLS))
def test_gradients_of_the_reference_agree_with_finite_differences(name: str) -> None:
    cell = make(name, 3, 2, True, seed=5)
    x = random(cell, 4, 2, 3).requires_grad_()
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
    reference(cell, random(cell, 3, 2, 3), state)
    assert all(torch.equal(part, kept) for part, kept in zip(state, before, strict=True))


def test_choose_says_its_path_and_why_and_refuses_what_cannot_run() -> None:
    from elman.errors import SettingsError

    class Other(Cell):
        gates, state_type, forget_gate = 1, CELLS["rnn-tanh"].state_type, None

        def step(self, projected: Tensor, state: State) -> State:
            return state

    assert choose(CELLS["lstm"](2, 3))[:2] == ("fused", "torch's kernel for this cell")
    assert choose(CELLS["lstm"](2, 3), "reference")[:2] == ("reference", "asked for")
    assert choose(CELLS["min-gru"](2, 3))[:2] == ("scan", "all steps in parallel")
    assert choose(Other(2, 3)).name == "reference"
    with pytest.raises(SettingsError, match="torch has no kernel for Other"):
        choose(Other(2, 3), "fused")
    with pytest.raises(
        SettingsError, match="cannot run: Other has no native form; use train.recurrence=auto"
    ):
        choose(Other(2, 3), "native")
    with pytest.raises(SettingsError, match="the state of Other is not linear, so its steps cannot run in"):
        choose(Other(2, 3), "scan")
    with pytest.raises(SettingsError, match="torch has no kernel for MinGRUCell"):
        choose(CELLS["min-gru"](2, 3), "fused")
    with pytest.raises(SettingsError, match="hidden size 130 is no multiple of"):
        choose(CELLS["lstm"](2, 130), "native")
    assert [path.name for path in rivals(Other(2, 3))] == ["reference"]
    assert [path.name for path in rivals(CELLS["rg-lru"](2, 128))] == ["scan", "native"]
    assert [path.name for path in rivals(CELLS["rg-lru"](2, 130))] == ["scan"]
    assert [path.name for path in rivals(CELLS["gru"](2, 16))] == ["fused"]  # too small to gain
    assert [path.name for path in rivals(CELLS["gru"](2, 128))] == ["fused", "native"]
    assert rivals(CELLS["gru"](2, 130))[0].reason.startswith("torch's kernel for this cell; no native one: ")
