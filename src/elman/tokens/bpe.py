"""Byte-level byte pairs: frequent strings become one token, and every text can still be written byte by
byte.
"""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from elman.text import first_characters

from .byte import byte_symbol
from .tokenizer import Ids

PAIRS_BY_DEFAULT = 1024
LEARNED_FROM = 100_000_000  # characters; more text changes the pairs little and the memory a lot
_SURROGATES = re.compile("([\ud800-\udfff]+)")


class BytePairTokenizer:
    """Merges learned by the Hugging Face trainer (Sennrich et al. 2016, on bytes as in Radford et al.
    2019).
    """

    kind = "bpe"
    unknown = None

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._byte_of = {byte_symbol(value): value for value in range(256)}
        vocabulary: dict[str, int] = backend.get_vocab()
        symbols = sorted(vocabulary, key=vocabulary.__getitem__)
        self.pieces = [bytes(self._byte_of[character] for character in symbol) for symbol in symbols]
        self._id_of_byte = np.array([vocabulary[byte_symbol(value)] for value in range(256)], dtype=np.int64)

    @classmethod
    def learn(cls, chunks: Iterable[str], vocabulary_size: int | None = None) -> "BytePairTokenizer":
        """Learn the merges from the first 100 million characters of a text."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        backend: Any = Tokenizer(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        backend.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=max(vocabulary_size or PAIRS_BY_DEFAULT, 256),
            show_progress=False,
            initial_alphabet=[byte_symbol(value) for value in range(256)],
        )
        backend.train_from_iterator(first_characters(chunks, LEARNED_FROM), trainer)
        return cls(backend)

    @classmethod
    def from_json(cls, text: str) -> "BytePairTokenizer":
        """Read tokenizer.json."""
        from tokenizers import Tokenizer

        return cls(Tokenizer.from_str(text))

    @property
    def size(self) -> int:
        """The size V of the vocabulary."""
        return len(self.pieces)

    def encode(self, text: str) -> Ids:
        """Return the ids (T,) of a text; lone surrogates, which UTF-8 does not have, go byte by byte."""
        parts = _SURROGATES.split(text)  # every second part is a run of surrogates
        encoded = [
            self._id_of_byte[np.frombuffer(part.encode("utf-8", "surrogatepass"), dtype=np.uint8)]
            if place % 2
            else np.array(self._backend.encode(part).ids, dtype=np.int64)
            for place, part in enumerate(parts)
        ]
        return np.concatenate(encoded)

    def unknown_pieces(self, text: str) -> list[str]:
        """Return an empty list: every text has bytes."""
        return []

    def to_json(self) -> str:
        """Return the content of tokenizer.json."""
        return str(self._backend.to_str(pretty=True))
