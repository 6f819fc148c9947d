"""Small models, and the page with one of them from each kind of host."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.browser import Browser

from elman import LanguageModel

from .hosts import HOSTS
from .page import Page

SMALL = {"model.hidden_size": 16, "train.batch_size": 4, "train.window": 16, "train.precision": "fp32"}
ENGLISH = "the cat sat on a mat and saw one dog's red door; it's 10 past 7, isn't it?\n"
Train = Callable[..., LanguageModel]


def trained(folder: Path, text: str, steps: int = 60, **settings: object) -> LanguageModel:
    """Train a small model on a text; `model__layers=2` sets model.layers."""
    (folder / "text.txt").write_text(text, encoding="utf-8")
    named = {name.replace("__", "."): value for name, value in settings.items()}
    return LanguageModel.train(
        folder / "text.txt", out=folder / "model", steps=steps, settings={**SMALL, **named}
    )


@pytest.fixture
def train(tmp_path: Path) -> Train:
    return lambda text, **settings: trained(tmp_path, text, **settings)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    """A model of English characters that all tests may use and none changes."""
    return trained(tmp_path_factory.mktemp("english"), ENGLISH * 60)


@pytest.fixture(scope="session")
def addresses(model: LanguageModel) -> Iterator[dict[str, str]]:
    """Where each kind of host serves the page with the model."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(host(model)) for name, host in HOSTS.items()}


@pytest.fixture(params=HOSTS)
def address(request: pytest.FixtureRequest, addresses: dict[str, str]) -> str:
    return addresses[request.param]


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, from each kind of host; nothing may go wrong on it and nothing else be asked for."""
    opened = Page(browser, address).ready()
    yield opened
    assert browser.console() == []
    assert browser.outside() == []
