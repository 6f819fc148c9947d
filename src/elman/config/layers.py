"""Layers of settings in (a recipe, what it says for a text of this size, what the user asked), one out.

The checked and frozen `Settings` that comes out never changes; what was asked stays beside it.
"""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from elman.errors import SettingsError

from .description import describe_problem, names
from .settings import BUDGETS, Settings

Layer = Mapping[str, Any]  # nested, as a TOML file reads: {"tokenizer": "byte", "model": {"layers": 2}}
TORCH_NAMES = {"num_layers": "layers"}  # options of torch.nn.RNN that have another name here


def merge(layers: Iterable[Layer]) -> dict[str, Any]:
    """Lay settings over one another, later ones on top; a budget replaces every budget below it.

    The text `none`, which TOML needs for what is absent, becomes None.
    """
    merged: dict[str, Any] = {"model": {}, "train": {}}
    for layer in map(_without_none, layers):
        for key, value in layer.items():
            if key not in ("model", "train"):
                merged[key] = value
            elif not isinstance(value, Mapping):
                raise SettingsError(
                    f"{key} is {value!r}, expected a table of settings such as {key}.{names()[key][0]}"
                )
            else:
                if key == "train" and any(value.get(budget) is not None for budget in BUDGETS):
                    merged["train"] = {k: v for k, v in merged["train"].items() if k not in BUDGETS}
                merged[key].update(_own_names(value) if key == "model" else value)
    return merged


def _without_none(layer: Layer) -> Layer:
    return {
        key: _without_none(value) if isinstance(value, Mapping) else None if value == "none" else value
        for key, value in layer.items()
    }


def _own_names(model: Layer) -> Layer:
    """Take options of torch.nn.RNN by their names there: num_layers, and nonlinearity, which makes a cell."""
    named = {TORCH_NAMES.get(name, name): value for name, value in model.items()}
    if "nonlinearity" in named:
        named["cell"] = f"rnn-{named.pop('nonlinearity')}"
    return named


def layer_of(named: Mapping[str, Any]) -> Layer:
    """Join what one person asked for, by dotted names, into one layer: two budgets in it are refused.

    {"model.layers": 2, "model.cell": "gru"} -> {"model": {"layers": 2, "cell": "gru"}}
    """
    layer: dict[str, Any] = {}
    for name, value in named.items():
        section, dot, key = name.partition(".")
        if not dot:
            layer[name] = value
        elif isinstance(table := layer.setdefault(section, {}), dict):
            table[key] = value
    return layer


def settings_from(layers: Iterable[Layer]) -> Settings:
    """Check the merged layers and return them as Settings.

    Raises:
        SettingsError: one line that names every unknown or wrong setting.
    """
    try:
        return Settings.model_validate(merge(layers))
    except ValidationError as error:
        problems = [describe_problem(dict(problem)) for problem in error.errors()]
        raise SettingsError("; ".join(problems) + "; `elman recipes default` shows every setting") from None


def parse_assignment(assignment: str) -> tuple[str, Any]:
    """Read one KEY=VALUE of the command line; the value is TOML, or `none`, or a bare word."""
    key, equals, text = assignment.partition("=")
    key, text = key.strip(), text.strip()
    if not equals or not key:
        raise SettingsError(f"--set {assignment!r} has no value; expected KEY=VALUE such as train.window=64")
    try:
        return key, tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return key, text
