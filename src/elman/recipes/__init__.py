"""Recipes: named settings, shipped as TOML files beside this module or written by the user.

A recipe may hold `[[when]]` tables: model and train settings for a training part with fewer tokens
(`tokens_below`) or at least so many (`tokens_from`), for a vocabulary of fewer tokens (`vocabulary_below`) or
at least so many (`vocabulary_from`), or where less time is asked for (`minutes_below`) or at least so much
(`minutes_from`); all that match apply, in order.
"""

import difflib
import math
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from elman.config import Layer, settings_from
from elman.errors import SettingsError

CONDITIONS = tuple(
    f"{size}_{bound}" for size in ("tokens", "vocabulary", "minutes") for bound in ("below", "from")
)
TYPICAL = (1_000_000, 0)  # tokens and vocabulary size, where no text is known yet


@dataclass(frozen=True)
class Recipe:
    """Named settings, with what changes for a text of another size or in another time."""

    name: str
    description: str
    settings: Layer
    cases: tuple[Layer, ...]

    def layers(self, tokens: int, vocabulary_size: int, minutes: float = math.nan) -> list[Layer]:
        """Return the layers for so many training tokens, so many different ones, and so much time, if any is
        asked for.
        """
        sizes = {"tokens": tokens, "vocabulary": vocabulary_size, "minutes": minutes}
        return [self.settings, *(_settings(case) for case in self.cases if _applies(case, sizes))]


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
        SettingsError: no recipe of that name (the nearest are offered), or a file that is no recipe.
    """
    if name.endswith(".toml") or "/" in name:
        try:
            return _parse(Path(name).stem, Path(name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            fault = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
            raise SettingsError(
                f"no recipe file {name} ({fault}); expected a .toml file, or one of: "
                f"{', '.join(recipe_names())}"
            ) from None
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
    cases, description = table.pop("when", []), table.pop("description", "no description")
    if not isinstance(description, str):
        raise SettingsError(f"recipe {name}: description is {description!r}, expected a text")
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise SettingsError(f"recipe {name}: `when` is no list of tables; write each as [[when]]")
    for number, case in enumerate(cases, start=1):
        _check(f"recipe {name}, [[when]] {number}", table, case)
    return Recipe(name, description, table, tuple(cases))


def _check(name: str, table: Layer, case: Layer) -> None:
    """Refuse a case now, not when a text of its size comes along."""
    conditions = {key: value for key, value in case.items() if key in CONDITIONS}
    if not conditions or not all(type(value) in (int, float) for value in conditions.values()):
        raise SettingsError(f"{name} needs a number for at least one of {', '.join(CONDITIONS)}")
    if others := [key for key in _settings(case) if key not in ("model", "train")]:
        raise SettingsError(f"{name} sets {', '.join(others)}; expected model and train settings only")
    try:
        settings_from([table, _settings(case)])
    except SettingsError as error:
        raise SettingsError(f"{name}: {error}") from None


def _applies(case: Layer, sizes: dict[str, float]) -> bool:
    bounds = [(*name.split("_"), limit) for name, limit in case.items() if name in CONDITIONS]
    return all(
        sizes[size] < limit if bound == "below" else sizes[size] >= limit for size, bound, limit in bounds
    )


def _settings(case: Layer) -> Layer:
    return {key: value for key, value in case.items() if key not in CONDITIONS}
