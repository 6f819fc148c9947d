"""Files that are there whole or not at all: written beside, synced, renamed. Knows not what is in them."""

import os
import tempfile
from pathlib import Path

from elman.errors import FolderError, StorageError


def write_bytes(path: Path, data: bytes) -> None:
    """Replace a file by new content in one step; a full disk leaves the old content. One writer at a time.

    Raises:
        StorageError: the content cannot be written.
    """
    beside = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for torn in path.parent.glob(f".{path.name}-*"):  # left by a process that was killed as it wrote
            torn.unlink(missing_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, 0o644)
        os.replace(beside, path)
        beside = None
        sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; what was there before is intact: free some "
            "space or choose another place"
        ) from None
    finally:
        if beside is not None:
            os.unlink(beside)


def write_text(path: Path, text: str) -> None:
    """Replace a text file (UTF-8) in one step."""
    write_bytes(path, text.encode("utf-8"))


def refuse_unless_free(target: Path) -> None:
    """Refuse a place for a copy that holds anything.

    Raises:
        FolderError: it is a file, or a folder that is not empty.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FolderError(f"{target} is taken, expected a name that is free or an empty folder; name another")


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder last through a loss of power, where the system lets folders be opened."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
