"""Five ways to peek at what is to be predicted are found; every honest cell passes."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from elman.cells import CELLS
from elman.config import ModelSettings
from elman.evaluation.leak import find_leak, predict_with
from elman.model import Network, TorchEngine

V, H = 7, 6


def network(**settings: object) -> Network:
    torch.manual_seed(4)
    return Network(ModelSettings.model_validate({"hidden_size": H, **settings}), V)


def convolution_over_the_future(width: int = 3) -> Callable[[np.ndarray], np.ndarray]:
    embed, convolve, decode = nn.Embedding(V, H), nn.Conv1d(H, H, width, padding="same"), nn.Linear(H, V)
    return torch_predict(lambda ids: decode(convolve(embed(ids).permute(1, 2, 0)).permute(2, 0, 1)))


def normalisation_over_time() -> Callable[[np.ndarray], np.ndarray]:
    honest = network(embedding_size=5)
    decode = nn.Linear(H, V)

    def run(ids: Tensor) -> Tensor:
        outputs, _ = honest.stack(honest.embedding(ids), honest.initial_state(ids.shape[1]))
        return decode((outputs - outputs.mean(dim=0)) / outputs.std(dim=0))

    return torch_predict(run)


def a_state_that_leaks_between_rows() -> Callable[[np.ndarray], np.ndarray]:
    """As one gets by a reshape of (B, T) to (T, B) where a transposition was meant."""
    honest = network(embedding_size=5)

    def run(ids: Tensor) -> Tensor:
        half = len(ids) // 2
        first, states = honest(ids[:half], honest.initial_state(ids.shape[1]))
        rolled = tuple(type(state)(*(part.roll(1, dims=0) for part in state)) for state in states)
        return torch.cat([first, honest(ids[half:], rolled)[0]])

    return torch_predict(run)


def torch_predict(run: Callable[[Tensor], Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    def predict(ids: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return run(torch.from_numpy(ids)).numpy()

    return predict


def test_a_bidirectional_model_is_found() -> None:
    leak = find_leak(predict_with(TorchEngine(network(bidirectional=True))), V)
    assert leak is not None
    assert leak.source == "a later token"
    assert leak.difference > 1e-3
    assert "moved by" in str(leak)


def test_targets_that_are_the_inputs_are_found() -> None:
    """The prediction at t is compared with the token at t, which the model has just read."""
    honest = predict_with(TorchEngine(network()))
    assert find_leak(honest, V, shift=0) is not None
    assert find_leak(honest, V, shift=1) is None


@pytest.mark.parametrize(
    ("make", "source"),
    [
        (convolution_over_the_future, "a later token"),
        (normalisation_over_time, "a later token"),
        (a_state_that_leaks_between_rows, "another row"),
    ],
)
def test_other_ways_to_peek_are_found(make: Callable, source: str) -> None:
    leak = find_leak(make(), V)
    assert leak is not None
    assert leak.source == source


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("recurrence", ["auto", "reference"])
def test_every_honest_cell_passes(cell: str, layers: int, recurrence: str) -> None:
    torch.manual_seed(1)
    settings = ModelSettings.model_validate({"cell": cell, "layers": layers, "hidden_size": 16})
    assert find_leak(predict_with(TorchEngine(Network(settings, V, recurrence))), V) is None


def test_a_convolution_over_the_past_passes() -> None:
    embed, convolve, decode = nn.Embedding(V, H), nn.Conv1d(H, H, 3), nn.Linear(H, V)

    def run(ids: Tensor) -> Tensor:
        padded = nn.functional.pad(embed(ids).permute(1, 2, 0), (2, 0))
        return decode(convolve(padded).permute(2, 0, 1))

    assert find_leak(torch_predict(run), V) is None
