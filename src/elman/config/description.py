"""Settings, and what is wrong with them, in words."""

import difflib
from collections.abc import Iterator
from typing import Any

from .settings import ModelSettings, Section, Settings, TrainSettings


def describe_settings(settings: Settings | None = None) -> Iterator[tuple[str, str, str]]:
    """Yield (name, value, description) of every setting, in order; without settings, with its default."""
    sections: list[tuple[str, type[Section], Section | None]] = [
        ("", Settings, settings),
        ("model.", ModelSettings, settings.model if settings else None),
        ("train.", TrainSettings, settings.train if settings else None),
    ]
    for prefix, section, values in sections:
        for name, field in section.model_fields.items():
            if name in ("model", "train"):
                continue
            value = getattr(values, name) if values else field.default
            yield f"{prefix}{name}", _show(value), field.description or ""


def _show(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_show, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value) or "empty"


def names() -> dict[str, list[str]]:
    """Return the names of all settings by section; those outside the sections under the empty name."""
    return {
        "": list(Settings.model_fields),
        "model": list(ModelSettings.model_fields),
        "train": list(TrainSettings.model_fields),
    }


def describe_problem(problem: dict[str, Any]) -> str:
    """Say what one pydantic problem found and what was expected."""
    path = [str(part) for part in problem["loc"]]
    name, found = ".".join(path), problem["input"]
    if problem["type"] == "extra_forbidden":
        known = [f"{section}.{field}".lstrip(".") for section, fields in names().items() for field in fields]
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6) or [
            full for full in known if full.rpartition(".")[2] == path[-1]
        ]
        return f"{name} is not a setting" + (f", did you mean {near[0]}?" if near else "")
    if problem["type"] == "missing":
        return f"{name} is missing"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    expected = problem["msg"].replace("Input should be ", "").replace("a valid ", "")
    expected = expected.replace("String should have", "a text of")
    return f"{name} is {_show(found)}, expected {expected}"
