import json
import lzma
import math
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from elman.evaluation import baselines
from elman.evaluation.baselines import Baseline, measure_baselines
from elman.evaluation.kneser_ney import kneser_ney_nats
from elman.evaluation.spelling import END, SYMBOLS, Spelling

TEXT = "the cat sat on the mat; the dog sat on the log. " * 20
texts = st.text(max_size=40)


def kneser_ney(measured):
    (name,) = set(measured) - {"unigram", "lzma"}
    return measured[name]


def test_units_convert_one_total():
    baseline = Baseline("unigram", nats=12.0, characters=4, bytes=6)
    assert baseline.nats_per_character == 3.0
    assert baseline.bits_per_character == pytest.approx(3.0 / math.log(2))
    assert baseline.bits_per_byte * 6 == pytest.approx(baseline.bits_per_character * 4)


def test_every_baseline_counts_characters_and_utf8_bytes_and_carries_its_key():
    measured = measure_baselines(["naïve 文"], "文 é\U0001f600")
    assert list(measured) == [baseline.name for baseline in measured.values()]
    assert {(baseline.characters, baseline.bytes) for baseline in measured.values()} == {(4, 10)}


@given(st.text("abc", max_size=40), st.text("abcd", min_size=1, max_size=20))
def test_unigram_is_add_one_over_the_vocabulary_and_unknown(train, heldout):
    counts, denominator = Counter(train), len(train) + len(set(train)) + 1
    nats = sum(math.log(denominator / (counts[character] + 1)) for character in heldout)
    spelling = Spelling.learn(train)
    nats += sum(spelling.nats(character) for character in heldout if character not in counts)
    assert measure_baselines([train], heldout)["unigram"].nats == pytest.approx(nats, abs=1e-9)


@pytest.mark.parametrize("follows", [True, False])
def test_the_named_order_is_the_best_of_six(follows):
    train, heldout = TEXT[:700], TEXT[700:-1] + "t"
    alphabet = sorted(set(train))
    ids = [np.array([alphabet.index(character) for character in part]) for part in (train, heldout)]
    orders = kneser_ney_nats(*ids, len(alphabet), follows=follows)
    best = min(orders)
    measured = measure_baselines([train], heldout, follows)
    assert measured[f"kneser-ney {orders.index(best) + 1}-gram"].nats == pytest.approx(best, abs=1e-9)


NOISE = "".join(chr(code) for code in np.random.default_rng(1).integers(32, 127, 70_000))


@pytest.mark.parametrize(
    ("train", "heldout"),
    [(TEXT, "the hog sat on the cog. "), (TEXT, "quick brown foxes 文"), ("", TEXT), (NOISE, NOISE[:5000])],
)
def test_lzma_is_what_an_independent_call_adds(train, heldout):
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]  # its own dictionary: 64 MiB
    both, first = (
        len(lzma.compress(text.encode(), lzma.FORMAT_RAW, filters=filters))
        for text in (train + heldout, train)
    )
    assert measure_baselines([train], heldout)["lzma"].nats == pytest.approx((both - first) * 8 * math.log(2))


@given(texts, texts.filter(bool))
@example("aaaaaaaababbaa", "aaaaaaaa")  # one byte less than without
def test_lzma_never_goes_below_zero(train, heldout):
    assert measure_baselines([train], heldout)["lzma"].nats >= 0


def test_an_unknown_character_costs_its_spelling_beyond_any_other_unseen_symbol():
    spelling = Spelling.learn(set(TEXT))
    one, two, three = (measure_baselines([TEXT], TEXT[:50] + end) for end in ("Z", "é", "文"))
    for choose in (lambda measured: measured["unigram"], kneser_ney):
        unspelled = [
            choose(measured).nats - spelling.nats(character)
            for measured, character in ((one, "Z"), (two, "é"), (three, "文"))
        ]
        assert unspelled == pytest.approx([unspelled[0]] * 3, abs=1e-9)
    alphabet = sorted(set(TEXT))
    ids = np.array([alphabet.index(character) for character in TEXT])
    unknown = np.append(ids[:50], len(alphabet))
    bare = min(kneser_ney_nats(ids, unknown, len(alphabet)))
    assert kneser_ney(one).nats - bare == pytest.approx(spelling.nats("Z"), abs=1e-9)


@given(st.lists(st.text("abé文\U0001f600\ud800", max_size=5), min_size=3), st.integers(4, 20))
@example(["ab", "aa", "b"], 4)  # one byte of the first chunk is still wanted
def test_only_the_last_bytes_of_the_training_text_are_used(chunks, limit):
    tail = "".join(chunks)
    while len(tail.encode("utf-8", "surrogatepass")) > limit:
        tail = tail[1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baselines, "TRAINING_BYTES_AT_MOST", limit)
        assert measure_baselines(iter(chunks), "aé文!") == measure_baselines([tail], "aé文!")


def test_memory_does_not_grow_with_the_training_text(monkeypatch):
    monkeypatch.setattr(baselines, "TRAINING_BYTES_AT_MOST", 10_000)

    def peak(chunks):
        tracemalloc.start()
        measure_baselines(("x" * 9_000 + str(number) for number in range(chunks)), "x")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(2)  # what is made only once
    assert peak(5_000) < peak(2) + 5_000 * 9_000 / 10


@pytest.mark.parametrize("train", ["", "a", "aa", "ab", "\ud800", "文" * 30])
def test_tiny_training_texts_give_finite_costs(train):
    for baseline in measure_baselines([train], "ab\ud800文").values():
        assert 0 <= baseline.nats < math.inf


def test_an_empty_heldout_text_is_refused():
    with pytest.raises(ValueError, match="empty held-out"):
        measure_baselines(["abc"], "")


@given(st.lists(texts))
def test_the_symbols_of_a_spelling_sum_to_one(pieces):
    spelling = Spelling.learn(pieces)
    denominator = sum(spelling.counts) + SYMBOLS
    ends = denominator / (spelling.counts[END] + 1)  # the empty piece is the end mark alone
    assert spelling.nats("") == pytest.approx(math.log(ends))
    of_ascii = sum(math.exp(spelling.nats("") - spelling.nats(chr(byte))) for byte in range(128))
    of_others = sum(count + 1 for count in spelling.counts[128:]) / denominator
    assert of_ascii + of_others == pytest.approx(1)


@given(st.lists(texts), texts)
def test_a_spelling_is_the_sum_over_bytes_counted_in_distinct_pieces(pieces, piece):
    symbols = [symbol for each in set(pieces) for symbol in (*each.encode("utf-8", "surrogatepass"), END)]
    nats = sum(
        -math.log((symbols.count(symbol) + 1) / (len(symbols) + SYMBOLS))
        for symbol in (*piece.encode("utf-8", "surrogatepass"), END)
    )
    assert Spelling.learn(pieces * 2).nats(piece) == pytest.approx(nats)


def test_a_spelling_comes_back_from_json():
    spelling = Spelling.learn(["a", "文", "\ud800"])
    assert Spelling(json.loads(json.dumps(spelling.counts))).nats("a文") == spelling.nats("a文")


@pytest.mark.parametrize("counts", [[], [1] * 256, [0] * 256 + [-1]])
def test_counts_that_are_no_spelling_are_refused(counts):
    with pytest.raises(ValueError, match="expected 257"):
        Spelling(counts)
