"""What every tokenizer promises: text in, token ids out, and back, exactly. Knows nothing of files, models
or devices.

A token is a piece of bytes; putting pieces side by side gives the text again. Every tokenizer is one leaf
class with these attributes, and joins `tests/contracts/test_tokenizers.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.integer[Any]]
UNKNOWN = "<unk>"


class Tokenizer(Protocol):
    """Text to ids and back."""

    @property
    def kind(self) -> str:
        """The name of this kind of tokenizer in the settings."""

    @property
    def pieces(self) -> Sequence[bytes]:
        """The bytes of each id, 0 .. V-1."""

    @property
    def unknown(self) -> int | None:
        """The id of what was not seen in training; None where that cannot happen."""

    @property
    def size(self) -> int:
        """The size V of the vocabulary."""

    def encode(self, text: str) -> Ids:
        """Return the ids (T,) of a text."""

    def unknown_pieces(self, text: str) -> list[str]:
        """Return the pieces of a text that `encode` gives the unknown id, in order."""

    def to_json(self) -> str:
        """Return the content of tokenizer.json, in the format of Hugging Face tokenizers."""


def decode(tokenizer: Tokenizer, ids: Iterable[int]) -> str:
    """Return the text of ids; bytes that are not UTF-8, as a model may write them, become U+FFFD."""
    data = b"".join(tokenizer.pieces[token] for token in ids)
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")


def cut_stream(tokenizer: Tokenizer, chunks: Iterable[str]) -> Iterator[str]:
    """Cut a text that comes in chunks into pieces that can be encoded alone, as if the text came whole."""
    return iter(chunks) if tokenizer.kind in ("character", "byte") else cut_between_words(chunks)


def cut_between_words(chunks: Iterable[str]) -> Iterator[str]:
    """Cut a text that comes in chunks where white space follows something visible: no token spans that place.

    A stretch of more than a million characters without such a place is cut where it is.
    """
    rest = ""
    for chunk in chunks:
        rest += chunk
        cut = _last_cut(rest) or (len(rest) if len(rest) > 1_000_000 else 0)
        if cut:
            yield rest[:cut]
            rest = rest[cut:]
    if rest:
        yield rest


def encode_stream(tokenizer: Tokenizer, chunks: Iterable[str]) -> Iterator[Ids]:
    """Encode a text that comes in chunks exactly as if it came whole, in bounded memory."""
    return map(tokenizer.encode, cut_stream(tokenizer, chunks))


def _last_cut(text: str) -> int:
    """Return the last place where white space follows something visible, or 0."""
    for place in range(len(text) - 1, 0, -1):
        if text[place].isspace() and not text[place - 1].isspace():
            return place
    return 0


def hugging_face(vocabulary: dict[str, int], pattern: str) -> Any:
    """Return a Hugging Face tokenizer that splits by a pattern and looks each piece up, whole."""
    from tokenizers import Regex, decoders, models, pre_tokenizers
    from tokenizers import Tokenizer as HuggingFaceTokenizer

    backend: Any = HuggingFaceTokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), "isolated")
    backend.decoder = decoders.Fuse()
    return backend
