"""A text's tokens on disk: made once, read in bounded memory whatever the size of the text.

A text store and the choice of a tokenizer come in; one file of ids for each part of the split goes out.
Knows nothing of models or devices. A store is a folder in the cache: `tokenizer.json`, `counts.npy` (how
often each id occurs in the training part), `<part>.ids` and `store.json`, which is written last and says
how many bytes each of the others has.
"""

import hashlib
import json
import weakref
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from elman.errors import StorageError
from elman.progress import Tally
from elman.text import Part, TextStore
from elman.text.whole import make_folder

from . import encode_stream, learn_tokenizer, load_tokenizer

FORMAT = 1
HELD_AT_MOST = 1 << 26  # bytes of a part that are kept in memory; a larger one is read as it is needed
Ids = NDArray[np.int64]


class Tokens:
    """The ids of one part, in memory where they are few, else read from their file stretch by stretch.

    A memory map would do the same with less code, but the pages that it has touched count as resident.
    """

    def __init__(self, path: Path, dtype: np.dtype[Any]) -> None:
        size = path.stat().st_size
        self._length, self._dtype = size // dtype.itemsize, dtype
        self._held = np.fromfile(path, dtype) if size <= HELD_AT_MOST else None
        self._file = path.open("rb", buffering=0)
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return self._length

    def read(self, start: int, count: int) -> Ids:
        """Return ids (count,) from a position on."""
        return self.rows(np.array([start]), count)[:, 0]

    def rows(self, starts: NDArray[np.int64], count: int) -> Ids:
        """Return ids (count, B): from each of B positions, the next `count`."""
        read = np.empty((count, len(starts)), dtype=np.int64)
        if self._held is not None:
            read[:] = self._held[starts + np.arange(count)[:, np.newaxis]]
            return read
        for row, start in enumerate(starts.tolist()):
            self._file.seek(start * self._dtype.itemsize)
            read[:, row] = np.frombuffer(self._file.read(count * self._dtype.itemsize), self._dtype)
        return read


class TokenStore:
    """All parts of one text under one tokenizer."""

    def __init__(self, folder: Path) -> None:
        description = json.loads((folder / "store.json").read_text(encoding="utf-8"))
        self.tokenizer = load_tokenizer(
            description["tokenizer"], (folder / "tokenizer.json").read_text(encoding="utf-8")
        )
        self.counts: Ids = np.load(folder / "counts.npy", allow_pickle=False)
        self.parts = {
            name: Tokens(folder / f"{name}.ids", _dtype(self.tokenizer.size)) for name in description["parts"]
        }


def open_tokens(
    text: TextStore,
    parts: list[Part],
    kind: str,
    vocabulary_size: int | None,
    cache: Path,
    advance: Tally | None = None,
) -> TokenStore:
    """Return the tokens of a text, from the cache or encoded now; `advance` is called with characters done.

    The tokenizer is learned from the training part alone.
    """
    wanted = [
        FORMAT,
        text.fingerprint,
        kind,
        vocabulary_size,
        [[part.name, part.start, part.stop] for part in parts],
    ]
    key = hashlib.sha256(json.dumps(wanted).encode()).hexdigest()[:32]
    folder = cache / "tokens" / key
    if not _is_whole(folder):
        fill = partial(
            _fill, text=text, parts=parts, kind=kind, vocabulary_size=vocabulary_size, advance=advance
        )
        try:
            make_folder(folder, fill, _is_whole)
        except OSError as error:
            raise StorageError(
                f"cannot write {folder}: {error.strerror}; free some space, or set ELMAN_CACHE"
            ) from None
    return TokenStore(folder)


def _fill(
    folder: Path,
    text: TextStore,
    parts: list[Part],
    kind: str,
    vocabulary_size: int | None,
    advance: Tally | None,
) -> None:
    training = parts[0]
    learned_from = _reported(text.read(training.start, training.stop), advance)
    tokenizer = learn_tokenizer(kind, learned_from, vocabulary_size)
    (folder / "tokenizer.json").write_text(tokenizer.to_json(), encoding="utf-8")
    counts = np.zeros(tokenizer.size, dtype=np.int64)
    for part in parts:
        with open(folder / f"{part.name}.ids", "wb") as file:
            for ids in encode_stream(tokenizer, _reported(text.read(part.start, part.stop), advance)):
                if part is training:
                    counts += np.bincount(ids, minlength=tokenizer.size)
                file.write(ids.astype(_dtype(tokenizer.size), copy=False).data)
    np.save(folder / "counts.npy", counts)
    description = {
        "tokenizer": kind,
        "parts": [part.name for part in parts],
        "bytes": {path.name: path.stat().st_size for path in folder.iterdir()},
    }
    (folder / "store.json").write_text(json.dumps(description), encoding="utf-8")


def _is_whole(folder: Path) -> bool:
    try:
        sizes = json.loads((folder / "store.json").read_text(encoding="utf-8"))["bytes"]
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError):
        return False


def _dtype(vocabulary_size: int) -> np.dtype[Any]:
    return np.dtype(
        np.uint8 if vocabulary_size <= 1 << 8 else np.uint16 if vocabulary_size <= 1 << 16 else np.uint32
    )


def _reported(chunks: Iterator[str], advance: Tally | None) -> Iterator[str]:
    for chunk in chunks:
        yield chunk
        if advance:
            advance(len(chunk))
