"""Two streams: what stands before a token and what stands after it, and never the token itself."""

import pytest
import torch

from elman.cells import CELLS
from elman.config import ModelSettings
from elman.evaluation.leak import find_leak, find_peek, predict_with
from elman.model import Network, TorchEngine

V = 9


def network(**settings: object) -> Network:
    torch.manual_seed(2)
    options = {"hidden_size": 7, "embedding_size": 5, "two_stream": True, **settings}
    return Network(ModelSettings.model_validate(options), V).double().eval()


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("batch_first", [False, True])
def test_each_prediction_is_made_of_a_run_up_to_the_token_and_a_run_back_to_it(
    cell: str, layers: int, batch_first: bool
) -> None:
    made = network(cell=cell, layers=layers, batch_first=batch_first)
    ids = torch.randint(V, (6, 3))
    logits, _ = made(ids, made.initial_state(3))
    x = made.embedding(ids)
    for place in range(6):
        streams = []
        for stack, read in ((made.stack, x[:place]), (made.backward_stack, x[place + 1 :].flip(0))):
            states = stack.initial_state(3)
            for step in read:
                axis = 1 if batch_first else 0
                _, states = stack(step.unsqueeze(axis), states)
            streams.append(states[-1].h)
        expected = made.decoder(torch.cat(streams, dim=-1))
        torch.testing.assert_close(logits[place], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("layers", [1, 3])
def test_no_token_has_a_part_in_its_own_prediction_and_every_other_has(cell: str, layers: int) -> None:
    engine = TorchEngine(network(cell=cell, layers=layers).float())
    assert find_peek(engine) is None
    leak = find_leak(predict_with(engine), V, shift=0)
    assert leak is not None
    assert leak.source == "a later token"


def test_a_bidirectional_model_that_would_fill_gaps_is_found_to_see_the_token_itself() -> None:
    both = network(two_stream=False, bidirectional=True).float()
    leak = find_peek(TorchEngine(both))
    assert leak is not None
    assert leak.source == "the token itself"
    assert "when the token itself changed" in str(leak)
