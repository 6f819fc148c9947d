"""Two integer sequences in, the nats that Kneser-Ney n-grams counted on the first need for the second out.

Interpolated modified Kneser-Ney (Chen & Goodman 1998, "An empirical study of smoothing techniques for
language modeling", section 3). With h' the context h less its first token, token w follows h with probability

    p(w | h) = (a(hw) - D(a(hw))) / a(h.)  +  R(h) / a(h.) * p(w | h')

where a(h.) is the sum of a(hv) over all v, and R(h) the sum of the discounts D(a(hv)). In the highest order
a(hw) counts how often hw occurs; in the orders below it counts the distinct tokens that come before hw. Where
a(h.) is zero, p(w | h) = p(w | h'). Below order 1 lies the uniform distribution over vocabulary and `<unk>`.

One pass serves every highest order, in some 30 bytes for each training token. Knows nothing of text,
tokenizers or neural models.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Ids = NDArray[np.int32]  # which distinct n-gram; -1 stands for one that the training sequence lacks
Floats = NDArray[np.float64]

BLOCK = 1 << 20  # places or n-grams handled in one go, so that temporary arrays stay small


class Grams(NamedTuple):
    """The G distinct n-grams of one order, sorted by last token, then by the one before it, and so on."""

    starts: NDArray[np.int64]  # (V + 2,) where the n-grams begin that end with each token, and the end
    contexts: Ids  # (G,) the (n-1)-gram that each begins with; ascends among those of one last token
    counts: Ids  # (G,) how often each occurs


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
    contexts, shorter = found, None
    for grams, preceding in grams_by_order(train, vocabulary_size, orders):
        if shorter is not None:
            lower = _interpolate(shorter.contexts, preceding, contexts[:-1], found[1:], lower)
            shorter = None
        contexts = found
        found = np.concatenate([[np.int32(-1)], _find(grams, tokens, contexts[:-1])])
        probabilities = _interpolate(grams.contexts, grams.counts, contexts[:-1], found[1:], lower)
        nats_by_order.append(-float(np.log(probabilities[len(warm) :]).sum()))
        shorter = grams._replace(counts=found[:0])  # a lower order counts otherwise
        del grams, preceding
    return nats_by_order


def grams_by_order(tokens: Integers, vocabulary_size: int, orders: int) -> Iterator[tuple[Grams, Ids]]:
    """Yield the distinct n-grams of `tokens` (N,) for n = 1 to `orders`.

    Beside them, for each (n-1)-gram yielded before, how many distinct tokens come before it (of n = 1: none).

    The places of the last tokens are kept sorted by context. A stable sort by the token itself then sorts
    them by n-gram, and one token further on that is again an order by context. So no n-gram is ever packed
    into one integer, however large the vocabulary.
    """
    tokens = tokens.astype(np.uint16 if vocabulary_size < 1 << 16 else np.uint32, copy=False)
    places = np.arange(len(tokens), dtype=np.int32)
    before = np.zeros(len(tokens) + 1, dtype=np.int32)  # the (n-1)-gram that ends before each place
    shorter = 0
    for _ in range(orders):
        places, ends = _sort_by_token(tokens, places, vocabulary_size)
        first = _first_of_each(tokens, before, places)
        size = int(np.count_nonzero(first))
        contexts, counts = np.empty(size, dtype=np.int32), np.zeros(size, dtype=np.int32)
        preceding = np.zeros(shorter, dtype=np.int32)
        after = np.zeros_like(before)
        done = 0
        for block in _blocks(len(places)):
            there, new = places[block], first[block]
            firsts = there[new]
            grams = np.cumsum(new, dtype=np.int32) + np.int32(done - 1)  # which n-gram each place ends
            contexts[done : done + len(firsts)] = before[firsts]
            if shorter:
                np.add.at(preceding, before[firsts + 1], np.int32(1))
            np.add.at(counts, grams, np.int32(1))
            after[there + 1] = grams
            done += len(firsts)
        starts = np.zeros(vocabulary_size + 2, dtype=np.int64)
        some = ends > 0
        starts[1:][some] = after[places[ends[some] - 1] + 1] + 1
        before = after
        del first, after
        yield Grams(starts, contexts, counts), preceding
        del contexts, counts, preceding
        places = places[places < len(tokens) - 1]
        places += 1
        shorter = size


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


def _sort_by_token(tokens: Integers, places: Ids, vocabulary_size: int) -> tuple[Ids, NDArray[np.int64]]:
    """Sort places by the token there, stably; also return where those of each token end, (V + 1,)."""
    sizes = np.zeros(vocabulary_size + 1, dtype=np.int64)
    for block in _blocks(len(places)):
        sizes += np.bincount(tokens[places[block]], minlength=vocabulary_size + 1)
    ends = np.cumsum(sizes)
    free = ends - sizes  # where the next place of each token goes
    in_order = np.empty_like(places)
    for block in _blocks(len(places)):
        there = tokens[places[block]]
        order = np.argsort(there, kind="stable")  # numpy sorts 16-bit integers by radix, in linear time
        there = there[order]
        begins = np.flatnonzero(np.append(True, there[1:] != there[:-1]))
        lengths = np.diff(begins, append=len(there))
        within = np.arange(len(there)) - np.repeat(begins, lengths)
        in_order[free[there] + within] = places[block][order]
        free[there[begins]] += lengths
    return in_order, ends


def _first_of_each(tokens: Integers, before: Ids, places: Ids) -> NDArray[np.bool_]:
    """Say of each of the sorted places whether another n-gram begins there than at the place before."""
    first = np.ones(len(places), dtype=np.bool_)
    for block in _blocks(len(places)):
        there = places[max(0, block.start - 1) : block.stop]  # with the one before the block
        token, context = tokens[there], before[there]
        differs = (token[1:] != token[:-1]) | (context[1:] != context[:-1])
        first[max(1, block.start) : block.stop] = differs
    return first


def _find(grams: Grams, tokens: Integers, contexts: Ids) -> Ids:
    """Return the id of the n-gram that each token makes with its context, or -1; all (T,)."""
    ids = np.full(len(tokens), -1, dtype=np.int32)
    for block in _blocks(len(tokens)):
        wanted = contexts[block]
        low, high = grams.starts[tokens[block]], grams.starts[tokens[block].astype(np.int64) + 1]
        end = high.copy()
        while (low < high).any():  # binary searches, side by side
            middle = (low + high) // 2
            below = (low < high) & (grams.contexts[np.minimum(middle, len(grams.contexts) - 1)] < wanted)
            low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
        there = np.flatnonzero((wanted >= 0) & (low < end))
        there = there[grams.contexts[low[there]] == wanted[there]]
        ids[block.start + there] = low[there]
    return ids


def _interpolate(owners: Ids, counts: Ids, contexts: Ids, found: Ids, lower: Floats) -> Floats:
    """Return p(w | h) from p(w | h'), which is `lower`.

    `owners` (G,) and a(hw) = `counts` (G,) are of the n-grams; `contexts`, `found` and `lower` are (T,).
    Only the contexts that are asked for are summed up.
    """
    discounts = estimate_discounts(counts)
    asked = np.unique(contexts[contexts >= 0])
    place = np.full(int(max(owners.max(initial=-1), asked.max(initial=-1))) + 1, -1, dtype=np.int32)
    place[asked] = np.arange(len(asked), dtype=np.int32)
    totals, reserved = np.zeros(len(asked), dtype=np.int64), np.zeros(len(asked))
    for block in _blocks(len(counts)):
        where = place[owners[block]]
        hit = np.flatnonzero(where >= 0)
        amounts = counts[block][hit]
        np.add.at(totals, where[hit], amounts)
        np.add.at(reserved, where[hit], discounts[np.minimum(amounts, 3)])
    higher = lower.copy()
    known = np.flatnonzero(contexts >= 0)
    known = known[totals[place[contexts[known]]] > 0]
    where = place[contexts[known]]
    amounts = np.where(found[known] >= 0, counts[found[known]], 0) if len(known) else found[:0]
    higher[known] *= reserved[where]
    higher[known] += amounts - discounts[np.minimum(amounts, 3)]
    higher[known] /= totals[where]
    return higher


def _blocks(length: int) -> Iterator[slice]:
    """Cut 0 to `length` into slices."""
    for start in range(0, length, BLOCK):
        yield slice(start, min(start + BLOCK, length))
