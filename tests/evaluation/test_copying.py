"""The copy check against every substring, looked up by Python."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elman.evaluation import copying
from elman.evaluation.copying import Copied, find_copies, share_copied


def slow(sample: str, text: str, run: int) -> Copied:
    substrings = [(i, j) for i in range(len(sample)) for j in range(i + 1, len(sample) + 1)]
    there = [(i, j) for i, j in substrings if sample[i:j] in text]
    covered = {place for i, j in there if j - i >= run for place in range(i, j)}
    return Copied(max((j - i for i, j in there), default=0), len(covered) / len(sample))


letters = st.text(alphabet="ab\u5929", max_size=40)


@given(sample=letters.filter(bool), pieces=st.lists(letters, max_size=4), run=st.integers(2, 6))
def test_equals_a_search_for_every_substring(sample: str, pieces: list[str], run: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copying, "RUN", run)
        patch.setattr(copying, "BLOCK", 5)
        expected = slow(sample, "".join(pieces), run)
        assert find_copies(sample, lambda: pieces) == expected
        assert share_copied(sample, pieces) == expected.share


def test_a_long_quotation_in_a_long_text_is_found_to_the_character() -> None:
    choose = random.Random(2)
    text = "".join(choose.choices("etaoin shrdlu", k=300_000))
    sample = "X" * 50 + text[123_456:123_656] + "X" * 50
    assert find_copies(sample, lambda: [text[:123_500], text[123_500:]]) == Copied(200, 200 / 300)
    assert find_copies("XYZ" * 20, lambda: [text]) == Copied(0, 0.0)


def test_an_empty_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="empty sample"):
        find_copies("", lambda: ["text"])
