"""Two integer sequences in, the nats that Kneser-Ney n-grams counted on the first need for the second out.

Interpolated modified Kneser-Ney (Chen & Goodman 1998, "An empirical study of smoothing techniques for
language modeling", section 3). With h' the context h less its first token, token w follows h with probability

    p(w | h) = (a(hw) - D(a(hw))) / a(h.)  +  R(h) / a(h.) * p(w | h')

where a(h.) is the sum of a(hv) over all v, and R(h) the sum of the discounts D(a(hv)). In the highest order
a(hw) counts how often hw occurs; in the orders below it counts the distinct tokens that come before hw. Where
a(h.) is zero, p(w | h) = p(w | h'). Below order 1 lies the uniform distribution over vocabulary and `<unk>`.

One pass serves every highest order. Knows nothing of text, tokenizers or neural models.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Ids = NDArray[np.int32]  # which distinct n-gram; -1 stands for one that the training sequence lacks
Floats = NDArray[np.float64]

BLOCK = 1 << 20  # n-grams or held-out tokens handled in one go, so that temporary arrays stay small


class Grams(NamedTuple):
    """The G distinct n-grams of one order, sorted by last token, then by the one before it, and so on."""

    keys: NDArray[np.int64]  # (G,) last token * contexts + id of the context, ascending
    counts: Ids  # (G,) how often each occurs
    suffixes: Ids  # (G,) id of the (n-1)-gram left when the first token is dropped
    contexts: int  # how many distinct (n-1)-grams there are


class Discounted(NamedTuple):
    """One order of the formula: G n-grams, C contexts."""

    counts: Ids  # (G,) a(hw)
    discounts: Floats  # (4,) D(0) to D(3), the last also for counts above 3
    reserved: Floats  # (C,) R(h)
    totals: Ids  # (C,) a(h.)


def kneser_ney_nats(
    train: Integers, heldout: Integers, vocabulary_size: int, orders: int = 6, follows: bool = True
) -> list[float]:
    """Return the total nats of `heldout` (T,) under n-grams counted on `train` (N,), for n = 1 to `orders`.

    Ids run from 0 to `vocabulary_size`, which is `<unk>`; any id that `train` lacks costs as much as `<unk>`.
    Where `heldout` follows `train`, its first tokens are predicted from the end of `train`; otherwise they
    are predicted from as many tokens as there are. Raises ValueError for an id out of range.
    """
    for name, ids in (("train", train), ("heldout", heldout)):
        if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) <= vocabulary_size:
            found_range = f"found ids from {ids.min()} to {ids.max()} in {name}"
            raise ValueError(f"{found_range}; expected 0 to {vocabulary_size}")
    warm = train[max(0, len(train) - orders + 1) :] if follows else train[:0]
    tokens = np.concatenate([warm, heldout])

    found = np.zeros(len(tokens) + 1, dtype=np.int32)  # the n-gram that ends before each token; here n = 0
    lower = np.full(len(tokens), 1 / (vocabulary_size + 1))  # p(w | h')
    nats_by_order: list[float] = []
    shorter: Grams | None = None
    contexts = found
    for grams in grams_by_order(train, vocabulary_size, orders):
        if shorter is not None:
            preceding = np.bincount(grams.suffixes, minlength=len(shorter.keys)).astype(np.int32)
            terms = discount(shorter, preceding)
            for block, ends in _blocks(len(tokens)):
                lower[block] = _interpolate(terms, contexts[block], found[ends], lower[block])
        terms = discount(grams, grams.counts)
        contexts, found = found, np.full_like(found, -1)
        nats = 0.0
        for block, ends in _blocks(len(tokens)):
            found[ends] = _find(grams, tokens[block], contexts[block])
            probabilities = _interpolate(terms, contexts[block], found[ends], lower[block])
            nats -= float(np.log(probabilities[max(0, len(warm) - block.start) :]).sum())
        nats_by_order.append(nats)
        shorter = grams
    return nats_by_order


def grams_by_order(tokens: Integers, vocabulary_size: int, orders: int) -> Iterator[Grams]:
    """Yield the distinct n-grams of `tokens` (N,) for n = 1 to `orders`.

    The places of the last tokens are kept sorted by context. A stable sort by the token itself then sorts
    them by n-gram, and one token further on that is again an order by context. So no n-gram is ever packed
    into one integer, however large the vocabulary.
    """
    # numpy sorts 16-bit integers by radix, in linear time
    tokens = tokens.astype(np.uint16 if vocabulary_size < 1 << 16 else np.uint32)
    places = np.arange(len(tokens), dtype=np.int32)
    before = np.zeros(len(tokens) + 1, dtype=np.int32)  # id of the (n-1)-gram that ends before each place
    contexts = 1
    for _ in range(orders):
        places = places[np.argsort(tokens[places], kind="stable")]
        keys = tokens[places].astype(np.int64)
        keys *= contexts
        keys += before[places]
        first = np.ones(len(keys), dtype=np.bool_)
        np.not_equal(keys[1:], keys[:-1], out=first[1:])
        starts = np.flatnonzero(first).astype(np.int32)
        counts = np.diff(starts, append=np.int32(len(keys)))
        suffixes = before[places[starts] + 1]
        keys = keys[starts]
        del first, starts
        before[places + 1] = np.repeat(np.arange(len(keys), dtype=np.int32), counts)
        yield Grams(keys, counts, suffixes, contexts)
        places = places[places < len(tokens) - 1] + 1
        contexts = len(keys)


def discount(grams: Grams, counts: Ids) -> Discounted:
    """Prepare the formula for `grams` with a(hw) = `counts` (G,)."""
    discounts = estimate_discounts(counts)
    reserved = np.zeros(grams.contexts)
    totals = np.zeros(grams.contexts, dtype=np.int32)
    for block, _ in _blocks(len(counts)):
        owners = grams.keys[block] % grams.contexts
        np.add.at(reserved, owners, discounts[np.minimum(counts[block], 3)])
        np.add.at(totals, owners, counts[block])
    return Discounted(counts, discounts, reserved, totals)


def estimate_discounts(counts: Ids) -> Floats:
    """Return D(0) to D(3), the last also for counts above 3, from how many of the `counts` are 1, 2, 3 and 4.

    D(c) = c - (c+1) * Y * n(c+1) / n(c) with Y = n(1) / (n(1) + 2 n(2)). A text too small to estimate D(c),
    or with an estimate that is not above zero, takes c / 2: every context then reserves something, and no
    probability is zero.
    """
    n = [int(np.count_nonzero(counts == count)) for count in range(5)]
    discounts = np.array([0.0, 0.5, 1.0, 1.5])
    for count in (1, 2, 3):
        if n[1] and n[count] and n[count + 1]:
            estimate = count - (count + 1) * n[1] / (n[1] + 2 * n[2]) * n[count + 1] / n[count]
            if estimate > 0:
                discounts[count] = estimate
    return discounts


def _find(grams: Grams, tokens: Integers, contexts: Ids) -> Ids:
    """Return the id of the n-gram that each token makes with its context, or -1."""
    if len(grams.keys) == 0:
        return np.full(len(tokens), -1, dtype=np.int32)
    keys = tokens.astype(np.int64) * grams.contexts + contexts
    ids = np.searchsorted(grams.keys, keys).astype(np.int32)
    ids[ids == len(grams.keys)] = -1
    ids[(contexts < 0) | (grams.keys[ids] != keys)] = -1
    return ids


def _interpolate(terms: Discounted, contexts: Ids, found: Ids, lower: Floats) -> Floats:
    """Return p(w | h) from p(w | h'), which is `lower`; all (T,)."""
    higher = lower.copy()
    known = np.flatnonzero(contexts >= 0)
    known = known[terms.totals[contexts[known]] > 0]
    counts = np.where(found[known] >= 0, terms.counts[found[known]], 0) if len(known) else found[:0]
    higher[known] *= terms.reserved[contexts[known]]
    higher[known] += counts - terms.discounts[np.minimum(counts, 3)]
    higher[known] /= terms.totals[contexts[known]]
    return higher


def _blocks(length: int) -> Iterator[tuple[slice, slice]]:
    """Cut 0 to `length` into slices; beside each the same slice one place further on."""
    for start in range(0, length, BLOCK):
        stop = min(start + BLOCK, length)
        yield slice(start, stop), slice(start + 1, stop + 1)
