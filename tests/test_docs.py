"""What the documents say is true: generated pages are fresh, the layout is the one drawn, the README's
commands run.
"""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

import elman

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


def test_the_readme_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its three lines, on a small text and with a budget of a few steps."""
    (program,) = re.findall(r"```python\n(from elman.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text("Once upon a time there was a cat.\n" * 200)
    exec(program.replace("minutes=3", "steps=5"), {})


def test_every_command_of_the_readme_exists() -> None:
    from elman.cli import app

    known = {command.name for command in app.registered_commands}
    named = set(re.findall(r"`elman ([a-z]+)", (ROOT / "README.md").read_text()))
    assert named == known
