"""A folder that is there whole or not at all: filled beside, synced, renamed. Knows not what is in it."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PREFIX = ".making-"
SECONDS_TO_LEAVE = 24 * 3600  # a folder that nobody has written to for so long was left by a killed process


def make_folder(folder: Path, fill: Callable[[Path], object], is_whole: Callable[[Path], bool]) -> None:
    """Let `fill` write into a new folder, then give it its name; a damaged one of that name makes way.

    Where another process made it meanwhile, and `is_whole` says so, that one stays. Raises OSError, also
    where files of someone else stand in it; nothing is left behind then.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    beside = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder.parent))
    try:
        fill(beside)
        for path in (*beside.iterdir(), beside):
            _sync(path)
        try:
            beside.rename(folder)
        except OSError:
            if is_whole(folder):
                return
            if not folder.is_dir() or not _names(folder) <= _names(beside):
                raise
            shutil.rmtree(folder)
            beside.rename(folder)
        _sync(folder.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _sweep(parent: Path) -> None:
    for left in parent.glob(f"{PREFIX}*"):
        try:
            written = max(path.stat().st_mtime for path in (left, *left.iterdir()))
        except OSError:  # its process has just given it its name
            continue
        if time.time() - written > SECONDS_TO_LEAVE:
            shutil.rmtree(left, ignore_errors=True)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _sync(path: Path) -> None:
    if path.is_dir() and os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
