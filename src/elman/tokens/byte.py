"""One token for each byte of the UTF-8 form: 256 tokens, nothing is ever unknown."""

from typing import Any

import numpy as np

from .tokenizer import Ids


class ByteTokenizer:
    """Id = value of the byte."""

    kind = "byte"
    unknown = None
    size = 256

    def __init__(self) -> None:
        self.pieces = [bytes([value]) for value in range(256)]

    def encode(self, text: str) -> Ids:
        """Return the ids (T,) of a text."""
        return np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)

    def unknown_pieces(self, text: str) -> list[str]:
        """Return an empty list: every text has bytes."""
        return []

    def to_json(self) -> str:
        """Return the content of tokenizer.json: byte pairs without any merge."""
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers

        backend: Any = Tokenizer(models.BPE({byte_symbol(value): value for value in range(256)}, []))
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        backend.decoder = decoders.ByteLevel()
        return str(backend.to_str(pretty=True))


def byte_symbol(value: int) -> str:
    """Return the visible character that stands for a byte in byte-level vocabularies (Radford et al. 2019).

    Bytes that are visible Latin-1 characters stand for themselves; the others are counted up from U+0100.
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    if value in visible:
        return chr(value)
    return chr(0x100 + sum(other not in visible for other in range(value)))
