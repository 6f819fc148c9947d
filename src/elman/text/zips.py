"""A zip in, the names of its members and a stream of any of them out. Knows nothing of encodings."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from elman.errors import TextError
from elman.text.streams import Readable, decompressed, explained, first_line

if TYPE_CHECKING:
    from zipfile import ZipFile


def zip_members(path: Path, name: str) -> list[str]:
    """List the files in a zip, sorted, without hidden ones. Raises TextError where it cannot be read."""
    with _explained(name):
        files = {info.filename for info in _open_zip(path).infolist() if not info.is_dir()}
    return sorted(file for file in files if not _is_hidden(file))


def open_member(path: Path, member: str, name: str) -> BinaryIO:
    """Open a file in a zip, decompressed once more where its suffix says so (`book.txt.gz`).

    Raises TextError where the zip is damaged, unreadable, or closed by a password.
    """
    from lzma import LZMAError
    from zipfile import BadZipFile
    from zlib import error as ZlibError  # noqa: N812  # zlib names a class like a variable

    with _explained(name):
        file = cast(Readable, _open_zip(path).open(member))
    return decompressed(file, member, name, (BadZipFile, EOFError, LZMAError, ZlibError))


def _is_hidden(member: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(member).parts)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    from zipfile import BadZipFile

    try:
        with explained(name, (BadZipFile, EOFError)):
            yield
    except (KeyError, NotImplementedError, RuntimeError) as error:  # member gone, unknown packing, password
        raise TextError(
            f"{name} cannot be unpacked: {first_line(error)}; expected a plain zip; unpack it yourself and "
            "name the files"
        ) from error


def _open_zip(path: Path) -> "ZipFile":
    status = path.stat()
    return _open_zip_once(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=1)
def _open_zip_once(path: Path, modified: int, size: int) -> "ZipFile":
    """Keep the last zip open: each of its many members would otherwise read its whole directory again."""
    from zipfile import ZipFile

    return ZipFile(path)
