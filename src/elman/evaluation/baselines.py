"""Training text and held-out text in, what simple models need for the held-out text out.

A trained network's score is printed beside these, so that its user sees whether it earned anything. They work
on characters (Unicode code points), whatever the tokenizer. A character that the training text lacks costs
`<unk>` and its spelling. Knows nothing of neural models, tokenizers or files.
"""

import lzma
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kneser_ney import kneser_ney_nats
from .spelling import Spelling

TRAINING_BYTES_AT_MOST = 20_000_000  # of UTF-8, the last of the training text: bounds time and memory
ORDERS = 6
DICTIONARY_BYTES_AT_MOST = 1 << 25
CODE_POINTS = 0x110000


@dataclass(frozen=True)
class Baseline:
    """What one simple model needs for the whole held-out text."""

    name: str
    nats: float
    characters: int
    bytes: int  # of UTF-8

    @property
    def nats_per_character(self) -> float:
        """Return the mean negative log probability of a character."""
        return self.nats / self.characters

    @property
    def bits_per_character(self) -> float:
        """Return the same in bits."""
        return self.nats / math.log(2) / self.characters

    @property
    def bits_per_byte(self) -> float:
        """Return the bits for one byte of UTF-8, which compares between languages."""
        return self.nats / math.log(2) / self.bytes


class Numbered(NamedTuple):
    """Two texts as integers."""

    train_bytes: bytes
    train: NDArray[np.uint32]  # (N,) which character, of those that the training text has
    heldout: NDArray[np.uint32]  # (T,) the same; `unknown` where the training text lacks it
    unknown: int  # also the number of characters that it has
    spelling_nats: float  # what the spelling of the unknown ones costs


def measure_baselines(train: Iterable[str], heldout: str, follows: bool = True) -> dict[str, Baseline]:
    """Return what each baseline needs for `heldout`, by name, after the chunks of `train` were counted.

    They are `unigram`, add-one smoothed; the Kneser-Ney order up to 6 that does best, as `kneser-ney 6-gram`;
    and `lzma`, the bytes that `heldout` adds to the compressed training text. `follows` says that `heldout`
    continues `train`, so that its first characters may be predicted from the end of `train`. Of `train` only
    the last TRAINING_BYTES_AT_MOST are held and used. Raises ValueError where `heldout` is empty.
    """
    numbered = number_characters(train, heldout)
    heldout_bytes = heldout.encode("utf-8", "surrogatepass")
    orders = kneser_ney_nats(numbered.train, numbered.heldout, numbered.unknown, ORDERS, follows)
    best = min(range(ORDERS), key=orders.__getitem__)
    counts = np.bincount(numbered.train, minlength=numbered.unknown)
    totals = {
        "unigram": _unigram_nats(counts, numbered.heldout) + numbered.spelling_nats,
        f"kneser-ney {best + 1}-gram": orders[best] + numbered.spelling_nats,
        "lzma": _added_bytes(numbered.train_bytes, heldout_bytes) * 8 * math.log(2),
    }
    return {name: Baseline(name, nats, len(heldout), len(heldout_bytes)) for name, nats in totals.items()}


def number_characters(train: Iterable[str], heldout: str) -> Numbered:
    """Number the characters of two texts; of `train` the last TRAINING_BYTES_AT_MOST are used.

    Raises ValueError where `heldout` is empty.
    """
    if not heldout:
        raise ValueError("found an empty held-out text; expected at least one character")
    train_bytes = _last_bytes(train, TRAINING_BYTES_AT_MOST)
    codes = _code_points(train_bytes.decode("utf-8", "surrogatepass"))
    alphabet = np.flatnonzero(np.bincount(codes, minlength=CODE_POINTS))
    unknown = len(alphabet)
    ids = np.full(CODE_POINTS, unknown, dtype=np.uint32)
    ids[alphabet] = np.arange(unknown, dtype=np.uint32)
    heldout_ids = ids[_code_points(heldout)]
    spelling = Spelling.learn(map(chr, alphabet))
    new = np.flatnonzero(heldout_ids == unknown).tolist()
    return Numbered(
        train_bytes, ids[codes], heldout_ids, unknown, sum(spelling.nats(heldout[place]) for place in new)
    )


def _last_bytes(chunks: Iterable[str], limit: int) -> bytes:
    """Return the end of the text that the chunks make, whole characters, at most `limit` bytes of UTF-8."""
    kept: deque[bytes] = deque()
    size = 0
    for chunk in chunks:
        kept.append(chunk[-limit:].encode("utf-8", "surrogatepass"))
        size += len(kept[-1])
        while size - len(kept[0]) >= limit:
            size -= len(kept.popleft())
    text = b"".join(kept)[-limit:]
    start = 0
    while start < len(text) and text[start] & 0xC0 == 0x80:  # the rest of a character that was cut
        start += 1
    return text[start:]


def _code_points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32, copy=False)


def _unigram_nats(counts: NDArray[np.integer[Any]], heldout: NDArray[np.uint32]) -> float:
    """Return the nats of `heldout` (T,) by add-one smoothed `counts` (V,) and, as id V, `<unk>`."""
    smoothed = np.append(counts, 0) + 1.0
    return -float(np.log(smoothed / smoothed.sum())[heldout].sum())


def _added_bytes(train: bytes, heldout: bytes) -> int:
    """Return by how many bytes `heldout` lengthens the compressed `train`."""
    size = len(train) + len(heldout)
    dictionary = min(DICTIONARY_BYTES_AT_MOST, max(4096, 1 << (size - 1).bit_length()))
    settings = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": dictionary}

    def compressed(*parts: bytes) -> int:
        compressor = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[settings])
        return sum(len(compressor.compress(part)) for part in parts) + len(compressor.flush())

    return max(0, compressed(train, heldout) - compressed(train))
