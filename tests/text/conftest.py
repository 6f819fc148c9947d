"""Sources that hand out their bytes in pieces of any size, and a user without the rights of root."""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from elman.text import Source


class Pieces(io.RawIOBase):
    """A stream whose every read gives the next piece, as a slow pipe does."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = [piece for piece in pieces if piece]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        if not self.pieces:
            return 0
        piece = self.pieces.pop(0)
        assert len(piece) <= len(buffer)
        buffer[: len(piece)] = piece
        return len(piece)


@pytest.fixture(scope="session")
def run_script() -> Callable[[str, Path], str]:
    """Run a script in a process and a folder of its own and give what it printed."""

    def run(script: str, folder: Path) -> str:
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout

    return run


@pytest.fixture(scope="session")
def in_pieces() -> Callable[..., Source]:
    def source(*pieces: bytes, name: str = "pieces.txt") -> Source:
        return Source(name, lambda: Pieces(list(pieces)))

    return source


@pytest.fixture
def reachable_folder() -> Iterator[Path]:
    """Give a folder that any user may enter; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def without_rights() -> Iterator[None]:
    """Take root's rights away for one test, as nobody; any other user has none to lose."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
