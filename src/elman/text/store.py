"""Characters in, a TextStore out: a text on disk, of any size, read from any position. Knows only UTF-8.

The folder holds `text`, the characters in UTF-8, and `text.json`: format, fingerprint, names, characters,
bytes, and an index, [characters, bytes] at the start and after every chunk, so that a position is found by
decoding one chunk.
"""

import bisect
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from elman.errors import DamagedFileError, StorageError
from elman.text.whole import make_folder

FORMAT = 1
CHUNK_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class TextStore:
    """A text on disk, never held in memory as a whole. Positions are counted in characters, from 0."""

    folder: Path
    fingerprint: str
    names: list[str]
    characters: int
    bytes: int  # of the text in UTF-8
    index: list[tuple[int, int]] = field(repr=False)

    @classmethod
    def make(cls, folder: Path, chunks: Iterable[str], fingerprint: str, names: list[str]) -> "TextStore":
        """Write a text to `folder`, whole or not at all; where another process made it meanwhile, use that.

        `fingerprint` says which text it is, `names` what the user called its sources. Raises StorageError
        where the disk is full or cannot be written; nothing is left behind then.
        """

        def fill(beside: Path) -> None:
            index = _write_text(beside / "text", chunks)
            characters, size = index[-1]
            description = {
                "format": FORMAT,
                "fingerprint": fingerprint,
                "names": names,
                "characters": characters,
                "bytes": size,
                "index": index,
            }
            (beside / "text.json").write_text(json.dumps(description), encoding="utf-8")

        def is_whole(folder: Path) -> bool:
            there = cls.open(folder)
            return there is not None and there.fingerprint == fingerprint

        try:
            make_folder(folder, fill, is_whole)
        except OSError as error:
            raise StorageError(
                f"{folder} cannot be written: {(error.strerror or str(error)).lower()}; expected room for "
                "the text in UTF-8; free some, or set ELMAN_CACHE to a folder on another disk"
            ) from error
        store = cls.open(folder)
        if store is None:
            raise StorageError(
                f"{folder} was changed while it was written; expected it whole; run the command again"
            )
        return store

    @classmethod
    def open(cls, folder: Path) -> "TextStore | None":
        """Open a text that was made before; None where there is none, or where what is there is not whole."""
        try:
            description = json.loads((folder / "text.json").read_bytes())
            size = (folder / "text").stat().st_size
            if description.pop("format") != FORMAT:
                return None
            index = [(characters, count) for characters, count in description.pop("index")]
            store = cls(folder=folder, index=index, **description)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        whole = store.bytes == size and index[:1] == [(0, 0)] and index[-1] == (store.characters, store.bytes)
        return store if whole else None

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[str]:
        """Yield the characters from `start` up to, not including, `stop` (by default the end), in chunks.

        A chunk has at most a million characters or so. Raises DamagedFileError where the file was changed.
        """
        stop = self._check(start, stop)
        with _opened(self.folder) as file:
            chunk = self._chunk_of(start)
            while start < stop:
                first, after = self.index[chunk][0], self.index[chunk + 1][0]
                yield self._decode(file, chunk)[start - first : stop - first]
                start, chunk = after, chunk + 1

    def slice(self, start: int, stop: int) -> str:
        """Give the characters from `start` up to, not including, `stop`, as one string."""
        return "".join(self.read(start, stop))

    def bytes_between(self, start: int, stop: int) -> int:
        """Count the UTF-8 bytes of the characters from `start` up to `stop`; decodes two chunks at most."""
        self._check(start, stop)
        with _opened(self.folder) as file:
            return self._byte_position(file, stop) - self._byte_position(file, start)

    def _check(self, start: int, stop: int | None) -> int:
        stop = self.characters if stop is None else stop
        if not 0 <= start <= stop <= self.characters:
            raise ValueError(f"characters {start} to {stop} of a text of {self.characters}")
        return stop

    def _chunk_of(self, position: int) -> int:
        return bisect.bisect_right(self.index, position, key=itemgetter(0)) - 1

    def _byte_position(self, file: BinaryIO, position: int) -> int:
        chunk = self._chunk_of(position)
        characters, size = self.index[chunk]
        if position == characters:
            return size
        return size + len(self._decode(file, chunk)[: position - characters].encode())

    def _decode(self, file: BinaryIO, chunk: int) -> str:
        (characters, size), (characters_after, size_after) = self.index[chunk : chunk + 2]
        file.seek(size)
        text = file.read(size_after - size).decode()
        if len(text) != characters_after - characters:
            raise ValueError("another number of characters")
        return text


def _write_text(path: Path, chunks: Iterable[str]) -> list[tuple[int, int]]:
    index = [(0, 0)]

    with path.open("wb") as file:
        for chunk in _even(chunks):
            raw = chunk.encode()
            file.write(raw)
            index.append((index[-1][0] + len(chunk), index[-1][1] + len(raw)))
    return index


def _even(chunks: Iterable[str]) -> Iterator[str]:
    """Yield the same characters in chunks of CHUNK_CHARACTERS, the last one shorter."""
    waiting: list[str] = []
    count = 0
    for chunk in chunks:
        waiting.append(chunk)
        count += len(chunk)
        if count >= CHUNK_CHARACTERS:
            text = "".join(waiting)
            whole = count - count % CHUNK_CHARACTERS
            yield from (text[start : start + CHUNK_CHARACTERS] for start in range(0, whole, CHUNK_CHARACTERS))
            waiting = [text[whole:]]
            count -= whole
    if count:
        yield "".join(waiting)


@contextmanager
def _opened(folder: Path) -> Iterator[BinaryIO]:
    try:
        with (folder / "text").open("rb") as file:
            yield file
    except (OSError, ValueError) as error:
        raise DamagedFileError(
            f"{folder / 'text'} is not the text that was written there; expected it unchanged; remove "
            f"{folder} and run the command again"
        ) from error
