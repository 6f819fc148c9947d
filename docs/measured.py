"""`python docs/measured.py`: the pictures that are measured, some three minutes on one core.

Writes clipping-loss, clipping-gradient, forgetting and overfitting into docs/pictures, as SVG. The text is
Python's own manual, the seed is 0; the commands stand in the pages. tests/docs repeats what takes seconds.
"""

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

PICTURES = Path(__file__).parent / "pictures"
LEFT, TOP, WIDTH, HEIGHT, RIGHT = 52, 44, 330, 200, 24
STYLE = """
  svg { color-scheme: light dark; font: 13px system-ui, sans-serif; background: Canvas; }
  text { fill: CanvasText; }
  .axis { stroke: CanvasText; stroke-width: 1; opacity: 0.25; }
  .number { font-size: 11px; opacity: 0.75; }
  path { fill: none; stroke-width: 2; }
  path.c0 { stroke: #d9480f; } text.c0 { fill: #d9480f; }
  path.c1 { stroke: #0d9488; } text.c1 { fill: #0d9488; }
  path.c2 { stroke: #7c6cf0; } text.c2 { fill: #7c6cf0; }
"""


class Panel(NamedTuple):
    """Curves over an axis of steps: under their names, (x, y) points, y above zero."""

    title: str
    below: str
    curves: dict[str, list[tuple[float, float]]]


def draw(panel: Panel) -> str:
    """Return a panel with the names of its curves below: SVG, legible on light and on dark."""
    width, height = LEFT + WIDTH + RIGHT, TOP + HEIGHT + 40 + 20 * len(panel.curves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{panel.title}">',
        f"<style>{STYLE}</style>",
        f'<text x="{LEFT}" y="{TOP - 20}">{panel.title}</text>',
        *_curves(panel),
        f'<text class="number" text-anchor="middle" x="{LEFT + WIDTH // 2}" y="{TOP + HEIGHT + 20}">'
        f"{panel.below}</text>",
    ]
    for place, name in enumerate(panel.curves):
        y = TOP + HEIGHT + 48 + 20 * place
        parts.append(f'<text class="c{place}" x="{LEFT}" y="{y}">{name}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _curves(panel: Panel) -> Iterator[str]:
    """Yield the axis, in powers of ten, and the curves."""
    points = [point for curve in panel.curves.values() for point in curve]
    last = max(x for x, _ in points)
    low = math.floor(math.log10(min(y for _, y in points)))
    high = math.ceil(math.log10(max(y for _, y in points)))
    for power in range(low, high + 1, max(1, (high - low) // 4)):
        y = TOP + HEIGHT * (high - power) / (high - low)
        yield f'<path class="axis" d="M{LEFT} {y:.1f}h{WIDTH}"/>'
        yield f'<text class="number" text-anchor="end" x="{LEFT - 6}" y="{y + 4:.1f}">{10.0**power:g}</text>'
    for place, curve in enumerate(panel.curves.values()):
        line = [
            f"{LEFT + WIDTH * x / last:.1f} {TOP + HEIGHT * (high - math.log10(y)) / (high - low):.1f}"
            for x, y in curve
        ]
        yield f'<path class="c{place}" d="M{"L".join(line)}"/>'


def metrics(recipe: str, **train: Any) -> list[dict[str, Any]]:
    """Train a recipe on Python's manual, in fp32 on the CPU, and return the lines of its metrics.jsonl.

    `train` are settings of that section: steps=300, clip=None.
    """
    from elman import LanguageModel

    settings = {"precision": "fp32", "device": "cpu", "prompts": (), "seed": 0, **train}
    named = {f"train.{name}": value for name, value in settings.items()}
    with tempfile.TemporaryDirectory() as folder:
        model = LanguageModel.train("python-manual", out=f"{folder}/model", recipe=recipe, settings=named)
        return model.folder.metrics.read()


def clipping(steps: int = 300) -> dict[str, Panel]:
    """Train plain tanh units by gradient descent at rate 1, without clipping and with it."""
    descent = {"optimizer": "sgd", "learning_rate": 1.0, "steps": steps}
    runs = {
        name: [row for row in metrics("lyrics-rnn", clip=clip, **descent) if row["event"] == "train"]
        for name, clip in (("without clipping", None), ("clipped at 1", 1.0))
    }
    shown = {
        "clipping-loss": ("nats_per_token", "loss, nats per character"),
        "clipping-gradient": ("gradient_norm", "norm of the gradient, before clipping"),
    }
    return {
        file: Panel(
            title,
            f"step 1 to {steps}",
            {name: [(row["step"], row[key]) for row in rows] for name, rows in runs.items()},
        )
        for file, (key, title) in shown.items()
    }


def overfitting(epochs: float = 150) -> dict[str, Panel]:
    """Train the lyrics model as its recipe says; note both perplexities all along."""
    rows = metrics("lyrics-rnn", epochs=epochs, evaluate_every=40)
    curves = {
        f"{name} part": [
            (row["step"], math.exp(row["nats_per_token"])) for row in rows if row["event"] == event
        ]
        for event, name in (("validation", "held-out"), ("train", "training"))
    }
    return {"overfitting": Panel("perplexity", f"step 1 to {rows[-1]['step']}", curves)}


def forgetting(steps: int = 60, width: int = 64) -> dict[str, Panel]:
    """Measure how much the last state depends on each input before it, for cells as they start."""
    import torch

    from elman.config import ModelSettings
    from elman.model import Network

    starts = (
        ("Elman, torch's start", "rnn-tanh", "torch"),
        ("LSTM, torch's start", "lstm", "torch"),
        ("LSTM, elman's start", "lstm", "orthogonal"),
    )
    curves = {}
    for name, cell, initialization in starts:
        torch.manual_seed(0)
        settings = ModelSettings(cell=cell, hidden_size=width, initialization=initialization)  # type: ignore[arg-type]
        stack = Network(settings, width).stack.double()
        x = torch.randn(steps, 8, width, dtype=torch.float64, requires_grad=True)  # (T, B, D)
        outputs, _ = stack(x, stack.initial_state(8))
        (outputs[-1] * torch.randn(8, width, dtype=torch.float64)).sum().backward()
        assert x.grad is not None
        norms = x.grad.norm(dim=(1, 2)).flip(0).tolist()  # by distance from the end
        curves[name] = [(distance, norm) for distance, norm in enumerate(norms)]
    return {"forgetting": Panel("gradient that reaches an input", "steps back, 0 to 59", curves)}


if __name__ == "__main__":
    for name, panel in (forgetting() | clipping() | overfitting()).items():
        (PICTURES / f"{name}.svg").write_text(draw(panel), encoding="utf-8")
