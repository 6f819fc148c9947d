"""Scores of gaps, against the same read another way, against formulas and against counting by hand."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch

from elman.config import ModelSettings
from elman.evaluation.gaps import gap_nats, score_gaps
from elman.evaluation.neighbours import SIDE, measure_gap_baselines, neighbour_nats
from elman.evaluation.score import Scored
from elman.evaluation.spelling import Spelling
from elman.model import Network, TorchEngine
from elman.tokens.character import CharacterTokenizer

V = 11


class NeighbourEngine:
    """Its logits at t are a table of the tokens on both sides, so that no block can change them."""

    name, vocabulary_size = "table", V

    def __init__(self) -> None:
        self.table = np.random.default_rng(0).normal(size=(V + 1, V + 1, V)).astype(np.float32)
        self.steps: list[int] = []

    def initial_state(self, rows: int) -> int:
        return rows

    def feed(self, ids: np.ndarray, state: int) -> tuple[np.ndarray, int]:
        assert ids.shape[1] == state
        self.steps.append(len(ids))
        edge = np.full((1, ids.shape[1]), V)
        padded = np.concatenate([edge, ids, edge])
        return self.table[padded[:-2], padded[2:]], state


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 100, 1003])
@pytest.mark.parametrize("window", [1, 2, 8, 48])
def test_blocks_give_what_the_whole_text_gives(count: int, window: int) -> None:
    """Where a block reads at least one token on each side, which is all that this engine looks at."""
    engine, ids = NeighbourEngine(), np.random.default_rng(1).integers(0, V, count)
    padded = np.concatenate([[V], ids, [V]])
    logits = torch.from_numpy(engine.table[padded[:-2], padded[2:]])
    expected = torch.nn.functional.cross_entropy(logits, torch.from_numpy(ids), reduction="none")
    found = gap_nats(engine, ids, window)
    np.testing.assert_allclose(found.nats, expected.numpy(), rtol=0, atol=1e-5)
    assert np.array_equal(found.right, logits.argmax(dim=-1).numpy() == ids)
    assert max(engine.steps) <= 3 * max(1, window // 2)


def test_a_network_reads_half_a_window_to_a_whole_one_on_each_side() -> None:
    torch.manual_seed(0)
    settings = {"hidden_size": 6, "embedding_size": 4, "two_stream": True}
    engine = TorchEngine(Network(ModelSettings.model_validate(settings), V))
    ids, window, half = np.random.default_rng(2).integers(0, V, 60), 8, 4
    found = gap_nats(engine, ids, window).nats
    for place in range(60):
        start = place // half * half
        row = ids[max(0, start - half) : start + 2 * half]
        logits = torch.from_numpy(engine.feed(row[:, None], engine.initial_state(1))[0])
        at = place - max(0, start - half)
        expected = -torch.log_softmax(logits[at, 0], dim=-1)[ids[place]].item()
        assert found[place] == pytest.approx(expected, abs=1e-5)


def test_the_score_of_a_text_in_chunks_is_that_of_the_whole_text() -> None:
    text = "the cat sat on the mat and saw the dog " * 20
    tokenizer = CharacterTokenizer.learn([text])
    engine = NeighbourEngine()
    engine.vocabulary_size = V  # more tokens than the table has would be an index error
    kept = "".join(character for character in text if tokenizer.encode(character)[0] < V)
    model = Scored(engine, tokenizer, Spelling.learn(kept), window=8)
    whole = score_gaps(model, [kept])
    assert whole.characters == whole.tokens == len(kept)
    assert whole.right is not None
    assert whole.as_dict()["right"] == whole.right / whole.tokens
    ids = tokenizer.encode(kept)
    assert whole.nats == pytest.approx(gap_nats(engine, ids, 8).nats.sum(dtype=np.float64), rel=1e-6)
    after = score_gaps(model, [kept[100:]], context=kept[:100])
    assert after.nats == pytest.approx(gap_nats(engine, ids, 8).nats[100:].sum(dtype=np.float64), rel=1e-6)


def by_hand(train: list[int], heldout: list[int], size: int) -> list[list[float]]:
    """p(x | nearest neighbours) of every x at every place, by counting with dictionaries."""

    def context(ids: list[int], place: int, neighbours: int) -> tuple[int, ...]:
        left, right = (neighbours + 1) // 2, neighbours // 2
        padded = [size + 1] * SIDE + ids + [size + 1] * SIDE
        at = place + SIDE
        return (*padded[at - left : at], -1, *padded[at + 1 : at + 1 + right])

    distributions = []
    for place in range(len(heldout)):
        probabilities = [1 / (size + 1)] * (size + 1)
        for neighbours in range(2 * SIDE + 1):
            here = context(heldout, place, neighbours)
            counts = Counter(train[n] for n in range(len(train)) if context(train, n, neighbours) == here)
            total, kinds = sum(counts.values()), len(counts)
            if total:
                probabilities = [
                    (counts[x] + kinds * p) / (total + kinds) for x, p in enumerate(probabilities)
                ]
        distributions.append(probabilities)
    return distributions


def test_neighbours_are_counted_as_by_hand_and_every_distribution_sums_to_one() -> None:
    random = np.random.default_rng(3)
    train, heldout = random.integers(0, 4, 150), random.integers(0, 5, 30)  # 4 is <unk>
    distributions = by_hand(train.tolist(), heldout.tolist(), 4)
    assert all(sum(row) == pytest.approx(1) for row in distributions)
    expected = -sum(math.log(row[x]) for row, x in zip(distributions, heldout.tolist(), strict=True))
    assert neighbour_nats(train, heldout, 4)[-1] == pytest.approx(expected, rel=1e-12)


def test_more_neighbours_help_where_the_text_has_structure() -> None:
    text = "".join(f"{n} plus one is {n + 1}.\n" for n in range(400))
    train, heldout = text[:6000], text[6000:]
    ids = np.array([ord(c) for c in train]), np.array([ord(c) for c in heldout])
    nats = neighbour_nats(*ids, 128)
    assert all(more < fewer for fewer, more in pairwise(nats[:4]))
    baselines = measure_gap_baselines([train], heldout)
    assert list(baselines)[0] == "unigram"
    (best,) = [b.nats for name, b in baselines.items() if name.startswith("neighbours")]
    assert best < baselines["unigram"].nats / 2


def test_a_character_that_training_lacks_costs_its_spelling() -> None:
    known = measure_gap_baselines(["abcabcabc" * 30], "abcabc")
    new = measure_gap_baselines(["abcabcabc" * 30], "abcabz")
    cost = Spelling.learn("abc").nats("z")
    assert new["unigram"].nats - known["unigram"].nats > cost
