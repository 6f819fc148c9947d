"""What the user names in, its TextStore out: made the first time, found by its fingerprint after that."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from elman.errors import StorageError, TextError
from elman.progress import Tally
from elman.text import seen
from elman.text.decoding import fingerprint, first_characters, read_text
from elman.text.sources import Source, find_sources
from elman.text.store import TextStore


def cache_folder() -> Path:
    """Say where texts are kept: $ELMAN_CACHE, else $XDG_CACHE_HOME/elman, else ~/.cache/elman. Makes no
    folder.

    Raises StorageError where no variable is set and the user has no home folder.
    """
    if own := os.environ.get("ELMAN_CACHE"):
        return Path(own)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared, "elman")
    try:
        return Path.home() / ".cache" / "elman"
    except RuntimeError:
        raise StorageError(
            "this user has no home folder; expected one to keep texts in; set ELMAN_CACHE"
        ) from None


def open_text(
    texts: Sequence[str],
    cache: Path,
    encoding: str = "utf-8",
    characters: int | None = None,
    line_ends: str = "keep",
    advance: Tally | None = None,
    stdin: BinaryIO | None = None,
) -> TextStore:
    """Open all of `texts` (see `find_sources`) as one, from the folder `cache` where it was read before.

    The first time reads every source twice, for the fingerprint and for the characters; later times only
    for the fingerprint, and not at all where the files are known to be as they were. `advance` is called
    with the number of raw bytes just read. `characters` keeps the first so many only; `line_ends` keeps them
    or, as "space", turns them into spaces. The store keeps the names that were given the first time.

    Raises what `find_sources` and `read_text` raise, StorageError where the cache cannot be written, and
    TextError where the text changes between the two readings.
    """
    sources = find_sources(texts, stdin, cache / "pipes")
    now = seen.stamp(sources, f"{encoding} {characters} {line_ends}")
    if (known := seen.recall(cache / "seen", now)) and (store := find_text(known, cache)):
        return store
    first, second = _Meter(advance), _Meter(advance)
    mark = fingerprint(sources, encoding, first)
    if characters or line_ends != "keep":
        mark = hashlib.sha256(f"{mark} {characters} {line_ends}".encode()).hexdigest()
    if store := find_text(mark, cache):
        seen.remember(cache / "seen", now, mark)
        return store
    chunks = _unchanged(read_text(sources, encoding, second), first, second, sources)
    if characters:
        chunks = first_characters(chunks, characters)
    if line_ends == "space":
        chunks = (chunk.replace("\n", " ") for chunk in chunks)
    store = TextStore.make(_folder(cache, mark), chunks, mark, [source.name for source in sources])
    seen.remember(cache / "seen", now, mark)
    return store


def find_text(fingerprint: str, cache: Path) -> TextStore | None:
    """Return the text that was read before and has this fingerprint; None where the cache has it no
    longer.
    """
    store = TextStore.open(_folder(cache, fingerprint))
    return store if store is not None and store.fingerprint == fingerprint else None


def _folder(cache: Path, fingerprint: str) -> Path:
    return cache / "texts" / fingerprint[:32]


class _Meter:
    """Counts raw bytes on their way to the caller's progress bar."""

    def __init__(self, advance: Tally | None) -> None:
        self.total = 0
        self._advance = advance

    def __call__(self, count: int) -> None:
        self.total += count
        if self._advance:
            self._advance(count)


def _unchanged(
    chunks: Iterator[str], first: _Meter, second: _Meter, sources: Sequence[Source]
) -> Iterator[str]:
    yield from chunks
    if first.total != second.total:
        raise TextError(
            f"the text had {first.total} bytes when first read and {second.total} when read again; "
            f"expected {sources[0].name} to stay as it is; wait until nothing writes to it"
        )
