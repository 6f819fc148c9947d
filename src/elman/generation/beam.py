"""Beam search: the likeliest texts instead of drawn ones. Each beam has a state of its own.

Axes: W beams, V vocabulary.
"""

from typing import NamedTuple

import numpy as np

from elman.engine import Engine, Logits, log_probabilities

from .state import StreamState


class Beam(NamedTuple):
    """One text that was found."""

    tokens: tuple[int, ...]
    nats: float  # how surprising the model finds it, given what it read before


def search(engine: Engine, state: StreamState, length: int, width: int, bias: Logits) -> list[Beam]:
    """Return the likeliest continuations of `length` tokens, best first, of those that `width` beams find.

    With as many beams as there are texts but for their last token, these are the likeliest of all.
    `bias` (V,) is added to the logits.
    """
    logits, memory = engine.step(np.array([state.token]), state.memory)
    nats, texts = np.zeros(1), np.empty((1, 0), dtype=np.int64)
    for turn in range(length):
        total = (nats[:, np.newaxis] - log_probabilities(logits + bias)).ravel()  # (W * V,)
        best = np.argsort(total, kind="stable")[:width]
        best = best[np.isfinite(total[best])]
        beams, tokens = np.divmod(best, engine.vocabulary_size)
        nats, texts = total[best], np.column_stack([texts[beams], tokens])
        if turn + 1 < length:
            logits, memory = engine.step(tokens, tuple(part[beams] for part in memory))
    return [Beam(tuple(text), float(surprise)) for text, surprise in zip(texts.tolist(), nats, strict=True)]
