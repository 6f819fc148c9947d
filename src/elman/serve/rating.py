"""How likely the model finds each token of a text: logits in, logarithmic probabilities out, with the
likeliest alternatives.

They are the model's own, before temperature and cuts. Knows nothing of how tokens are chosen.
"""

import codecs
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from elman.engine import Ids, Logits, log_probabilities
from elman.tokens import Tokenizer


class Rated(NamedTuple):
    """A token with its logarithmic probability."""

    piece: str
    offset: int  # characters before it
    logprob: float | None  # of the first token of all there is none
    alternatives: dict[str, float]


class Rating:
    """Rates the tokens of one text, in order; tokens of a prompt come with their own spelling."""

    def __init__(self, spellings: Sequence[bytes], alternatives: int, offset: int = 0) -> None:
        self._spellings, self._alternatives, self._offset = spellings, alternatives, offset
        self._held: list[Rated] = []

    def first(self, piece: str) -> Rated:
        """Return the first token of all, which follows nothing."""
        rated = Rated(piece, self._offset, None, {})
        self._offset += len(piece)
        return rated

    def rate(self, token: int, piece: str, logits: Logits) -> Rated:
        """Return a token that follows where the model gave logits (V,); `piece` is what it adds."""
        scores = log_probabilities(logits)
        best = np.argsort(-scores, kind="stable")[: self._alternatives].tolist()
        listed = {self._spell(one): float(scores[one]) for one in reversed(best)}  # the likeliest wins
        rated = Rated(piece, self._offset, float(scores[token]), dict(reversed(listed.items())))
        self._offset += len(piece)
        return rated

    def hold(self, token: int, piece: str, logits: Logits) -> None:
        """Rate a token whose text is not yet certain."""
        self._held.append(self.rate(token, piece, logits))

    def release(self, offset: int | None) -> list[Rated]:
        """Return what was held of tokens that begin before an offset; None is the end."""
        ready = [one for one in self._held if offset is None or one.offset < offset]
        del self._held[: len(ready)]
        return ready

    def _spell(self, token: int) -> str:
        return self._spellings[token].decode("utf-8", "replace")


def spelled(tokenizer: Tokenizer, ids: Ids, text: str) -> list[str]:
    """Return what each token adds to its text, as whole characters; side by side they are the text."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    unknown = iter(tokenizer.unknown_pieces(text))
    return [
        next(unknown) if token == tokenizer.unknown else decoder.decode(tokenizer.pieces[token])
        for token in ids.tolist()
    ]
