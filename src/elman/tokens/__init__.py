"""Tokens: character, byte, word, byte-pair -> integers, kept on disk. Never imports torch."""

from collections.abc import Iterable

from .bpe import BytePairTokenizer
from .byte import ByteTokenizer
from .character import CharacterTokenizer
from .tokenizer import Tokenizer as Tokenizer
from .tokenizer import cut_stream as cut_stream
from .tokenizer import decode as decode
from .tokenizer import encode_stream as encode_stream
from .word import WordTokenizer


def learn_tokenizer(kind: str, chunks: Iterable[str], vocabulary_size: int | None = None) -> Tokenizer:
    """Make a tokenizer of a kind (character, byte, word, bpe) from the training part of a text."""
    if kind == "character":
        return CharacterTokenizer.learn(chunks)
    if kind == "word":
        return WordTokenizer.learn(chunks, vocabulary_size)
    if kind == "bpe":
        return BytePairTokenizer.learn(chunks, vocabulary_size)
    return ByteTokenizer()


def load_tokenizer(kind: str, text: str) -> Tokenizer:
    """Read the content of a tokenizer.json that a tokenizer of this kind wrote."""
    if kind == "character":
        return CharacterTokenizer.from_json(text)
    if kind == "word":
        return WordTokenizer.from_json(text)
    if kind == "bpe":
        return BytePairTokenizer.from_json(text)
    return ByteTokenizer()
