"""The score of a model that fills gaps: how many nats each token costs, given what stands on both sides.

The product over a text is no likelihood of the text but a pseudo-likelihood (Besag 1975), so it compares with
other scores of gaps alone. Knows nothing of how the model was trained.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.engine import Engine, Ids
from elman.progress import Tally
from elman.tokens import cut_stream
from elman.tokens.store import Tokens

from .score import Score, Scored
from .surprisal import LOGITS_AT_MOST, nats_of


class GapNats(NamedTuple):
    """The surprise of each token of a text, given the others."""

    nats: NDArray[np.float32]  # (T,)
    right: NDArray[np.bool_]  # (T,) whether the likeliest token is the one that stands there


def gap_nats(engine: Engine, ids: Ids, window: int) -> GapNats:
    """Return the surprise of each token of ids (T,), each read with `window`/2 to `window` tokens on a side.

    A text longer than that is read in blocks that overlap, many side by side.
    """
    half = max(1, window // 2)
    nats, right = np.zeros(len(ids), dtype=np.float32), np.zeros(len(ids), dtype=bool)
    for starts in _alike(len(ids), half, LOGITS_AT_MOST // (3 * half * engine.vocabulary_size) + 1):
        first, stop = _span(starts[0], half, len(ids))
        steps = np.arange(first, stop)[:, np.newaxis] + (starts - starts[0])  # (T, B) places in the text
        logits, _ = engine.feed(ids[steps], engine.initial_state(len(starts)))
        block = slice(starts[0] - first, min(starts[0] - first + half, stop - first))
        places, inner = steps[block], logits[block]
        nats[places] = nats_of(inner, ids[places])
        right[places] = inner.argmax(axis=-1) == ids[places]
    return GapNats(nats, right)


def score_gaps(
    model: Scored, chunks: Iterable[str], context: str = "", advance: Tally | None = None
) -> Score:
    """Score each token of a text as a gap in it; what the vocabulary lacks is charged for its spelling.

    `context` is text before it that the model reads without being scored on it.
    """
    engine, tokenizer, spelling, window = model.engine, model.tokenizer, model.spelling, model.window
    assert window is not None, "a model that fills gaps has a window"
    before = tokenizer.encode(context)[-window:]
    nats = spelling_nats = 0.0
    tokens = characters = size = unknown = right = 0
    for text in cut_stream(tokenizer, chunks):
        ids = np.concatenate([before, tokenizer.encode(text)])
        surprise = gap_nats(engine, ids, window)
        nats += float(surprise.nats[len(before) :].sum(dtype=np.float64))
        right += int(surprise.right[len(before) :].sum())
        tokens += len(ids) - len(before)
        characters, size = characters + len(text), size + len(text.encode("utf-8", "surrogatepass"))
        for piece in tokenizer.unknown_pieces(text):
            unknown, spelling_nats = unknown + 1, spelling_nats + spelling.nats(piece)
        before = ids[-window:]
        if advance:
            advance(len(text))
    return Score(nats + spelling_nats, tokens, characters, size, unknown, spelling_nats, right)


def score_gap_part(engine: Engine, tokens: Tokens, window: int, tokens_at_most: int) -> float:
    """Return nats per token over the first tokens of a part: for watching a run, not for its result."""
    ids = tokens.read(0, min(len(tokens), tokens_at_most))
    return float(gap_nats(engine, ids, window).nats.mean(dtype=np.float64))


def _alike(count: int, half: int, rows: int) -> Iterator[NDArray[np.int64]]:
    """Yield the starts of blocks in groups of which all have the same room on both sides."""
    starts = np.arange(0, count, half)
    inner = starts[(starts >= half) & (starts + 2 * half <= count)]
    for outer in starts[~np.isin(starts, inner)]:
        yield np.array([outer])
    for place in range(0, len(inner), rows):
        yield inner[place : place + rows]


def _span(start: int, half: int, count: int) -> tuple[int, int]:
    return max(0, start - half), min(count, start + 2 * half)
