"""Pieces of text in, the cost in nats of spelling one piece byte by byte out.

Whoever meets a piece (a character or a word) that is not in the vocabulary pays for `<unk>` and then for the
spelling, so that no score gains from a small vocabulary. Knows nothing of models, tokens or files.
"""

import math
from collections.abc import Iterable, Sequence

END = 256
SYMBOLS = 257  # every byte, and the end mark


class Spelling:
    """A unigram model over UTF-8 bytes and an end mark, add-one smoothed over the 257 symbols."""

    def __init__(self, counts: Sequence[int]) -> None:
        """Take how often each of the 257 symbols was seen: bytes 0 to 255, then the end mark.

        Raises ValueError where these are not 257 counts.
        """
        if len(counts) != SYMBOLS or min(counts) < 0:
            smallest = min(counts, default=None)
            raise ValueError(
                f"found {len(counts)} symbol counts from {smallest} up; expected {SYMBOLS}, none below zero"
            )
        self.counts = list(counts)
        self._denominator = sum(self.counts) + SYMBOLS

    @classmethod
    def learn(cls, pieces: Iterable[str]) -> "Spelling":
        """Count the bytes and the end of each distinct piece, once however often it is given."""
        counts = [0] * SYMBOLS
        for piece in set(pieces):
            for symbol in _symbols(piece):
                counts[symbol] += 1
        return cls(counts)

    def nats(self, piece: str) -> float:
        """Return the negative log probability of the bytes of `piece` and its end mark."""
        return sum(math.log(self._denominator / (self.counts[symbol] + 1)) for symbol in _symbols(piece))


def _symbols(piece: str) -> list[int]:
    return [*piece.encode("utf-8", "surrogatepass"), END]
