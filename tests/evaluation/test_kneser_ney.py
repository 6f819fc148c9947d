import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elman.evaluation import kneser_ney
from elman.evaluation.kneser_ney import estimate_discounts, kneser_ney_nats

VOCABULARY = 4


@st.composite
def sequences(draw):
    """Up to 60 tokens of 1 to 4 kinds, where long and short are equally likely."""
    kinds, length = draw(st.integers(1, VOCABULARY)), draw(st.integers(0, 60))
    return draw(st.lists(st.integers(0, kinds - 1), min_size=length, max_size=length))


heldouts = st.lists(st.integers(0, VOCABULARY), max_size=12)


class SlowKneserNey:
    """The formula, read off the page: dictionaries, recursion, and everything recounted at every call."""

    def __init__(self, train, vocabulary_size=VOCABULARY):
        self.train, self.vocabulary_size = tuple(train), vocabulary_size

    def grams(self, n):
        return [self.train[i : i + n] for i in range(len(self.train) - n + 1)]

    def amounts(self, n, highest):
        if highest:
            return Counter(self.grams(n))
        return Counter(gram[1:] for gram in set(self.grams(n + 1)))

    def discount(self, amounts, amount):
        n1, n2, n3, n4 = (sum(value == wanted for value in amounts.values()) for wanted in (1, 2, 3, 4))
        by_amount = {1: (n1, n2), 2: (n2, n3), 3: (n3, n4)}
        amount = min(amount, 3)
        these, more = by_amount[amount]
        if n1 == 0 or these == 0 or more == 0:
            return amount / 2
        estimate = amount - (amount + 1) * (n1 / (n1 + 2 * n2)) * (more / these)
        return estimate if estimate > 0 else amount / 2

    def probability(self, context, token, highest=True):
        n = len(context) + 1
        lower = (
            self.probability(context[1:], token, highest=False) if context else 1 / (self.vocabulary_size + 1)
        )
        amounts = self.amounts(n, highest)
        followers = {gram[-1]: amount for gram, amount in amounts.items() if gram[:-1] == context}
        if not followers:
            return lower
        total = sum(followers.values())
        reserved = sum(self.discount(amounts, amount) for amount in followers.values())
        own = followers[token] - self.discount(amounts, followers[token]) if token in followers else 0
        return own / total + reserved / total * lower

    def nats(self, heldout, order, follows):
        """Where the context at the start is short, the orders beyond it are left out, as lower orders."""
        history = self.train if follows else ()
        nats = 0.0
        for i, token in enumerate(heldout):
            past = (*history, *heldout[:i])
            context = past[max(0, len(past) - order + 1) :]
            nats -= math.log(self.probability(context, token, highest=len(context) == order - 1))
        return nats


def fast(train, heldout, **options):
    return kneser_ney_nats(np.array(train, np.uint32), np.array(heldout, np.uint32), VOCABULARY, **options)


@given(sequences(), heldouts, st.booleans())
def test_every_order_equals_the_formula(train, heldout, follows):
    slow = SlowKneserNey(train)
    expected = [slow.nats(heldout, order, follows) for order in range(1, 7)]
    assert fast(train, heldout, follows=follows) == pytest.approx(expected, abs=1e-9)


@given(sequences(), st.lists(st.integers(0, VOCABULARY), max_size=6))
def test_the_probabilities_of_all_continuations_sum_to_one(train, context):
    before = np.array(fast(train, context))
    after = np.array([fast(train, [*context, token]) for token in range(VOCABULARY + 1)])
    assert np.exp(before - after).sum(axis=0) == pytest.approx(np.ones(6), abs=1e-9)


@pytest.mark.parametrize("follows", [True, False])
def test_a_text_long_enough_to_estimate_every_discount_equals_the_formula(follows):
    random = np.random.default_rng(7)
    words = [random.integers(0, 20, length).tolist() for length in random.integers(1, 5, 60)]
    tokens = [token for word in random.geometric(0.08, 600) for token in words[min(word, 60) - 1]]
    train, heldout = tokens[:-8], [*tokens[-8:], 20, *tokens[:3]]
    slow = SlowKneserNey(train, vocabulary_size=20)
    for order in range(2, 7):
        amounts = Counter(slow.amounts(order, highest=True).values())
        assert all(amounts[amount] for amount in (1, 2, 3, 4))
    expected = [slow.nats(heldout, order, follows) for order in range(1, 7)]
    nats = kneser_ney_nats(np.array(train), np.array(heldout), 20, follows=follows)
    assert nats == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("train", [[], [0], [0, 0], [0, 1], [2] * 50, [0, 1] * 50, [0, 1, 2, 3]])
def test_tiny_and_constant_texts_give_finite_costs_to_everything(train):
    nats = fast(train, [0, 1, 2, 3, 4, 0, 0, 2, 2])
    assert all(0 < value < math.inf for value in nats)


@given(st.lists(st.integers(1, 9), max_size=30))
def test_discounts_stay_above_zero_and_at_most_the_count(counts):
    discounts = estimate_discounts(np.array(counts, np.int32))
    assert discounts[0] == 0
    assert all(0 < discounts[count] <= count for count in (1, 2, 3))


@given(sequences(), heldouts)
def test_small_blocks_change_nothing(train, heldout):
    expected = fast(train, heldout)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kneser_ney, "BLOCK", 3)
        assert fast(train, heldout) == pytest.approx(expected, abs=1e-9)


@given(sequences(), heldouts)
def test_fewer_orders_are_the_first_of_more(train, heldout):
    assert fast(train, heldout, orders=3) == pytest.approx(fast(train, heldout)[:3], abs=1e-9)


def test_a_vocabulary_beyond_16_bits_costs_the_same_as_its_ids_renamed():
    random = np.random.default_rng(3)
    ids = random.integers(0, 50, 2000)
    names = random.permutation(1_000_000)[:50]
    expected = kneser_ney_nats(ids[:1800], ids[1800:], 1_000_000)
    assert kneser_ney_nats(names[ids[:1800]], names[ids[1800:]], 1_000_000) == pytest.approx(
        expected, abs=1e-9
    )


@pytest.mark.parametrize(("train", "heldout"), [([0, 5], [0]), ([0], [-1])])
def test_an_id_out_of_range_is_refused(train, heldout):
    with pytest.raises(ValueError, match="expected 0 to 4"):
        kneser_ney_nats(np.array(train), np.array(heldout), VOCABULARY)


@pytest.mark.slow
def test_six_grams_reach_the_known_figure_on_tiny_shakespeare(tinyshakespeare):
    """One discount of 0.75 everywhere gives 1.5385 nats per character; estimated ones must not lose to it."""
    codes = np.frombuffer(tinyshakespeare.read_text(encoding="utf-8").encode("utf-32-le"), dtype="<u4")
    size = int(0.9 * len(codes))
    alphabet = np.unique(codes[:size])
    assert np.isin(codes, alphabet).all()
    ids = np.searchsorted(alphabet, codes)
    nats = kneser_ney_nats(ids[:size], ids[size:], len(alphabet))[5] / (len(codes) - size)
    assert 1.3 < nats < 1.5385 + 0.01
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kneser_ney, "estimate_discounts", lambda _: np.array([0, 0.75, 0.75, 0.75]))
        fixed = kneser_ney_nats(ids[:size], ids[size:], len(alphabet))[5] / (len(codes) - size)
    assert fixed == pytest.approx(1.5385, abs=5e-5)
    assert nats < fixed
