"""Cells at equal parameters and in equal time: what each makes of tinyshakespeare in three minutes.

Every model has about as many parameters as the default's LSTM, by the width of its layers, and otherwise what
the recipe of its cell says. The picture shows the validations of the same runs, by seconds and by characters
that were learned from.
"""

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import torch

from elman.config import ModelSettings
from elman.model import Network
from elman.recipes import load_recipe
from elman.storage import ModelFolder

from .charts import Curve, Panel, write
from .report import DATA, Table, train

TEXT = DATA / "tinyshakespeare.txt"
MINUTES = 3.0
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


def parameters(model: dict[str, object], vocabulary: int) -> int:
    """Count those of a model."""
    with torch.device("meta"):
        network = Network(ModelSettings(**model), vocabulary)
    return sum(one.numel() for one in network.parameters())


def learn(cell: str, folder: Path) -> Learned:
    """Train one cell by the command line."""
    recipe, changed = RECIPES[cell]
    vocabulary = len(set(TEXT.read_text())) + 1  # and one for what is unknown
    wanted = parameters(load_recipe("default").settings["model"], vocabulary)
    model = {**load_recipe(recipe).settings["model"], "cell": cell}
    layers = model.get("layers", 1)
    width = min(WIDTHS, key=lambda h: abs(parameters({**model, "hidden_size": h}, vocabulary) - wanted))
    settings = {"model.cell": cell, "model.hidden_size": str(width), **changed}
    options = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    result = train(TEXT, folder, "--recipe", recipe, "--minutes", str(MINUTES), *options)
    per_step = result["tokens_per_second"] * result["seconds"] / result["steps"]
    points = [row for row in ModelFolder(folder).metrics.read() if row["event"] == "validation"]
    nats = [row["nats_per_token"] for row in points]
    validation = result["validation"]
    return Learned(
        [
            f"{cell} {layers}x{width}",
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
        "picture shows validations on its beginning.",
        write("cells", "Nats per character of each cell, by seconds and by characters learned from", panels),
    )


if __name__ == "__main__":
    sys.stdout.write(measure().markdown())
