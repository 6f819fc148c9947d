"""What is told of units and places is what a slow, plain computation finds; what is planted is found."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.insight.inspection.features import Feature, read_features
from elman.insight.inspection.nearest import NEAREST, WINDOW, ask_nearest, find_nearest
from elman.insight.inspection.observation import Layer
from elman.insight.inspection.pieces import Piece, cut_pieces
from elman.insight.inspection.telling import explained_share, find_telling
from elman.tokens import learn_tokenizer

LINES = ['He said "come in, come in" and sat (it was late) down.', 'Ann wrote: "no" twice, in 1990.', ""]
TEXT = "\n".join(LINES * 12)
PLACES = [Piece(character, place, place + 1) for place, character in enumerate(TEXT)]
FEATURES = {feature.name: feature for feature in read_features(PLACES)}


def said(name: str) -> list[float]:
    return FEATURES[name].values.tolist()


def spans(pattern: str) -> list[float]:
    """1 inside a match, its last character left out, as a closing quote is outside."""
    inside = [0.0] * len(TEXT)
    for match in re.finditer(pattern, TEXT):
        inside[match.start() : match.end() - 1] = [1.0] * (match.end() - 1 - match.start())
    return inside


def test_features_say_what_stands_in_the_text() -> None:
    assert said("inside quotes") == spans('"[^"]*"')
    assert said("inside brackets") == spans(r"\([^)]*\)")
    assert said("a digit") == [float(c in "0123456789") for c in TEXT]
    assert said("a capital letter") == [float(c in "HA") for c in TEXT]
    assert said("a vowel") == [float(c in "aeiouAEIOU") for c in TEXT]
    assert said("inside a word") == [float(c.isalpha()) for c in TEXT]
    into_line = [place - (TEXT.rfind("\n", 0, place)) for place in range(len(TEXT))]
    assert said("characters since the line began") == [
        0 if character == "\n" else n for character, n in zip(TEXT, into_line, strict=True)
    ]
    ends = {match.end() - 1 for match in re.finditer(r"[A-Za-z]+", TEXT)}
    assert said("the last letter of a word") == [float(place in ends) for place in range(len(TEXT))]
    first = [part for lines in [LINES] * 12 for part in (lines[0] + "\n", lines[1] + "\n", "\n")]
    expected = [float(part[:2] == "He") for part in first for _ in part][: len(TEXT)]
    assert said("the first line of a paragraph") == expected


def test_what_comes_next_is_what_was_just_read_a_place_later() -> None:
    now, later = FEATURES["what was just read"], FEATURES["what comes next"]
    assert later.values[:-1].tolist() == now.values[1:].tolist()
    assert np.isnan(later.values[-1])
    assert now.groups[int(now.values[0])] == "H"


def slow_share(unit: np.ndarray, feature: Feature) -> float:
    """The share, by loops: the means of one half against the other half."""
    middle, left, moved = len(unit) // 2, 0.0, 0.0
    for learn, test in ((range(middle), range(middle, len(unit))), (range(middle, len(unit)), range(middle))):
        own = sum(unit[p] for p in test) / len(test)
        for p in test:
            same = [unit[q] for q in learn if feature.values[q] == feature.values[p]]
            left += (unit[p] - sum(same) / len(same)) ** 2
            moved += (unit[p] - own) ** 2
    return 1 - left / moved


def noise(units: int, memory: float) -> np.ndarray:
    """Units that know nothing of the text, and change slowly."""
    random = np.random.default_rng(2)
    drawn = random.normal(size=(len(TEXT), units))
    for place in range(1, len(TEXT)):
        drawn[place] += memory * drawn[place - 1]
    return np.tanh(drawn)


def test_a_planted_unit_is_found_with_the_share_that_the_formula_gives() -> None:
    hidden = noise(40, 0.8)
    quoted = FEATURES["inside quotes"]
    hidden[:, 7] = 0.9 * quoted.values - 0.4 + 0.2 * hidden[:, 7]
    layers = [Layer("layer 1", (noise(40, 0.5),), []), Layer("layer 2", (hidden,), [])]
    first = find_telling(layers, range(len(TEXT)), [*FEATURES.values()])[0]
    assert (first.layer, first.unit, first.feature) == ("layer 2", 7, "inside quotes")
    assert first.share == pytest.approx(slow_share(hidden[:, 7], quoted), abs=1e-9)
    inside, outside = (hidden[quoted.values == value, 7].mean() for value in (1, 0))
    assert f"{inside:+.2f} inside quotes" in first.sentence
    assert f"{outside:+.2f} outside quotes".replace("-", "\u2212") in first.sentence
    np.testing.assert_array_equal(first.values, hidden[:, 7])


def test_a_unit_that_counts_is_found_and_its_share_is_that_of_a_straight_line() -> None:
    counted = FEATURES["letters since the word began"].values
    hidden = noise(20, 0.8)
    hidden[:, 3] = 0.1 * counted + 0.02 * hidden[:, 3]
    first = find_telling([Layer("layer 1", (hidden,), [])], range(len(TEXT)), [*FEATURES.values()])[0]
    assert (first.unit, first.feature) == (3, "letters since the word began")
    middle, left, moved = len(TEXT) // 2, 0.0, 0.0
    halves = (slice(0, middle), slice(middle, None))
    for learn, test in (halves, halves[::-1]):
        slope, base = np.polyfit(counted[learn], hidden[learn, 3], 1)
        left += ((hidden[test, 3] - base - slope * counted[test]) ** 2).sum()
        moved += hidden[test, 3].var() * len(hidden[test, 3])
    assert first.share == pytest.approx(1 - left / moved, abs=1e-9)
    assert "rises" in first.sentence


@pytest.mark.parametrize("memory", [0.0, 0.8, 0.95])
def test_of_five_hundred_units_that_know_nothing_none_is_shown(memory: float) -> None:
    layers = [Layer("layer 1", (noise(500, memory),), [])]
    assert find_telling(layers, range(len(TEXT)), [*FEATURES.values()]) == []


def test_what_happens_in_one_half_only_tells_nothing() -> None:
    """A unit that is right by chance in one half would be a hundred per cent of that half."""
    quoted = np.where(np.arange(len(TEXT)) < len(TEXT) // 2, FEATURES["inside quotes"].values, 0.0)
    unit = np.where(np.arange(len(TEXT)) < len(TEXT) // 2, quoted, noise(1, 0.5)[:, 0])
    assert explained_share(unit[:, None], Feature("x", ("no", "yes"), quoted))[0] < 0.5
    assert explained_share(np.ones((len(TEXT), 1)), FEATURES["inside quotes"])[0] == 0


def test_one_long_quotation_in_each_half_is_no_evidence() -> None:
    """A slow unit may be high in both by chance, however many characters they have."""
    once = np.zeros(400)
    once[50:120] = once[250:320] = 1
    often = (np.arange(400) // 10 % 2).astype(float)
    groups = ("outside", "inside")
    assert explained_share(once[:, None], Feature("x", groups, once))[0] <= 0
    assert explained_share(often[:, None], Feature("x", groups, often))[0] == 1


def test_neighbours_are_those_of_brute_force() -> None:
    states = np.random.default_rng(1).normal(size=(120, 6)).astype(np.float32)
    for place in (0, 7, 60, 119):
        cosines = {
            other: float(a @ b / np.sqrt((a @ a) * (b @ b)))
            for other in range(120)
            if abs(other - place) > WINDOW
            for a, b in [(states[place].astype(float), states[other].astype(float))]
        }
        expected = sorted(cosines, key=lambda other: -cosines[other])[:NEAREST]
        found = find_nearest(states, place)
        assert [near.place for near in found] == expected
        assert [near.cosine for near in found] == pytest.approx([cosines[p] for p in expected], abs=1e-6)


def test_the_most_surprising_places_are_asked_and_none_near_another() -> None:
    random = np.random.default_rng(3)
    surprise = random.random(400)
    surprise[0], surprise[50], surprise[52], surprise[300] = 99, 20, 19, 18
    asked = ask_nearest(random.normal(size=(400, 6)), surprise)
    assert list(asked) == sorted(asked)
    assert {50, 300} <= asked.keys()
    assert 0 not in asked
    assert min(np.diff(list(asked))) > WINDOW


@pytest.mark.parametrize("kind", ["character", "byte", "word", "bpe"])
@settings(max_examples=40, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), most=st.integers(4, 200))
def test_pieces_are_whole_characters_and_side_by_side_the_beginning_of_the_text(
    kind: str, text: str, most: int
) -> None:
    tokenizer = learn_tokenizer(kind, ["the cat and the dog \u00e9\u5929 and the cat"], 300)
    ids = tokenizer.encode(text)[:most]
    pieces = cut_pieces(tokenizer, text, ids)
    joined = "".join(piece.text for piece in pieces)
    assert text.startswith(joined)
    assert joined == text or len(tokenizer.encode(text)) > most
    assert [piece.start for piece in pieces] == [0, *(piece.stop for piece in pieces[:-1])]
    assert pieces[-1].stop > len(ids) - 4
