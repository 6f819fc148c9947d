"""The parts of a text: where they lie, and which shares are refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elman.errors import SettingsError
from elman.text import Part, split


def test_tiny_shakespeare_is_cut_where_its_tutorials_cut_it():
    assert split(1_115_394) == [Part("train", 0, 1_003_854), Part("validation", 1_003_854, 1_115_394)]


def test_three_shares_give_a_test_part():
    assert split(1000, "80/15/5") == [
        Part("train", 0, 800),
        Part("validation", 800, 950),
        Part("test", 950, 1000),
    ]


@given(st.integers(0, 10**15), st.integers(1, 98), st.data())
def test_parts_cover_the_text_and_each_is_within_a_character_of_its_share(characters, train, data):
    validation = data.draw(st.integers(1, 99 - train))
    shares = (train, validation, 100 - train - validation)
    parts = split(characters, "/".join(map(str, shares)))
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    assert parts[-1].stop == characters
    for part, share in zip(parts, shares, strict=True):
        assert abs((part.stop - part.start) - Fraction(characters * share, 100)) < 1


@pytest.mark.parametrize(
    ("shares", "fault"),
    [
        ("90/20", "sums to 110"),
        ("100", "is not two or three whole numbers"),
        ("25/25/25/25", "is not two or three whole numbers"),
        ("90.5/9.5", "is not two or three whole numbers"),
        ("-10/110", "is not two or three whole numbers"),
        ("\u0669\u0660/\u0661\u0660", "is not two or three whole numbers"),
        ("", "is not two or three whole numbers"),
        ("0/100", "leaves nothing for train"),
        ("90/0/10", "leaves nothing for validation"),
    ],
)
def test_shares_that_cannot_be_used_are_refused_with_the_reason(shares, fault):
    with pytest.raises(SettingsError) as raised:
        split(1000, shares)
    assert str(raised.value) == (
        f"split {shares!r} {fault}; expected train/validation or train/validation/test in per cent, "
        "together 100; give for example 90/10 or 80/10/10"
    )
