"""A small model in 32 and 8 bits, and servers of it on a free port of this machine."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from elman import LanguageModel
from elman.engine import Engine, Ids, Logits, State
from elman.serve import Limits, Service, listen, serve

SMALL = {"model.hidden_size": 48, "train.batch_size": 4, "train.window": 16, "train.precision": "fp32"}
WORDS = "the cat sat on a mat and saw one dog run by its red door while rain fell Señor naïve".split()


@dataclass
class Running:
    """A server that runs in a thread."""

    service: Service
    url: str

    @property
    def batcher(self):
        return next(iter(self.service.models.values())).batcher

    def client(self, **headers: str) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False)

    def connection(self) -> socket.socket:
        host, port = self.url.removeprefix("http://").split(":")
        return socket.create_connection((host, int(port)), timeout=10)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with graphs in 32 and 8 bits."""
    import random

    choose = random.Random(7)
    lines = [" ".join(choose.choice(WORDS) for _ in range(8)) + ".\n" for _ in range(200)]
    path = tmp_path_factory.mktemp("text") / "small.txt"
    path.write_text("".join(lines), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELMAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        model = LanguageModel.train(path, out=path.parent / "small", steps=60, settings=SMALL)
        model.export(int8=True)
    return model.folder.path


@pytest.fixture(scope="session")
def model(folder: Path) -> LanguageModel:
    return LanguageModel.load(folder)


@pytest.fixture(scope="session")
def small8(folder: Path) -> LanguageModel:
    return LanguageModel.load(folder, int8=True)


@contextmanager
def running(models: Mapping[str, LanguageModel], limits: Limits, key: str | None = None) -> Iterator[Running]:
    """Serve until the block ends."""
    service, listening = Service(models, limits), listen("127.0.0.1", 0)
    thread = threading.Thread(target=serve, args=(service, listening, key))
    thread.start()
    host, port = listening.getsockname()
    try:
        yield Running(service, f"http://{host}:{port}")
    finally:
        service.draining = True
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def server(model: LanguageModel, small8: LanguageModel) -> Iterator[Running]:
    """One server for all tests that leave it as it was."""
    with running({"small": model, "small8": small8}, Limits()) as server:
        yield server


class Slow:
    """An engine that takes so many seconds for a step."""

    name = "slow"

    def __init__(self, engine: Engine, seconds: float) -> None:
        self._engine, self._seconds = engine, seconds
        self.vocabulary_size, self.initial_state = engine.vocabulary_size, engine.initial_state

    def step(self, ids: Ids, state: State) -> tuple[Logits, State]:
        time.sleep(self._seconds)
        return self._engine.step(ids, state)

    def feed(self, ids: Ids, state: State) -> tuple[Logits, State]:
        return self._engine.feed(ids, state)


@pytest.fixture
def slow(folder: Path) -> LanguageModel:
    """A model that writes two hundred tokens a second at most."""
    model = LanguageModel.load(folder)
    model.engine = Slow(model.engine, 0.005)
    return model


def soon(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Return whether something comes true in time."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.005)
    return true()
