"""Dynamic evaluation against the same in plain torch: predict a segment, take a step, predict the next."""

import numpy as np
import torch
from torch import nn

from elman.config import ModelSettings
from elman.model import Network, TorchEngine
from elman.training import DynamicEngine
from elman.training.dynamic import SEGMENT, SETTINGS

V = 7


def network() -> Network:
    torch.manual_seed(3)
    return Network(ModelSettings(cell="gru", hidden_size=6, embedding_size=5, dropout=0.5), V)


def test_each_segment_is_predicted_by_weights_that_learned_from_those_before() -> None:
    ids = np.random.default_rng(0).integers(0, V, (3 * SEGMENT + 5, 1))
    engine = DynamicEngine(network())
    found, _ = engine.feed(ids, engine.initial_state(1))
    plain = network().eval()
    optimizer = torch.optim.SGD(plain.parameters(), lr=SETTINGS.learning_rate)
    state = plain.initial_state(1)
    for start in range(0, len(ids), SEGMENT):
        segment = torch.from_numpy(ids[start : start + SEGMENT])
        logits, state = plain(segment, tuple(type(one)(*(part.detach() for part in one)) for one in state))
        torch.testing.assert_close(torch.from_numpy(found[start : start + SEGMENT]), logits.detach())
        optimizer.zero_grad()
        nn.functional.cross_entropy(logits[:-1, 0], segment[1:, 0]).backward()
        nn.utils.clip_grad_norm_(plain.parameters(), SETTINGS.clip)
        optimizer.step()


def test_what_comes_later_changes_nothing_of_what_was_predicted() -> None:
    ids = np.random.default_rng(1).integers(0, V, (2 * SEGMENT, 1))
    other = ids.copy()
    other[SEGMENT + 3 :] = (other[SEGMENT + 3 :] + 1) % V
    one, two = (DynamicEngine(network()) for _ in range(2))
    found, changed = (e.feed(x, e.initial_state(1))[0] for e, x in ((one, ids), (two, other)))
    assert np.array_equal(found[: SEGMENT + 3], changed[: SEGMENT + 3])
    assert not np.array_equal(found, changed)
    static = TorchEngine(network())
    assert np.allclose(found[:SEGMENT], static.feed(ids[:SEGMENT], static.initial_state(1))[0], atol=1e-6)
