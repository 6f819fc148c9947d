"""A pipe, which is read once, in; a temporary file, which can be read again, out. Knows no encodings."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from elman.errors import StorageError, TextError
from elman.text.streams import READ_BYTES, explained


def spool_pipe(name: str, stream: BinaryIO | None = None, folder: Path | None = None) -> Path:
    """Copy `stream` to its end into a new file in `folder`, which the caller removes; give its path.

    Without a stream, the name says what to read: `-` is the standard input, anything else a named pipe.
    Without a folder, the file is made in the system's own for temporary files.

    Raises TextError where the pipe cannot be read and StorageError where the file cannot be written.
    """
    path = None
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        descriptor, made = tempfile.mkstemp(prefix="elman-pipe-", dir=folder)
        path = Path(made)
        with os.fdopen(descriptor, "wb") as file, _opened(name, stream) as pipe:
            _copy(name, pipe, file)
    except BaseException as error:
        if path is not None:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StorageError(
                f"{name} cannot be kept in {folder or tempfile.gettempdir()}: "
                f"{(error.strerror or str(error)).lower()}; expected room for the whole text; free some, "
                "or set ELMAN_CACHE to a folder on a larger disk"
            ) from error
        raise
    return path


@contextmanager
def _opened(name: str, stream: BinaryIO | None) -> Iterator[BinaryIO]:
    if stream is not None:
        yield stream
    elif name != "-":
        with explained(name):
            file = Path(name).open("rb")  # noqa: SIM115  # what the caller does with it is not explained
        with file:
            yield file
    elif sys.stdin is None:
        raise TextError(
            "- cannot be read: the standard input is closed; expected text from a pipe; name a file instead"
        )
    else:
        yield sys.stdin.buffer


def _copy(name: str, stream: BinaryIO, file: BinaryIO) -> None:
    while True:
        with explained(name):
            raw = stream.read(READ_BYTES)
        if not raw:
            return
        file.write(raw)
