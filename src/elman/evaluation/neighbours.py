"""Training text and held-out text in, what counting needs for each held-out character between its neighbours.

The rival of models that fill gaps: they see both sides, so the rival must too. Works on characters, as all
baselines do. Knows nothing of neural models, tokenizers or files.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .baselines import Baseline, number_characters

SIDE = 3  # characters that are looked at on each side, at most
Ids = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


def measure_gap_baselines(train: Iterable[str], heldout: str) -> dict[str, Baseline]:
    """Return what counting needs for the characters of `heldout`, each given those around it.

    `unigram` looks at none of them; `neighbours` at up to 3 on each side, in the number that does best.
    Raises ValueError where `heldout` is empty.
    """
    numbered = number_characters(train, heldout)
    nats = neighbour_nats(numbered.train, numbered.heldout, numbered.unknown)
    best = min(range(1, len(nats)), key=nats.__getitem__)
    left, right = (best + 1) // 2, best // 2
    totals = {"unigram": nats[0], f"neighbours {left}+{right}": nats[best]}
    size = len(heldout.encode("utf-8", "surrogatepass"))
    return {
        name: Baseline(name, total + numbered.spelling_nats, len(heldout), size)
        for name, total in totals.items()
    }


def neighbour_nats(train: Ids, heldout: Ids, vocabulary_size: int) -> list[float]:
    """Return the total nats of each of `heldout` (T,) given 0, 1, ... 2 * SIDE of its nearest neighbours.

    Ids run from 0 to `vocabulary_size`, which is `<unk>`. With c a context and c' the same less its farthest
    neighbour, Witten and Bell's interpolation (1991, method C) makes

        p(x | c) = (n(cx) + d(c) p(x | c')) / (n(c) + d(c))

    where n counts in `train` and d(c) is the number of distinct x that stand in c; where c never occurs,
    p(x | c) = p(x | c'). Below no neighbours at all lies the uniform distribution.
    """
    edge = np.full(SIDE, vocabulary_size + 1)
    both = np.concatenate([edge, train, edge, heldout, edge]).astype(np.int64)
    here = np.concatenate([SIDE + np.arange(len(train)), 2 * SIDE + len(train) + np.arange(len(heldout))])
    learned = np.arange(len(here)) < len(train)
    tokens = both[here]
    contexts = np.zeros(len(here), dtype=np.int64)
    lower = np.full(len(heldout), 1 / (vocabulary_size + 1))
    nats = []
    for size in range(2 * SIDE + 1):
        if size:
            offset = -(size + 1) // 2 if size % 2 else size // 2  # left, right, left, ...
            contexts = _pairs(contexts, both[here + offset])
        whole = _pairs(contexts, tokens)
        counts = np.bincount(whole[learned], minlength=int(whole.max()) + 1)
        in_context = np.bincount(contexts[learned], minlength=int(contexts.max()) + 1)
        _, firsts = np.unique(whole[learned], return_index=True)
        distinct = np.bincount(contexts[learned][firsts], minlength=len(in_context))
        context, gram = contexts[~learned], whole[~learned]
        total, kinds = in_context[context], distinct[context]
        seen = total > 0
        lower[seen] = (counts[gram] + kinds * lower)[seen] / (total + kinds)[seen]
        nats.append(-float(np.log(lower).sum()))
    return nats


def _pairs(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the distinct pairs of two sequences (N,)."""
    numbers: NDArray[np.int64]
    _, numbers = np.unique(first * (int(second.max()) + 1) + second, return_inverse=True)
    return numbers
