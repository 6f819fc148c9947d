"""What every test has: a cache and a home of its own, one thread, and no network but this machine."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from .browser import Browser, open_browser

os.environ.setdefault("OMP_NUM_THREADS", "1")
# the same examples each time, as slow as the machine may be; --hypothesis-profile=default looks for others
hypothesis.settings.register_profile("repeated", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeated")


@pytest.fixture(autouse=True)
def _own_world(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELMAN_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))

    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: tuple[str, int]) -> None:
        here = self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "localhost", "::1")
        assert here, f"a test reached for the network: {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


def shared_text(name: str) -> Path:
    """Return the path of one of the texts that are not committed; the test is skipped where it is absent."""
    folder = Path(os.environ.get("ELMAN_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / name).exists():
        pytest.skip(f"{folder / name} is absent; set ELMAN_TEST_DATA to a folder that holds it")
    return folder / name


@pytest.fixture
def tinyshakespeare() -> Path:
    return shared_text("tinyshakespeare.txt")


@pytest.fixture
def quatrains() -> Path:
    return shared_text("quatrains.txt")


@pytest.fixture
def wikitext() -> Path:
    return shared_text("wikitext2-valid.txt")


@pytest.fixture
def small_text(tmp_path: Path) -> Path:
    """A text of some 12,000 characters with structure to learn and nothing outside ASCII."""
    import random

    words = "the cat sat on a mat and saw one dog run by its red door while rain fell".split()
    choose = random.Random(7)
    lines = [" ".join(choose.choice(words) for _ in range(8)) + ".\n" for _ in range(320)]
    path = tmp_path / "small.txt"
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened
