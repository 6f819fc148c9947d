"""Filling gaps, with an engine whose answers are known."""

import numpy as np
import pytest

from elman.errors import RequestError
from elman.generation import fill
from elman.tokens.character import CharacterTokenizer

TEXT = "the cat sat on the mat. "


class Memory:
    """Knows one text by heart: at t the logits favour whatever stood between such neighbours there."""

    name = "memory"

    def __init__(self, text: str) -> None:
        self.tokenizer = CharacterTokenizer.learn([text])
        self.ids = self.tokenizer.encode(text)
        self.vocabulary_size = self.tokenizer.size

    def initial_state(self, rows: int) -> None:
        return None

    def feed(self, ids: np.ndarray, state: None) -> tuple[np.ndarray, None]:
        logits = np.zeros((*ids.shape, self.vocabulary_size), dtype=np.float32)
        if self.tokenizer.unknown is not None:
            logits[..., self.tokenizer.unknown] = 50  # likeliest of all, and never to be written
        for place, row in np.ndindex(ids.shape):
            for at in range(1, len(self.ids) - 1):
                before = place > 0 and ids[place - 1, row] == self.ids[at - 1]
                after = place + 1 < len(ids) and ids[place + 1, row] == self.ids[at + 1]
                logits[place, row, self.ids[at]] += 2.0 * before + 2.0 * after + 6.0 * (before and after)
        return logits, state


def filled(text: str, mark: str = "_") -> str:
    engine = Memory(TEXT)
    return fill(engine, engine.tokenizer, text, 8, mark).text


def test_a_gap_is_filled_from_both_sides() -> None:
    assert filled("the ca_ sat") == "the cat sat"
    assert filled("_he cat sat o_ the") == "the cat sat on the"


def test_a_gap_is_reported_with_its_place_its_surprise_and_the_alternatives() -> None:
    engine = Memory(TEXT)
    (gap,) = fill(engine, engine.tokenizer, "the m_t", 8).gaps
    assert (gap.position, gap.piece) == (5, "a")
    logits, _ = engine.feed(engine.tokenizer.encode("the mat")[:, None], None)
    scores = logits[5, 0].astype(np.float64)
    scores[engine.tokenizer.unknown] = -np.inf
    probabilities = np.exp(scores) / np.exp(scores).sum()
    assert gap.nats == pytest.approx(-np.log(probabilities.max()))
    assert gap.alternatives[0] == ("a", pytest.approx(probabilities.max()))
    shares = [share for _, share in gap.alternatives]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == 5


def test_what_stands_in_place_of_the_mark_does_not_matter_and_text_around_is_kept() -> None:
    assert filled("the ca# sat_ \u03a9", mark="#") == "the cat sat_ \u03a9"
    kept = filled("the ca_ sat on the mat. the cat sat on")
    assert kept == "the cat sat on the mat. the cat sat on"


def test_several_gaps_are_filled_until_each_fits_the_others() -> None:
    engine = Memory(TEXT)
    result = fill(engine, engine.tokenizer, "the c__ sat", 8)
    for gap in result.gaps:
        ids = engine.tokenizer.encode(result.text)
        logits, _ = engine.feed(ids[:, None], None)
        logits[..., engine.tokenizer.unknown] = -np.inf
        assert ids[gap.position] == logits[gap.position, 0].argmax()
    assert result.nats == pytest.approx(sum(gap.nats for gap in result.gaps))


@pytest.mark.parametrize(
    ("text", "mark", "said"),
    [
        ("no gap", "_", "has no gap"),
        ("__", "_", "nothing but gaps"),
        ("a_b", "", "mark"),
        ("a_b", "__", "mark"),
    ],
)
def test_what_cannot_be_filled_is_refused(text: str, mark: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        filled(text, mark)
