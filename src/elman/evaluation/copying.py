"""How much of a written sample stands word for word in a text: the longest run, and the share in long runs.

Every stretch of one length gets a 64-bit hash, made by joining the hashes of its halves (the idea of prefix
doubling, Karp, Miller and Rosenberg 1972), for a block of the text at a time. What the hashes find is
compared character by character. Knows nothing of models.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

RUN = 20  # characters from which on a run counts as copied
BLOCK = 1 << 20  # characters of the text that are hashed at once
ODD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: spreads neighbours far apart

Codes = NDArray[np.uint32]
Hashes = NDArray[np.uint64]


class Copied(NamedTuple):
    """What a sample has in common with a text."""

    longest: int  # characters of the longest run of the sample that stands in the text
    share: float  # of the sample's characters, those in runs of at least RUN that stand in the text


def find_copies(sample: str, read: Callable[[], Iterable[str]]) -> Copied:
    """Compare a sample with the text whose chunks `read` gives, each time it is called, in order.

    Memory is that of a block and of what is copied. Raises ValueError where the sample is empty.
    """
    if not sample:
        raise ValueError("found an empty sample; expected at least one character")
    codes = _codes(sample)
    share, regions = _share(codes, read())
    if not regions:
        shortest, longest = 0, min(RUN - 1, len(codes))
        return Copied(_longest(codes, shortest, longest, lambda length: _blocks(read(), length)), 0.0)
    return Copied(_longest(codes, RUN, len(codes), lambda _: iter(regions)), share)


def share_copied(sample: str, chunks: Iterable[str]) -> float:
    """Return the share of a sample's characters, 0 to 1, in runs of at least RUN that stand in a text."""
    return _share(_codes(sample), chunks)[0]


def _share(codes: Codes, chunks: Iterable[str]) -> tuple[float, list[Codes]]:
    """Return that share, and the parts of the text where such runs stand."""
    if len(codes) < RUN:
        return 0.0, []
    starts, regions = _common(codes, _blocks(chunks, len(codes)), RUN)
    covered = np.zeros(len(codes) + 1, dtype=np.int64)
    np.add.at(covered, starts, 1)
    np.add.at(covered, [start + RUN for start in starts], -1)
    return float((np.cumsum(covered)[:-1] > 0).mean()), regions


def _longest(codes: Codes, low: int, high: int, blocks: Callable[[int], Iterator[Codes]]) -> int:
    """Return the length of the longest common run, known to be from `low` to `high`."""
    while low < high:
        middle = min((low + high + 1) // 2, 2 * max(low, RUN))  # runs much longer than that are rare
        if _common(codes, blocks(middle), middle)[1]:
            low = middle
        else:
            high = middle - 1
    return low


def _common(codes: Codes, blocks: Iterator[Codes], length: int) -> tuple[list[int], list[Codes]]:
    """Return where runs of a length start in `codes` that stand in the blocks, and those parts of these."""
    if length > len(codes):
        return [], []
    hashes = _hashes(codes, length)
    order = np.argsort(hashes, kind="stable")
    ranked = hashes[order]
    found: set[int] = set()
    regions: list[Codes] = []
    for block in blocks:
        there = _hashes(block, length)
        rank = np.searchsorted(ranked, there)
        hits = np.flatnonzero(ranked[np.minimum(rank, len(ranked) - 1)] == there)
        first = np.full(len(ranked), -1)
        first[rank[hits][::-1]] = hits[::-1]  # of each stretch of the sample, where its hash stands first
        same = np.zeros(len(ranked), dtype=bool)
        for at in np.flatnonzero(first >= 0):
            hit, place = first[at], order[at]
            same[at] = np.array_equal(block[hit : hit + length], codes[place : place + length])
        hits = hits[same[rank[hits]]]
        found.update(there[hits].tolist())
        for run in np.split(hits, np.flatnonzero(np.diff(hits) > 1) + 1):
            if len(run):
                regions.append(block[run[0] : run[-1] + length].copy())
    wanted = np.array(sorted(found), dtype=np.uint64)
    return np.flatnonzero(np.isin(hashes, wanted)).tolist(), regions


def _hashes(codes: Codes, length: int) -> Hashes:
    """Return the hash of each stretch of a length: (N,) -> (N - length + 1,)."""
    if len(codes) < length:
        return np.zeros(0, dtype=np.uint64)
    hashes = _mixed(codes.astype(np.uint64) + np.uint64(1))
    width = 1
    while 2 * width <= length:
        hashes = _mixed(hashes[:-width] * ODD + hashes[width:])
        width *= 2
    rest = length - width
    return _mixed(hashes[:-rest] * ODD + hashes[rest:] + np.uint64(length)) if rest else hashes


def _mixed(numbers: Hashes) -> Hashes:
    numbers ^= numbers >> np.uint64(31)
    numbers *= ODD
    numbers ^= numbers >> np.uint64(29)
    return numbers


def _blocks(chunks: Iterable[str], length: int) -> Iterator[Codes]:
    """Yield the code points of a text in blocks that overlap by one less than `length`."""
    rest: Codes = np.zeros(0, dtype=np.uint32)
    for chunk in chunks:
        for start in range(0, len(chunk), BLOCK):
            block = np.concatenate([rest, _codes(chunk[start : start + BLOCK])])
            yield block
            rest = block[len(block) - min(length - 1, len(block)) :]


def _codes(text: str) -> NDArray[Any]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32, copy=False)
