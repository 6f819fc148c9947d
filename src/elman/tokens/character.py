"""One token for each character of the training text, and `<unk>` for all others."""

import json
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from elman.errors import TokenError

from .tokenizer import UNKNOWN, Ids, hugging_face

CHARACTERS_AT_MOST = 20_000


class CharacterTokenizer:
    """Ids in the order of the code points; 0 is `<unk>`. Encoding is one look-up in a table, for any text."""

    kind = "character"
    unknown = 0

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters = sorted(set(characters))
        self.pieces = [UNKNOWN.encode(), *(c.encode("utf-8", "surrogatepass") for c in self.characters)]
        code_points = np.array([ord(character) for character in self.characters], dtype=np.int64)
        self._table = np.zeros(
            int(code_points.max(initial=0)) + 2, dtype=np.uint16
        )  # the last entry: all above
        self._table[code_points] = np.arange(1, len(code_points) + 1, dtype=np.uint16)

    @classmethod
    def learn(cls, chunks: Iterable[str]) -> "CharacterTokenizer":
        """Collect the characters of a text.

        Raises:
            TokenError: more than 20,000 different characters, which no script has.
        """
        seen = np.zeros(0x110000, dtype=bool)
        for chunk in chunks:
            seen[_code_points(chunk)] = True
        found = np.flatnonzero(seen)
        if len(found) > CHARACTERS_AT_MOST:
            raise TokenError(
                f"found {len(found):,} different characters, expected at most {CHARACTERS_AT_MOST:,}: "
                "likely a text in another encoding (--encoding), or many scripts (--tokenizer byte or bpe)"
            )
        return cls(map(chr, found.tolist()))

    @classmethod
    def from_json(cls, text: str) -> "CharacterTokenizer":
        """Read tokenizer.json."""
        return cls(piece for piece in json.loads(text)["model"]["vocab"] if piece != UNKNOWN)

    @property
    def size(self) -> int:
        """The size V of the vocabulary, `<unk>` included."""
        return len(self.pieces)

    def encode(self, text: str) -> Ids:
        """Return the ids (T,) of a text, as the smallest unsigned integers that hold them."""
        return self._table.take(_code_points(text), mode="clip")

    def unknown_pieces(self, text: str) -> list[str]:
        """Return the characters of a text that were not seen in training, in order."""
        return [text[place] for place in np.flatnonzero(self.encode(text) == self.unknown)]

    def to_json(self) -> str:
        """Return the content of tokenizer.json."""
        vocabulary = {UNKNOWN: 0} | {character: i for i, character in enumerate(self.characters, start=1)}
        return str(hugging_face(vocabulary, r"[\s\S]").to_str(pretty=True))


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
