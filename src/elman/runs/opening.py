"""Where a run begins: in a new folder, or where it stopped."""

import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from types import MappingProxyType

from elman.config import BUDGETS, Layer, settings_from
from elman.errors import FolderError, SettingsError, TextError
from elman.progress import Advance
from elman.storage import ModelFolder

from .preparation import prepare, prepare_again
from .run import Run

# What may change when a run goes on: nothing that the saved state has the shape of.
CHANGEABLE = (
    *BUDGETS,
    "learning_rate",
    "weight_decay",
    "clip",
    "schedule",
    "warmup_steps",
    "evaluate_every",
    "patience",
    "prompts",
)


def new_run(
    texts: Sequence[str],
    out: Path | None = None,
    recipe: str = "default",
    asked: Layer = MappingProxyType({}),
    advance: Advance | None = None,
) -> Run:
    """Prepare a run in a folder that holds none yet; without `out` a new one under models/ is named after
    the text.

    Raises:
        FolderError: the folder holds another run.
        SettingsError, TextError, TokenError: as `prepare`.
    """
    if out is not None and ModelFolder(out).holds_a_run():
        raise FolderError(
            f"{out} holds another run; go on with it (--resume --out {out}), or name a new folder with --out"
        )
    if out is not None and out.exists() and not out.is_dir():
        raise FolderError(f"{out} is a file, expected a folder or a name that is free; choose another --out")
    preparation = prepare(texts, recipe, asked, advance)
    return Run(preparation, out or _free_folder(texts[0], recipe))


def resumed_run(
    out: Path,
    texts: Sequence[str] = (),
    asked: Layer = MappingProxyType({}),
    advance: Advance | None = None,
) -> Run:
    """Prepare the run in a folder to go on; `texts` only have to be named where they are no longer where
    they were.

    Raises:
        FolderError: there is no run, or its config is damaged.
        SettingsError: a setting that cannot change when a run goes on.
        TextError: the text is not the one the run began with.
    """
    folder = ModelFolder(out)
    config, _ = folder.read_config()
    named = [f"{key}.{name}" for key in ("model", "train") for name in asked.get(key, {})]
    named += [key for key in asked if key not in ("model", "train")]
    if fixed := [name for name in named if name.removeprefix("train.") not in CHANGEABLE]:
        allowed = ", ".join(f"train.{name}" for name in CHANGEABLE)
        raise SettingsError(
            f"{', '.join(fixed)} cannot change when a run goes on, only {allowed}; start a new run"
        )
    settings = settings_from([config["settings"], asked])
    preparation = prepare_again(config, settings, asked, texts, advance)
    if preparation.text.fingerprint != config["text"]["fingerprint"]:
        raise TextError(
            f"the text is not the one that {out} began with ({config['text']['characters']:,} characters of "
            f"{', '.join(config['text']['sources'])}); name that text, or start a new run"
        )
    return Run(preparation, out)


def _free_folder(text: str, recipe: str) -> Path:
    """Return models/NAME, or models/NAME-2 and so on where that is taken."""
    stem = "standard-input" if text == "-" else os.path.basename(text.rstrip("/")).split(".")[0] or "text"
    name = stem if recipe == "default" else f"{stem}-{Path(recipe).stem}"
    candidates = (Path("models") / (name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(path for path in candidates if not path.exists())
