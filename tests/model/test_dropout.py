"""Dropout, against what its definition says of shares and sums, and torch's."""

import pytest
import torch

from elman.model.dropout import Dropout


@pytest.mark.parametrize("probability", [0.05, 0.5, 0.65])
@pytest.mark.parametrize("shape", [(1001, 999), (3, 5, 66_667)])
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


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(1)
    kept = (Dropout(0.5)(torch.ones(2**20)) > 0).double()
    for lag in (1, 2, 3, 4, 5, 64):
        assert abs(torch.corrcoef(torch.stack([kept[:-lag], kept[lag:]]))[0, 1]) < 4 / 2**10


@pytest.mark.parametrize("probability", [0.0, 0.3])
def test_nothing_is_dropped_outside_training_or_with_probability_0(probability: float) -> None:
    layer, x = Dropout(probability), torch.randn(4, 5)
    assert torch.equal(layer.eval()(x), x)
    if not probability:
        assert torch.equal(layer.train()(x), x)


def test_the_seed_decides() -> None:
    layer, x = Dropout(0.5), torch.randn(7, 9)
    torch.manual_seed(3)
    first = layer(x)
    second = layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert not torch.equal(second, first)
    assert layer(x.bfloat16()).dtype == torch.bfloat16
