"""What a parallel scan bears beyond the contract of every path: long windows, decays of any size, bf16."""

import pytest
import torch
from torch import Tensor

from elman.cells import CELLS, LinearCell
from elman.recurrence import reference, scan

LINEAR = [name for name, cell in CELLS.items() if issubclass(cell, LinearCell)]
each_cell = pytest.mark.parametrize("name", LINEAR)


def in_turn(a: Tensor, b: Tensor, start: Tensor) -> Tensor:
    states = [start]
    for factor, added in zip(a, b, strict=True):
        states.append(factor * states[-1] + added)
    return torch.stack(states[1:])


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 9, 16, 17, 100, 257])
@pytest.mark.parametrize("decay", ["zero", "negative", "one", "growing", "mixed"])
def test_a_scan_equals_its_steps_in_turn_whatever_the_decay(steps: int, decay: str) -> None:
    """Zero and negative factors have no logarithm, and products of them no quotient."""
    torch.manual_seed(steps)
    shape = (steps, 2, 3)
    a = {
        "zero": torch.zeros(shape),
        "negative": -torch.rand(shape),
        "one": torch.ones(shape),
        "growing": 1 + torch.rand(shape) / 100,
        "mixed": torch.rand(shape).round() * torch.randn(shape).clamp(-1, 1),
    }[decay].double()
    tensors = [a, torch.randn(shape).double(), torch.randn(2, 3).double()]
    weights, found = torch.randn(shape).double(), []
    for run in (scan.Scan.apply, in_turn):
        inputs = [tensor.clone().requires_grad_() for tensor in tensors]
        states = run(*inputs)
        (states * weights).sum().backward()
        found.append([states.detach(), *(part.grad for part in inputs)])
    torch.testing.assert_close(found[0], found[1], rtol=1e-12, atol=1e-12)


@each_cell
def test_a_product_that_vanishes_over_a_long_window_leaves_numbers(name: str) -> None:
    """Over 4,096 steps a product of what is kept falls far below the smallest number of fp32."""
    torch.manual_seed(0)
    cell = CELLS[name](4, 5)
    x = torch.randn(4096, 2, 4).requires_grad_()
    outputs, state = scan.unroll(cell, x, cell.initial_state(2))
    expected, _ = reference.unroll(cell, x, cell.initial_state(2))
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-5)
    state.h.sum().backward()
    assert all(part.grad.isfinite().all() for part in (x, *cell.parameters()))


@each_cell
@pytest.mark.parametrize("size", [1.0, 30.0, 1e3, 1e15])
def test_gates_that_are_wide_open_or_shut_leave_numbers_and_gradients(name: str, size: float) -> None:
    cell = CELLS[name](1, 4)
    signs = torch.cartesian_prod(*[torch.tensor([-size, 0.0, size])] * 3)  # (27, 3): every way
    projected = signs[:, : cell.gates].repeat_interleave(4, dim=1).requires_grad_()
    a, b = cell.coefficients(projected)
    assert ((a >= 0) & (a <= 1)).all()
    (a.sum() + b.sum()).backward()
    for part in (a, b, projected.grad, *(p.grad for p in cell.parameters() if p.grad is not None)):
        assert part.isfinite().all()


def test_the_room_of_an_rg_lru_is_exact_where_its_gate_is_almost_shut() -> None:
    """There a is so near 1 that 1 - a^2, as it stands, would have lost all its digits."""
    cell = CELLS["rg-lru"](1, 3, bias=False)
    projected = torch.tensor([[-20.0] * 3 + [50.0] * 3 + [1.0] * 3])  # r = 2e-9, i = 1, u = 1
    _, b = cell.coefficients(projected)
    exact = cell.double().coefficients(projected.double())[1]
    torch.testing.assert_close(b.double(), exact, rtol=1e-5, atol=0)
    assert (exact > 1e-6).all()


@each_cell
def test_under_bf16_only_the_input_product_is_rounded(name: str) -> None:
    torch.manual_seed(1)
    cell = CELLS[name](16, 32)
    x, start = torch.randn(300, 2, 16), cell.state_type(torch.randn(2, 32))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs, state = scan.unroll(cell, x, start)
        projected = cell.project(x)
    assert outputs.dtype == state.h.dtype == torch.float32
    a, b = cell.double().coefficients(projected)
    torch.testing.assert_close(outputs.double(), in_turn(a, b, start.h.double()), rtol=1e-5, atol=1e-5)
