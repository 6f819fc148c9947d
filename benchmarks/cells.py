"""Cells at equal parameters and in equal time: what each makes of tinyshakespeare in three minutes.

Every model has about as many parameters as the default's LSTM, by the width of its layers, and otherwise what
the recipe of its cell says. The picture shows the validations of the same runs, by seconds and by characters
that were learned from.
"""

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from elman.config import ModelSettings
from elman.model import Network
from elman.recipes import load_recipe
from elman.storage import ModelFolder

from .charts import Curve, Panel, write
from .report import DATA, Table, train

TEXT = DATA / "tinyshakespeare.txt"
MINUTES, VOCABULARY = 3.0, 66
RECIPES = {  # of each cell, and what of it is changed
    "rnn-tanh": ("default", {"train.learning_rate": "2e-3"}),  # after 30 s 1.74, at 8e-3 1.84
    "gru": ("default", {}),
    "lstm": ("default", {}),
    "min-gru": ("min-gru", {}),
    "min-lstm": ("min-lstm", {}),
    "rg-lru": ("rg-lru", {}),
}
WIDTHS = range(32, 2048, 32)


class Learned(NamedTuple):
    """One cell after its three minutes."""

    row: list[str]
    by_seconds: Curve
    by_characters: Curve


def parameters(cell: str, recipe: str, width: int | None = None) -> int:
    """Count the parameters of a recipe with another cell, and another width if one is given."""
    asked = {"cell": cell, **({"hidden_size": width} if width else {})}
    network = Network(ModelSettings(**{**load_recipe(recipe).settings["model"], **asked}), VOCABULARY)
    return sum(one.numel() for one in network.parameters())


def learn(cell: str, folder: Path) -> Learned:
    """Train one cell by the command line."""
    recipe, changed = RECIPES[cell]
    wanted = parameters("lstm", "default")
    width = min(WIDTHS, key=lambda width: abs(parameters(cell, recipe, width) - wanted))
    settings = {"model.cell": cell, "model.hidden_size": str(width), **changed}
    options = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    result = train(TEXT, folder, "--recipe", recipe, "--minutes", str(MINUTES), *options)
    per_step = result["tokens_per_second"] * result["seconds"] / result["steps"]
    points = [row for row in ModelFolder(folder).metrics.read() if row["event"] == "validation"]
    nats = [row["nats_per_token"] for row in points]
    validation = result["validation"]
    return Learned(
        [
            f"{cell} {load_recipe(recipe).settings['model'].get('layers', 1)}x{width}",
            f"{result['parameters']:,}",
            f"{result['steps']:,}",
            f"{result['tokens_per_second']:,.0f}",
            f"{validation['nats_per_character']:.4f}",
            f"{validation['bits_per_byte']:.3f}",
        ],
        Curve(cell, [row["seconds"] for row in points], nats),
        Curve(cell, [row["step"] * per_step / 1e6 for row in points], nats),
    )


def measure() -> Table:
    """Train all cells, seed 0."""
    with tempfile.TemporaryDirectory() as temporary:
        learned = [learn(cell, Path(temporary, cell)) for cell in RECIPES]
    beside = "nats per character, lower is better"
    panels = [
        Panel("in equal time", "seconds of training", beside, [one.by_seconds for one in learned]),
        Panel("on equal text", "million characters", beside, [one.by_characters for one in learned]),
    ]
    return Table(
        "Cells, at equal parameters in equal time",
        "python -m benchmarks.cells",
        ["model", "parameters", "steps", "characters/s", "nats per character", "bits per byte"],
        [one.row for one in learned],
        f"tinyshakespeare, {MINUTES:g} minutes each, seed 0; the table scores the whole held-out text, the "
        "picture shows validations on its first 65,536 characters.",
        write("cells", "Nats per character of each cell, by seconds and by characters learned from", panels),
    )


if __name__ == "__main__":
    sys.stdout.write(measure().markdown())
