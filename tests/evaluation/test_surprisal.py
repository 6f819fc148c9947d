"""One stream that is read side by side against the same stream read in order, and against a formula."""

from typing import Any

import numpy as np
import pytest
import torch

from elman.config import ModelSettings
from elman.evaluation import surprisal
from elman.evaluation.score import Scored, score_text
from elman.evaluation.spelling import Spelling
from elman.evaluation.surprisal import SurprisalStream
from elman.model import Network, TorchEngine
from elman.tokens import learn_tokenizer


@pytest.fixture(autouse=True)
def _short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STRETCHES": 8, "SHORTEST": 50, "LONGEST": 200, "PIECE": 16}.items():
        monkeypatch.setattr(surprisal, name, value)


class Remembering:
    """An engine whose state is the sum of the tokens since the last 0, `memory` times as large at each.

    `late`: a 0 still tells of the sum before it, which the state has then forgotten.
    """

    name = "remembering"

    def __init__(self, memory: float, vocabulary_size: int = 5, late: bool = False) -> None:
        self.memory, self.vocabulary_size, self.late = memory, vocabulary_size, late
        self.steps, self.rows = 0, {0}

    def initial_state(self, rows: int) -> Any:
        return (np.zeros((rows, 1), dtype=np.float32),)

    def feed(self, ids: Any, state: Any) -> Any:
        self.steps, self.rows = self.steps + len(ids), self.rows | {ids.shape[1]}
        (total,), logits = state, []
        for step in ids:
            token = step[:, np.newaxis]
            heard = (self.memory * total + token).astype(np.float32)
            total = heard * (token > 0)
            told = heard if self.late else total
            logits.append(np.sin(told * np.arange(1, self.vocabulary_size + 1)).astype(np.float32))
        return np.stack(logits), (total,)

    step: Any = None
    write: Any = None


def nats(engine: Any, ids: Any, in_order: bool = False) -> Any:
    return np.concatenate(list(SurprisalStream(engine, in_order=in_order).read(ids)))


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("count", [399, 400, 1000, 1601, 5000])
def test_side_by_side_is_what_in_order_is(memory: float, count: int) -> None:
    ids = np.random.default_rng(count).integers(0, 5, count)
    ids[200:320] += ids[200:320] == 0  # what is remembered goes through two stretches of 50 and more
    engine, alone = Remembering(memory), Remembering(memory)
    np.testing.assert_allclose(nats(engine, ids), nats(alone, ids, in_order=True), atol=3e-4)
    assert alone.steps == count
    assert (engine.steps < count) == (count >= 400)


def test_what_logits_tell_and_the_state_has_forgotten_counts() -> None:
    ids = np.random.default_rng(0).integers(1, 5, 400)
    ids.reshape(8, 50)[:, 15] = 0  # at the end of the first piece of each stretch
    found = nats(Remembering(1.0, late=True), ids)
    np.testing.assert_allclose(found, nats(Remembering(1.0, late=True), ids, in_order=True), atol=3e-4)


@pytest.mark.parametrize("memory", [1.0, 0.999])
def test_who_does_not_forget_is_read_in_order_and_never_tried_again(memory: float) -> None:
    ids = np.random.default_rng(1).integers(1, 5, 10_000)
    engine = Remembering(memory)
    np.testing.assert_allclose(nats(engine, ids), nats(Remembering(memory), ids, in_order=True), atol=3e-4)
    assert engine.steps < 10_000 + 2 * 200


def test_a_network_costs_what_torch_says_over_chunks_of_any_size() -> None:
    torch.manual_seed(1)
    model = Network(ModelSettings(hidden_size=12, embedding_size=5), 7).eval()
    with torch.no_grad():
        model.decoder.weight.normal_(0, 2)
    ids = np.random.default_rng(0).integers(0, 7, 3000)
    with torch.inference_mode():
        tokens = torch.from_numpy(ids)
        logits, _ = model(tokens[:-1, None], model.initial_state(1))
        expected = torch.nn.functional.cross_entropy(logits[:, 0].double(), tokens[1:], reduction="none")
    stream = SurprisalStream(TorchEngine(model), ids[:1])
    found = [block for part in np.split(ids[1:], [700, 701, 1900]) for block in stream.read(part)]
    np.testing.assert_allclose(np.concatenate(found), expected.numpy(), atol=1e-4)
    assert np.concatenate(found).mean() == pytest.approx(expected.mean().item(), rel=1e-6)


@pytest.mark.parametrize(("leak", "learns"), [(None, False), ("it sees what comes", False), (None, True)])
def test_who_learns_or_sees_what_comes_is_read_in_order(leak: str | None, learns: bool) -> None:
    text = "abcd " * 200
    tokenizer = learn_tokenizer("character", [text])
    engine = Remembering(0.5, tokenizer.size)
    dynamic: Any = engine if learns else None
    score_text(Scored(engine, tokenizer, Spelling.learn([]), leak, dynamic=dynamic), [text])
    assert (max(engine.rows) == 1) == (learns or leak is not None)


def test_progress_is_told_as_stretches_are_read_and_adds_up_to_the_text() -> None:
    text = "abcd " * 1000
    tokenizer = learn_tokenizer("bpe", [text])
    told: list[int] = []
    model = Scored(Remembering(0.5, tokenizer.size), tokenizer, Spelling.learn([]))
    score_text(model, [text[:1001], text[1001:]], advance=told.append)
    assert sum(told) == len(text)
    assert len(told) > 2
