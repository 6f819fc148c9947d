"""The score against its formula, on engines whose probabilities are known."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from elman.config import ModelSettings
from elman.evaluation.baselines import Baseline
from elman.evaluation.score import Score, Scored, SurprisalStream, score_rows, score_text
from elman.evaluation.spelling import Spelling
from elman.evaluation.verdict import verdict
from elman.model import Network, TorchEngine
from elman.tokens import learn_tokenizer
from elman.tokens.store import Tokens

TEXT = "abracadabra, a cadabra. " * 40


class Uniform:
    """An engine to which every token is equally likely."""

    name = "uniform"

    def __init__(self, vocabulary_size: int) -> None:
        self.vocabulary_size = vocabulary_size

    def initial_state(self, rows: int) -> Any:
        return None

    def step(self, ids: Any, state: Any) -> Any:
        return np.zeros((len(ids), self.vocabulary_size), dtype=np.float32), None

    def feed(self, ids: Any, state: Any) -> Any:
        return np.zeros((*ids.shape, self.vocabulary_size), dtype=np.float32), None


def network(vocabulary_size: int) -> Network:
    torch.manual_seed(1)
    made = Network(ModelSettings(hidden_size=12, embedding_size=5), vocabulary_size).eval()
    with torch.no_grad():
        made.decoder.weight.normal_(0, 2)
    return made


@pytest.mark.parametrize("kind", ["character", "byte", "word", "bpe"])
def test_an_even_model_costs_log_v_a_token_and_spelling_on_top(kind: str) -> None:
    tokenizer = learn_tokenizer(kind, [TEXT])
    spelling = Spelling.learn(["a", "b"])
    text = TEXT + "Ω new "
    score = score_text(Scored(Uniform(tokenizer.size), tokenizer, spelling), [text])
    tokens = len(tokenizer.encode(text))
    unknown = tokenizer.unknown_pieces(text)
    assert (score.tokens, score.characters, score.bytes) == (tokens, len(text), len(text.encode()))
    assert score.unknown == len(unknown)
    assert score.spelling_nats == pytest.approx(sum(map(spelling.nats, unknown)))
    assert score.nats == pytest.approx(tokens * math.log(tokenizer.size) + score.spelling_nats, rel=1e-6)
    assert score.bits_per_byte == pytest.approx(score.nats / len(text.encode()) / math.log(2))
    assert score.perplexity == pytest.approx(math.exp(score.nats / tokens))


def test_one_stream_equals_torch_cross_entropy_with_the_state_carried_over_chunks_and_blocks() -> None:
    tokenizer = learn_tokenizer("character", [TEXT])
    model = network(tokenizer.size)
    ids = torch.from_numpy(tokenizer.encode("b" + TEXT).astype(np.int64))
    with torch.inference_mode():
        logits, _ = model(ids[:-1, None], model.initial_state(1))
        expected = torch.nn.functional.cross_entropy(logits[:, 0].double(), ids[1:], reduction="sum").item()
    chunks = [TEXT[:100], TEXT[100:101], TEXT[101:]]
    score = score_text(Scored(TorchEngine(model), tokenizer, Spelling.learn([])), chunks, context="b")
    assert score.nats == pytest.approx(expected, rel=1e-6)
    assert score.tokens == len(TEXT)


def test_the_first_token_after_nothing_costs_log_v() -> None:
    model = network(7)
    ids = np.array([3, 1, 2])
    first, *_ = np.concatenate(list(SurprisalStream(TorchEngine(model)).read(ids)))
    assert first == pytest.approx(math.log(7), rel=1e-6)


def test_rows_equal_torch_cross_entropy_over_the_same_stretches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("elman.evaluation.score.TOKENS_IN_A_ROW", 100)
    ids = np.random.default_rng(0).integers(0, 7, 1001).astype(np.uint8)
    ids.tofile(tmp_path / "ids")
    model = network(7)
    found = score_rows(
        TorchEngine(model), Tokens(tmp_path / "ids", np.dtype(np.uint8)), rows=4, tokens_at_most=10**6
    )
    total = 0.0
    for row in range(4):
        stretch = torch.from_numpy(ids[row * 250 : row * 250 + 251].astype(np.int64))
        with torch.inference_mode():
            logits, _ = model(stretch[:-1, None], model.initial_state(1))
            total += torch.nn.functional.cross_entropy(
                logits[:, 0].double(), stretch[1:], reduction="sum"
            ).item()
    assert found == pytest.approx(total / 1000, rel=1e-6)


def test_the_verdict_names_the_best_baseline_and_memorising() -> None:
    score = Score(nats=20 * math.log(4), tokens=20, characters=20, bytes=20)
    better = {"unigram": Baseline("unigram", 100.0, 20, 20), "kneser-ney 3-gram": Baseline("k", 30.0, 20, 20)}
    worse = {"kneser-ney 3-gram": Baseline("k", 5.0, 20, 20)}
    assert verdict(score, better, None) == [
        "better than every baseline: 2.000 against 2.164 bits per byte of the best, kneser-ney 3-gram"
    ]
    assert verdict(score, worse, None)[0].startswith(
        "worse than kneser-ney 3-gram: 2.000 against 0.361 bits per byte"
    )
    assert verdict(score, {}, 1.0)[0].startswith(
        "memorising: 1.000 nats per token on the training part, 1.386 held out"
    )
    assert verdict(score, {}, 1.2) == []
    spelled = Score(20 * math.log(4), tokens=20, characters=20, bytes=20, unknown=3, spelling_nats=10.0)
    assert [said.split()[0] for said in verdict(spelled, {}, 0.8)] == ["3"]  # 0.886 without the spelling


def test_the_verdict_says_as_good_where_three_digits_are_the_same() -> None:
    score = Score(nats=1e-5, tokens=20, characters=20, bytes=20)
    same = {"lzma": Baseline("lzma", 2e-5, 20, 20)}
    assert verdict(score, same, None) == ["as good as the best baseline, lzma: 0.000 bits per byte"]


def test_who_memorises_is_not_told_to_train_longer() -> None:
    score, better = (
        Score(nats=20.0, tokens=20, characters=20, bytes=20),
        {"lzma": Baseline("lzma", 5.0, 20, 20)},
    )
    assert verdict(score, better, 0.9)[0].endswith("train longer, or with a larger model or another recipe")
    worse, memorising = verdict(score, better, 0.1)
    assert worse.endswith("bits per byte")
    assert memorising.endswith("raise model.dropout, lower model.hidden_size, or use more text")


def test_where_most_of_a_score_is_spelling_the_vocabulary_is_blamed() -> None:
    spelled = Score(20 * math.log(4), tokens=20, characters=20, bytes=20, unknown=19, spelling_nats=20.0)
    worse = {"unigram": Baseline("unigram", 5.0, 20, 20)}
    said = verdict(spelled, worse, None)[0]
    assert said.endswith(
        "the vocabulary lacks most of it: train on text of this kind, or with --tokenizer byte"
    )
    assert "train longer" not in said
