"""Dropout, against what its definition says of shares and sums, and torch's."""

import numpy as np
import pytest
import torch

from elman.model.dropout import Dropout
from elman.recurrence.native import LEVELS


@pytest.fixture(params=["torch", "native"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test by torch and by the library."""
    monkeypatch.setattr(Dropout, "native", request.param == "native")
    return str(request.param)


@pytest.mark.parametrize("probability", [0.05, 0.5, 0.65])
@pytest.mark.parametrize("shape", [(1001, 999), (3, 5, 66_667)])
@pytest.mark.usefixtures("path")
def test_a_share_is_dropped_and_what_is_left_makes_up_for_it(
    probability: float, shape: tuple[int, ...]
) -> None:
    torch.manual_seed(1)
    x = torch.ones(shape, requires_grad=True)
    dropped = Dropout(probability)(x)
    dropped.sum().backward()
    deviation = (probability * (1 - probability) / x.numel()) ** 0.5
    assert abs((dropped == 0).double().mean() - probability) < 3.3 * deviation  # one in a thousand
    assert dropped.unique().tolist() == [0.0, pytest.approx(1 / (1 - probability))]
    assert torch.equal(x.grad, dropped)


@pytest.mark.usefixtures("path")
def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(1)
    kept = (Dropout(0.5)(torch.ones(2**20)) > 0).double()
    for lag in (1, 2, 3, 4, 5, 64):
        assert abs(torch.corrcoef(torch.stack([kept[:-lag], kept[lag:]]))[0, 1]) < 4 / 2**10


@pytest.mark.parametrize("probability", [0.0, 0.3])
@pytest.mark.usefixtures("path")
def test_nothing_is_dropped_outside_training_or_with_probability_0(probability: float) -> None:
    layer, x = Dropout(probability), torch.randn(4, 5)
    assert torch.equal(layer.eval()(x), x)
    if not probability:
        assert torch.equal(layer.train()(x), x)


@pytest.mark.usefixtures("path")
def test_the_seed_decides() -> None:
    layer, x = Dropout(0.5), torch.randn(7, 9)
    torch.manual_seed(3)
    first = layer(x)
    second = layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert not torch.equal(second, first)
    assert layer(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_library_draws_by_splitmix64(
    kind: torch.dtype, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dropout, "native", True)
    torch.manual_seed(5)
    (seed,) = torch.empty(1, dtype=torch.int64).random_(-(2**63), None).tolist()
    state, words = seed % 2**64, []
    for _ in range(251):  # as its authors write it
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        words.append(z ^ (z >> 31))
    bits = np.array(words, np.dtype("<u8")).view("<u2")[:1003].reshape(17, 59)
    kept = torch.from_numpy(bits >= round(0.3 * LEVELS))
    torch.manual_seed(5)
    x, before = torch.randn(59, 17).to(kind).T.requires_grad_(), torch.get_num_threads()  # not in order
    torch.set_num_threads(threads)
    torch.manual_seed(5)
    dropped = Dropout(0.3)(x)
    dropped.backward(x.detach())
    torch.set_num_threads(before)
    expected = (x.detach().float() * kept / 0.7).to(kind)
    torch.testing.assert_close(dropped.detach(), expected)
    torch.testing.assert_close(x.grad, expected)


@pytest.mark.parametrize("width", [4, 19, 64, 76])
@pytest.mark.parametrize("threads", [1, 3])
def test_rows_that_stand_among_others_are_dropped_as_if_alone(
    width: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dropout, "native", True)
    layer, rows, before = Dropout(0.5), torch.randn(6, 9, width)[:, 2:7], torch.get_num_threads()
    found = []
    torch.set_num_threads(threads)
    for x in (rows.contiguous(), rows):
        torch.manual_seed(5)
        x = x.detach().requires_grad_()
        dropped = layer(x)
        dropped.backward(torch.ones_like(dropped))
        found += [dropped.detach(), x.grad]
    torch.set_num_threads(before)
    assert torch.equal(found[0], found[2])
    assert torch.equal(found[1], found[3])
