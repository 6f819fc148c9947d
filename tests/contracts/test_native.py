"""The native recurrence in bf16, and where it cannot be had."""

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from elman.cells import CELLS, Cell, State
from elman.recurrence import Unroll, fused, native, reference, scan
from elman.recurrence.native import library
from elman.recurrence.native.pages import PAGE, large_pages

TORCH = {"rnn-tanh": fused, "rnn-relu": fused, "gru": fused, "lstm": fused, "min-gru": scan, "min-lstm": scan}


def results(path: Unroll, cell: Cell, x: Tensor, state: State, bf16: bool = False) -> list[Tensor]:
    """Outputs, final state and all gradients of a loss over both."""
    cell.zero_grad()
    x = x.detach().clone().requires_grad_()
    state = cell.state_type(*(part.detach().clone().requires_grad_() for part in state))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        outputs, after = path(cell, x, state)
    weights = torch.linspace(-1, 1, outputs.numel(), dtype=torch.float64).reshape(outputs.shape)
    loss = (outputs.double() * weights).sum() + sum(part.double().square().sum() for part in after)
    loss.backward()
    gradients = [x.grad, *(part.grad for part in state), *(p.grad.clone() for p in cell.parameters())]
    return [found.detach().double() for found in (outputs, *after, *gradients)]


@pytest.mark.parametrize(("rows", "units"), [(15, 128), (32, 48), (80, 128)])
@pytest.mark.parametrize("name", list(TORCH))
def test_bf16_is_within_twice_the_error_of_torch_in_bf16(name: str, rows: int, units: int) -> None:
    torch.manual_seed(rows)
    cell, x = CELLS[name](24, units), torch.randn(20, rows, 24)
    state = cell.state_type(*(torch.randn(rows, units) for _ in cell.state_type._fields))
    if "avx512_bf16" not in Path("/proc/cpuinfo").read_text():
        with pytest.raises(RuntimeError, match="no products of torch.bfloat16"):
            results(native.unroll, cell, x, state, bf16=True)
        return
    ours, torchs = (results(path, cell, x, state, bf16=True) for path in (native.unroll, TORCH[name].unroll))
    exact_state = cell.state_type(*(part.double() for part in state))
    exact = results(reference.unroll, cell.double(), x.double(), exact_state)
    for found, theirs, expected in zip(ours, torchs, exact, strict=True):
        assert (found - expected).norm() <= 2 * (theirs - expected).norm()


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The library for a processor with a matrix unit, whose instructions are done in software."""
    software = Path(__file__).with_name("tiles_in_software.h")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELMAN_CACHE", str(tmp_path_factory.mktemp("tiles")))
        patch.setattr(library, "FLAGS", (*library.FLAGS, "-include", str(software)))
        return library.load_library.__wrapped__()


@pytest.mark.parametrize(
    ("rows", "units", "threads"),
    [(3, 32, 1), (16, 48, 1), (35, 32, 1), (35, 48, 1), (35, 96, 3), (3, 96, 3), (35, 1024, 3)],
)
@pytest.mark.parametrize("name", ["rnn-tanh", "gru", "lstm"])
def test_a_matrix_unit_gives_what_vectors_give(
    name: str, units: int, rows: int, threads: int, tiles: ctypes.CDLL, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(rows)
    cell, x = CELLS[name](24, units), torch.randn(5, rows, 24)
    state = cell.state_type(*(torch.randn(rows, units) for _ in cell.state_type._fields))
    bf16 = hasattr(tiles, "lstm_forward_bf16")
    assert bf16 == ("avx512_bf16" in Path("/proc/cpuinfo").read_text())
    expected = results(native.unroll, cell, x, state, bf16)
    monkeypatch.setattr(library, "load_library", lambda: tiles)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    found = results(native.unroll, cell, x, state, bf16)
    torch.set_num_threads(before)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours - theirs).norm() <= 2e-3 * theirs.norm()  # sums in another order, rounded to bf16


@pytest.fixture
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """So many threads of torch's."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2, 5, 30], indirect=True)  # 30: more than there are units to share
@pytest.mark.parametrize("rows", [1, 7, 21])
@pytest.mark.parametrize("name", ["rnn-relu", "gru", "lstm"])
@pytest.mark.usefixtures("threads")
def test_few_rows_and_many_weights(name: str, rows: int) -> None:
    """Where threads share the units, and not the rows."""
    torch.manual_seed(rows)
    units = 736  # 2.2 MB in fp32
    cell, x = CELLS[name](8, units), torch.randn(5, rows, 8)
    state = cell.state_type(*(torch.randn(rows, units) for _ in cell.state_type._fields))
    found = results(native.unroll, cell, x, state)
    exact = results(reference.unroll, cell.double(), x.double(), type(state)(*(p.double() for p in state)))
    for ours, expected in zip(found, exact, strict=True):
        assert (ours - expected).norm() <= 1e-5 * expected.norm()


def test_large_pages_belong_to_one_tensor_at_a_time() -> None:
    count = 2**20 + 16
    first, second = (large_pages(count, torch.float32).fill_(number) for number in (1.0, 2.0))
    assert {room.data_ptr() % PAGE for room in (first, second)} == {0}
    place = first.data_ptr()
    del first
    third, fourth = (large_pages(count, torch.float32).fill_(number) for number in (3.0, 4.0))
    assert third.data_ptr() == place  # pages that are free are lent again
    assert [float(room.mean()) for room in (second, third, fourth)] == [2.0, 3.0, 4.0]


def test_what_is_not_a_number_stays_so() -> None:
    cell = CELLS["lstm"](3, 32)
    x = torch.randn(4, 2, 3)
    x[1, 1, 0] = float("nan")
    outputs, _ = native.unroll(cell, x, cell.initial_state(2))
    assert outputs[:, 0].isfinite().all()
    assert outputs[0].isfinite().all()
    assert outputs[1:, 1].isnan().all()


@pytest.mark.parametrize(
    ("compiler", "reason"), [("/no/such/compiler", "no C\\+\\+ compiler"), ("false", "false failed: ")]
)
def test_where_nothing_compiles_it_is_said(
    compiler: str, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CXX", compiler)
    monkeypatch.setenv("PATH", "/nowhere" if compiler.startswith("/") else "/bin:/usr/bin")
    monkeypatch.setenv("ELMAN_CACHE", str(tmp_path))
    with pytest.raises(library.CannotCompileError, match=reason):
        library.load_library.__wrapped__()
    assert not list(tmp_path.rglob("*.so"))
