"""The pictures of the book: fresh where they are computed, and true where they are measured."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
import torch

from elman import LanguageModel

from .pages import DOCS

PICTURES = DOCS / "pictures"


def load(name: str) -> ModuleType:
    """Import one of the programs beside the pages."""
    specification = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


generate, measured = load("generate"), load("measured")


@pytest.mark.parametrize("recipe", generate.PICTURES)
def test_the_picture_of_a_recipe_is_that_of_a_real_run(recipe: str) -> None:
    drawn = (PICTURES / f"{recipe}.svg").read_text(encoding="utf-8")
    assert drawn == generate.picture(recipe), "run `make docs`"


def test_how_far_gradients_reach_is_as_drawn_and_as_the_page_says() -> None:
    panel = measured.forgetting()["forgetting"]
    assert (PICTURES / "forgetting.svg").read_text(encoding="utf-8") == measured.draw(panel)
    elman, lstm, started = ([y for _, y in points] for points in panel.curves.values())
    assert all(1800 <= elman[at] / elman[at + 10] <= 3400 for at in range(0, 50, 10))
    assert all(100 <= lstm[at] / lstm[at + 10] <= 260 for at in range(0, 50, 10))
    assert 500 < started[0] / started[50] < 2000
    assert elman[50] / elman[0] < 1e-17


@pytest.mark.slow
def test_without_clipping_the_units_saturate_and_with_it_they_learn(tmp_path: Path) -> None:
    """The first 60 of the 300 steps of the page."""
    settings = {"train.optimizer": "sgd", "train.learning_rate": 1.0, "train.prompts": ()}
    outcome: dict[float | None, tuple[float, float]] = {}
    for clip in (None, 1.0):
        changes: dict[str, Any] = {**settings, "train.clip": clip, "train.precision": "fp32"}
        out = tmp_path / str(clip)
        model = LanguageModel.train("python-manual", recipe="lyrics-rnn", steps=60, out=out, settings=changes)
        network = model._network
        x = torch.eye(network.vocabulary_size)[:, None]  # every character once
        hidden, _ = network.stack(x, network.initial_state(1))
        assert model.result is not None
        saturated = (hidden.abs() > 0.99).double().mean().item()
        outcome[clip] = (saturated, model.result["validation"]["nats_per_token"])
    assert outcome[None][0] > 0.9
    assert outcome[None][1] > 2 * 4.28  # worse by far than guessing evenly
    assert outcome[1.0][0] < 0.01
    assert outcome[1.0][1] < 3.2


def test_every_picture_is_on_a_page_and_legible_in_the_dark() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))
    pictures = sorted(PICTURES.glob("*.svg"))
    assert len(pictures) > 10
    for picture in pictures:
        assert f"pictures/{picture.name})" in pages, picture.name
        text = picture.read_text(encoding="utf-8")
        ElementTree.fromstring(text)
        assert "color-scheme: light dark" in text
        assert "fill: CanvasText" in text
