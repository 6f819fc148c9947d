"""One token for each word with the space before it, and `<unk>` for what is rare in the training text."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from elman.errors import TokenError

from .tokenizer import UNKNOWN, Ids, cut_between_words, hugging_face

# A word with its inner apostrophes or a run of punctuation, each with a space before it; or one white space.
PATTERN = r" ?\w+(?:['\u2019]\w+)*| ?[^\s\w]+|\s"
WORDS_BY_DEFAULT = 10_000
OCCURRENCES_AT_LEAST = 2  # words seen once are `<unk>`: so the model learns what an unknown word does
_SURROGATES = re.compile("[\ud800-\udfff]")


class WordTokenizer:
    """Ids in the order of frequency; 0 is `<unk>`."""

    kind = "word"
    unknown = 0

    def __init__(self, words: Iterable[str]) -> None:
        self.words = list(words)
        self.pieces = [UNKNOWN.encode(), *(word.encode() for word in self.words)]
        self._backend = hugging_face(
            {UNKNOWN: 0} | {w: i for i, w in enumerate(self.words, start=1)}, PATTERN
        )

    @classmethod
    def learn(cls, chunks: Iterable[str], vocabulary_size: int | None = None) -> "WordTokenizer":
        """Count the words of a text and keep the most frequent; ties go to the smaller code points.

        Raises:
            TokenError: no word occurs twice.
        """
        counts: Counter[str] = Counter()
        splitter = hugging_face({UNKNOWN: 0}, PATTERN).pre_tokenizer
        for text in cut_between_words(chunks):
            counts.update(word for word, _ in splitter.pre_tokenize_str(text))
        counts.pop(UNKNOWN, None)
        frequent = [word for word, count in counts.items() if count >= OCCURRENCES_AT_LEAST]
        if not frequent:
            raise TokenError(
                f"none of {len(counts):,} different words occurs {OCCURRENCES_AT_LEAST} times, expected some "
                "that do; use a longer text, or --tokenizer character, byte or bpe"
            )
        frequent.sort(key=lambda word: (-counts[word], word))
        return cls(frequent[: (vocabulary_size or WORDS_BY_DEFAULT) - 1])

    @classmethod
    def from_json(cls, text: str) -> "WordTokenizer":
        """Read tokenizer.json."""
        vocabulary: dict[str, int] = json.loads(text)["model"]["vocab"]
        return cls(word for word in sorted(vocabulary, key=vocabulary.__getitem__) if word != UNKNOWN)

    @property
    def size(self) -> int:
        """The size V of the vocabulary, `<unk>` included."""
        return len(self.pieces)

    def encode(self, text: str) -> Ids:
        """Return the ids (T,) of a text."""
        return np.array(self._encoded(text).ids, dtype=np.int64)

    def unknown_pieces(self, text: str) -> list[str]:
        """Return the words of a text that are not in the vocabulary, in order, with the space before each."""
        encoding = self._encoded(text)
        return [
            text[slice(*at)] for token, at in zip(encoding.ids, encoding.offsets, strict=True) if token == 0
        ]

    def _encoded(self, text: str) -> Any:
        """Encode a text; half surrogates, which a command line can hold, count as U+FFFD."""
        return self._backend.encode(_SURROGATES.sub("\ufffd", text))

    def to_json(self) -> str:
        """Return the content of tokenizer.json."""
        return str(self._backend.to_str(pretty=True))
