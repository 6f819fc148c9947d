"""Layer normalisation by the library, against torch in fp64 and torch in the same precision."""

import pytest
import torch
from torch import Tensor

from elman.config import ModelSettings
from elman.model import Network
from elman.model.norm import Norm
from elman.recurrence import choose, native


def results(norm: torch.nn.LayerNorm, x: Tensor, bf16: bool = False) -> list[Tensor]:
    """Output and all gradients."""
    norm.zero_grad()
    x = x.detach().clone().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        # what reads it is a product, which rounds under autocast
        normal = norm(x)
        made = torch.nn.functional.linear(normal, torch.eye(x.shape[-1], dtype=x.dtype))
    weights = torch.linspace(-1, 1, made.numel(), dtype=torch.float64).reshape(made.shape)
    (made.double() * weights).sum().backward()
    return [part.detach().double() for part in (made, x.grad, norm.weight.grad, norm.bias.grad)]


def norms(width: int) -> tuple[Norm, torch.nn.LayerNorm]:
    """The same weights, by the library and by torch."""
    ours, torchs = Norm(width), torch.nn.LayerNorm(width)
    torch.nn.init.normal_(ours.weight)
    torch.nn.init.normal_(ours.bias)
    torchs.load_state_dict(ours.state_dict())
    ours.native = True
    return ours, torchs


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("shape", [(5, 3, 48), (1, 128), (70, 2, 16)])
def test_it_is_torchs_to_rounding(shape: tuple[int, ...], threads: int) -> None:
    torch.manual_seed(1)
    ours, torchs = norms(shape[-1])
    x, before = torch.randn(shape) * 3 + 40, torch.get_num_threads()  # far from zero
    torch.set_num_threads(threads)
    found = results(ours, x)
    torch.set_num_threads(before)
    exact = results(torchs.double(), x.double())
    for part, expected in zip(found, exact, strict=True):
        torch.testing.assert_close(part, expected, rtol=2e-5, atol=2e-5)


def test_in_bf16_it_is_as_near_as_torch() -> None:
    torch.manual_seed(2)
    ours, torchs = norms(64)
    x = torch.randn(40, 64)
    found, theirs = results(ours, x, bf16=True), results(torchs, x, bf16=True)
    exact = results(torchs.double(), x.double())
    assert ours.native
    for part, rival, expected in zip(found, theirs, exact, strict=True):
        assert (part - expected).norm() <= 1.1 * (rival - expected).norm()


def test_a_width_that_is_no_whole_vectors_goes_to_torch() -> None:
    ours, torchs = norms(12)
    x = torch.randn(3, 12)
    assert torch.equal(ours(x), torchs(x))


def test_the_path_of_the_cells_decides() -> None:
    network = Network(ModelSettings(cell="min-gru", hidden_size=32, residual=True), 11)
    assert not network.stack.norms[0].native
    network.use(choose(network.stack.cells[0], "native"))
    assert network.stack.norms[0].native
    assert network.dropout.native
    assert network.stack.dropout.native
    network.use(choose(network.stack.cells[0], "scan"))
    assert not network.stack.norms[0].native
    assert not network.dropout.native
    assert native.lanes() in (8, 16)
