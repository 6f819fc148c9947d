"""A text with gaps in, the same text with the likeliest token in each gap out, and how likely each was.

An engine of a model with two streams and a tokenizer come in. Knows nothing of where weights come from.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.engine import Engine
from elman.errors import RequestError
from elman.tokens import Tokenizer, decode

from .sampling import Sampling, forbid

GAP = "_"
ROUNDS = 10  # of going over all gaps again, at most
ALTERNATIVES = 5


class Gap(NamedTuple):
    """What stands in one gap, given everything around it."""

    position: int  # of its first character in the filled text
    piece: str
    nats: float
    alternatives: list[tuple[str, float]]  # the likeliest pieces with their probabilities, best first


class Filled(NamedTuple):
    """A text without gaps."""

    text: str
    gaps: list[Gap]

    @property
    def nats(self) -> float:
        """The surprise of all that was filled in, each given the rest: 0 where the model is sure."""
        return sum(gap.nats for gap in self.gaps)


def fill(engine: Engine, tokenizer: Tokenizer, text: str, window: int, mark: str = GAP) -> Filled:
    """Put the likeliest token into each gap of a text; a mark is a gap of one token.

    One gap sees both its sides. Several are filled from left to right, the ones to come left out, and then
    each again and again given all the others until none changes (Besag 1986, iterated conditional modes).
    `window` is how many tokens the model reads on each side of a gap.

    Raises:
        RequestError: a mark that is not one character; a text without a gap, or of gaps alone.
    """
    if len(mark) != 1:
        raise RequestError(f"the mark of a gap is {mark!r}, expected one character such as {GAP}")
    parts = text.split(mark)
    if len(parts) == 1:
        raise RequestError(f"the text {text!r} has no gap, expected {mark} where a token is to be filled in")
    if not any(parts):
        raise RequestError(f"the text {text!r} has nothing but gaps, expected some text around them")
    if tokenizer.kind == "word":  # a word brings the space before it
        parts = [*(part.removesuffix(" ") for part in parts[:-1]), parts[-1]]
    known = [tokenizer.encode(part) for part in parts]
    ids = np.concatenate([known[0], *(np.concatenate([[0], part]) for part in known[1:])]).astype(np.int64)
    places = (np.cumsum([len(part) + 1 for part in known[:-1]]) - 1).tolist()

    for number, place in enumerate(places):
        shown = np.delete(ids, places[number + 1 :])  # gaps to come say nothing yet
        ids[place] = _distribution(engine, tokenizer, shown, place, window).argmax()
    for _ in range(ROUNDS if len(places) > 1 else 0):
        before = ids.copy()
        for place in places:
            ids[place] = _distribution(engine, tokenizer, ids, place, window).argmax()
        if np.array_equal(before, ids):
            break
    filled, gaps = parts[0], []
    for place, part in zip(places, parts[1:], strict=True):
        probabilities = _distribution(engine, tokenizer, ids, place, window)
        best = np.argsort(-probabilities, kind="stable")[:ALTERNATIVES].tolist()
        alternatives = [(decode(tokenizer, [token]), float(probabilities[token])) for token in best]
        piece = decode(tokenizer, [int(ids[place])])
        gaps.append(Gap(len(filled), piece, -float(np.log(probabilities[ids[place]])), alternatives))
        filled += piece + part
    return Filled(filled, gaps)


def _distribution(
    engine: Engine, tokenizer: Tokenizer, ids: NDArray[np.int64], place: int, window: int
) -> NDArray[Any]:
    """Return the probability (V,) of each token at one place, given the others; never the unknown one."""
    first = max(0, place - window)
    row = ids[first : place + window + 1, np.newaxis]
    logits, _ = engine.feed(row, engine.initial_state(1))
    bias = forbid(engine.vocabulary_size, [tokenizer.unknown])
    return Sampling().probabilities(logits[place - first, 0], bias)
