"""What the documents say is true: generated pages are fresh, the layout is the one drawn, the README's
commands run.
"""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

import elman
from elman.config import settings_from
from elman.recipes import load_recipe

ROOT = Path(__file__).parents[1]


def load_generator() -> dict:
    specification = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.PAGES


@pytest.mark.parametrize("name", ["settings.md", "commands.md"])
def test_generated_pages_are_fresh(name: str) -> None:
    pages = load_generator()
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == pages[name](), "run `make docs`"


def test_the_recipe_of_ones_own_is_one(tmp_path: Path) -> None:
    (recipe,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "settings.md").read_text(), re.DOTALL)
    (tmp_path / "mine.toml").write_text(recipe)
    layers = load_recipe(str(tmp_path / "mine.toml")).layers
    sizes = [settings_from(layers(10**6, 65, minutes)).model.hidden_size for minutes in (5, 60)]
    assert sizes == [256, 768]


def test_the_picture_in_architecture_names_every_stage() -> None:
    drawn = re.findall(r"^      ([a-z]+)(?:/|\.py) ", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    there = [
        path.name.removesuffix(".py")
        for path in (ROOT / "src" / "elman").iterdir()
        if not path.name.startswith("__") and path.name != "page"  # what `make web` builds holds no Python
    ]
    assert sorted(drawn) == sorted(there)


def test_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert elman.__version__ == version
    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1] == version


def test_the_readme_programs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that trains, on a small text for a few steps, then the one that loads what it made."""
    readme = (ROOT / "README.md").read_text()
    stream, train = re.findall(r"```python\n(from elman.*?)```", readme, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text("ROMEO: Once upon a time there was a cat.\n" * 200)
    exec(train.replace("minutes=3", "steps=5"), {})
    found: dict[str, object] = {}
    exec(stream, found)
    assert len(str(found["first"])) == len(str(found["second"])) == 100
    assert found["first"] != found["second"]


def test_the_readme_names_all_that_a_model_does_and_completion_shows_what_elman_has() -> None:
    (sentence,) = re.findall(
        r"`LanguageModel` has (.*?)\. `Sampling`", (ROOT / "README.md").read_text(), re.DOTALL
    )
    named = set(re.findall(r"`([a-z_]+)`", sentence))
    public = {name for name in dir(elman.LanguageModel) if not name.startswith("_")}
    assert public - named == {"gap_window", "tokens_with"}
    assert named <= public
    assert {"ElmanError", "LanguageModel", "Sampling"} <= set(dir(elman))


def test_every_command_of_the_readme_exists() -> None:
    from elman.cli import app

    known = {command.name for command in app.registered_commands}
    named = set(re.findall(r"`elman ([a-z]+)", (ROOT / "README.md").read_text()))
    assert named == known
