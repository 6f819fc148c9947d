"""A file in, a stream of its decompressed bytes out. Knows nothing of encodings, folders or zips.

What goes wrong while a stream is opened or read is raised as a TextError that names the text; a compressed
file that ends too early counts as damaged, in every format.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

from elman.errors import MissingPackageError, TextError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
READ_BYTES = 1 << 20

Readable: TypeAlias = io.RawIOBase | io.BufferedIOBase
Damage: TypeAlias = tuple[type[Exception], ...]


@contextmanager
def explained(name: str, damage: Damage = ()) -> Iterator[None]:
    """Turn a failure to read `name` into a TextError; `damage` lists what a damaged archive raises."""
    expected: Damage = (OSError, *damage)
    try:
        yield
    except expected as error:
        if isinstance(error, OSError) and error.strerror:
            raise TextError(
                f"{name} cannot be read: {error.strerror.lower()}; expected a readable file; mend that, or "
                "leave it out"
            ) from error
        raise TextError(
            f"{name} is damaged: {first_line(error)}; expected a whole archive; fetch or pack it again"
        ) from error


def first_line(error: Exception) -> str:
    """Give the first line of an error's message in lower case; without any, the name of its class."""
    lines = str(error).splitlines()
    return lines[0].lower().rstrip(".") if lines else type(error).__name__


def open_file(path: Path, name: str) -> BinaryIO:
    """Open a file, decompressed where its suffix is one of COMPRESSIONS.

    Raises TextError where it cannot be read and MissingPackageError for .zst without zstandard.
    """
    with explained(name):
        file = path.open("rb", buffering=0)
    return decompressed(file, path.name, name)


def decompressed(file: Readable, file_name: str, name: str, damage: Damage = ()) -> BinaryIO:
    """Read `file` through the decompression that the suffix of `file_name` asks for, if any.

    Closing the stream closes the file. `damage` lists what the file itself raises where it is damaged.
    """
    try:
        layer, more_damage = _decompression(file, PurePath(file_name).suffix.lower())
    except BaseException:
        file.close()
        raise
    return cast(BinaryIO, _Stream(name, [file, layer], damage + more_damage))


def _decompression(file: Readable, suffix: str) -> tuple[Readable, Damage]:
    source = cast(BinaryIO, file)
    if suffix == ".gz":
        import gzip
        import zlib

        return gzip.GzipFile(fileobj=source), (EOFError, zlib.error)
    if suffix == ".bz2":
        import bz2

        return bz2.BZ2File(source), (EOFError,)
    if suffix == ".xz":
        import lzma

        return lzma.LZMAFile(source), (EOFError, lzma.LZMAError)
    if suffix == ".zst":
        try:
            from zstandard import ZstdError
        except ImportError:
            raise MissingPackageError(
                "reading .zst needs zstandard, which is not installed; "
                'run pip install "elman[zst]", or unpack the file first'
            ) from None
        from elman.text.zstd import ZstdStream

        return io.BufferedReader(ZstdStream(file), READ_BYTES), (EOFError, ZstdError)
    return file, ()


class _Stream(io.RawIOBase):
    """The last of some layers of streams, each reading from the one before; its errors name the text."""

    def __init__(self, name: str, layers: list[Readable], damage: Damage) -> None:
        self._name, self._layers, self._damage = name, layers, damage

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        with explained(self._name, self._damage):
            return self._layers[-1].readinto(buffer)

    def close(self) -> None:
        for layer in reversed(self._layers):
            layer.close()
        super().close()
