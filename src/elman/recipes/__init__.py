"""Recipes: named settings, shipped as TOML files beside this module or written by the user.

A recipe may hold `[[when]]` tables: settings for a training part with fewer tokens (`tokens_below`), with at
least so many (`tokens_from`), or with a larger vocabulary (`vocabulary_from`); all that match apply, in
order.
"""

import difflib
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from elman.config import Layer
from elman.errors import SettingsError

CONDITIONS = ("tokens_below", "tokens_from", "vocabulary_from")


@dataclass(frozen=True)
class Recipe:
    """Named settings, with what changes for a text of another size."""

    name: str
    description: str
    settings: Layer
    cases: tuple[Layer, ...]

    def layers(self, tokens: int, vocabulary_size: int) -> list[Layer]:
        """Return the layers for so many training tokens and so many different ones."""
        chosen = [self.settings]
        for case in self.cases:
            if (
                tokens < case.get("tokens_below", tokens + 1)
                and tokens >= case.get("tokens_from", 0)
                and vocabulary_size >= case.get("vocabulary_from", 0)
            ):
                chosen.append({key: value for key, value in case.items() if key not in CONDITIONS})
        return chosen


def recipe_names() -> list[str]:
    """Return the names of the shipped recipes, sorted."""
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in files(__package__).iterdir()
        if entry.name.endswith(".toml")
    )


def load_recipe(name: str) -> Recipe:
    """Return a shipped recipe by its name, or one from a .toml file.

    Raises:
        SettingsError: no recipe of that name (the nearest are offered), or a file that is not TOML.
    """
    if name.endswith(".toml") or "/" in name:
        path = Path(name)
        if not path.is_file():
            raise SettingsError(
                f"no recipe file {name}; expected a .toml file, or one of: {', '.join(recipe_names())}"
            )
        return _parse(path.stem, path.read_text(encoding="utf-8"))
    if name not in recipe_names():
        near = difflib.get_close_matches(name, recipe_names(), n=3, cutoff=0.4) or recipe_names()
        raise SettingsError(
            f"no recipe {name!r}; did you mean {' or '.join(near)}? `elman recipes` lists them all"
        )
    return _parse(name, files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def _parse(name: str, text: str) -> Recipe:
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"recipe {name} is not valid TOML: {error}; mend that line and try again"
        ) from None
    cases = table.pop("when", [])
    description = table.pop("description", "no description")
    return Recipe(name, description, table, tuple(cases))
