"""Tokens per second of elman's trainer against the bare loop that one writes over nn.RNN, nn.GRU and nn.LSTM.

The bare loop has what training needs and no more: embedding, recurrence with a carried state, logits, loss,
clipping and a fused AdamW, in fp32 and in bf16 autocast. elman's is the whole trainer, with its own choice
of precision and path. Windows of 48 steps over 65 characters.
"""

import itertools
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from elman.batches import WINDOWS, Windows
from elman.cells import Cell
from elman.config import ModelSettings, TrainSettings
from elman.model import Network
from elman.recurrence import rivals
from elman.tokens.store import Tokens
from elman.training import Batch, Trainer, choose_pace

from .report import Table, in_turn, spread

STEPS, WIDTH, VOCABULARY = 48, 128, 65
KINDS = {"rnn-tanh": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
HIDDEN, LAYERS, ROWS = (128, 256, 512, 1024), (1, 2), (16, 32, 64)
SECONDS = 0.4  # of each measurement, about


class Bare(nn.Module):
    """The model as one writes it in torch."""

    def __init__(self, cell: str, hidden: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.rnn = KINDS[cell](WIDTH, hidden, layers)
        self.decoder = nn.Linear(hidden, VOCABULARY)

    def forward(self, ids: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        """Return logits (T, B, V) and the state after."""
        outputs, state = self.rnn(self.embedding(ids), state)
        return self.decoder(outputs), state


def bare(cell: str, hidden: int, layers: int, windows: Windows, bf16: bool) -> Iterator[None]:
    """Train, one step for each value."""
    torch.manual_seed(0)
    model, state = Bare(cell, hidden, layers), None
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    while True:
        batch = windows.draw()
        inputs, targets = torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            logits, state = model(inputs, state)
        loss = cross_entropy(logits.float().flatten(0, 1), targets.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()
        loss.item()
        yield


def ours(cell: str, hidden: int, layers: int, windows: Windows, rows: int) -> tuple[Trainer, str]:
    """Return elman's trainer as `elman train` makes it, and what it chose."""
    torch.manual_seed(0)
    model = ModelSettings.model_validate(
        {"cell": cell, "hidden_size": hidden, "layers": layers, "embedding_size": WIDTH}
    )
    settings = TrainSettings(batch_size=rows, window=STEPS, steps=10**9, learning_rate=1e-3)
    network, batch = Network(model, VOCABULARY), windows.draw()
    first = Batch(
        torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets), network.initial_state(rows)
    )
    precision, path = choose_pace(network, first, "auto", rivals(cast(Cell, network.stack.cells[0])))
    network.use(path)
    return Trainer(network, windows, settings, precision), f"{path.name}, {precision.name}"


def compare(tokens: Tokens, cell: str, hidden: int, layers: int, rows: int) -> list[str]:
    """Return one row."""
    makers = [
        lambda bf16=bf16: bare(cell, hidden, layers, _windows(tokens, rows), bf16) for bf16 in (False, True)
    ]
    trainer, chosen = ours(cell, hidden, layers, _windows(tokens, rows), rows)
    loops: list[Iterator[object]] = [*(maker() for maker in makers), trainer.steps()]
    pace = min(statistics.median(t) for t in in_turn(*(_some(loop, 3) for loop in loops), repeats=1)) / 3
    count = max(2, round(SECONDS / pace))
    times = in_turn(*(_some(loop, count) for loop in loops))
    speeds = [[count * STEPS * rows / t for t in each] for each in times]
    better = max(speeds[:2], key=statistics.median)
    ratio = [a / b for a, b in zip(speeds[2], better, strict=True)]
    return [
        f"{cell} {layers}x{hidden}, B {rows}",
        *(f"{statistics.median(each):,.0f}" for each in speeds),
        chosen,
        spread(ratio, 2),
    ]


def random_tokens(folder: str) -> Tokens:
    """Write a million tokens into a folder."""
    path = Path(folder, "ids")
    np.random.default_rng(0).integers(0, VOCABULARY, 1_000_000).astype(np.uint8).tofile(path)
    return Tokens(path, np.dtype(np.uint8))


def measure() -> Table:
    """Time each cell in all sizes."""
    with tempfile.TemporaryDirectory() as folder:
        tokens = random_tokens(folder)
        sizes = itertools.product(KINDS, LAYERS, HIDDEN, ROWS)
        rows = [compare(tokens, cell, hidden, layers, rows) for cell, layers, hidden, rows in sizes]
    return Table(
        "Training",
        "python -m benchmarks.training",
        [
            "model",
            "bare, fp32, tokens/s",
            "bare, bf16, tokens/s",
            "elman, tokens/s",
            "chosen",
            "elman / better bare",
        ],
        rows,
        f"Windows of {STEPS} steps, input {WIDTH} wide, {VOCABULARY} characters.",
    )


def _windows(tokens: Tokens, rows: int) -> Windows:
    return WINDOWS["adjacent"](tokens, STEPS, rows, 0)


def _some(loop: Iterator[object], count: int) -> Callable[[], object]:
    """Return what takes some steps."""
    return lambda: [next(loop) for _ in range(count)]


if __name__ == "__main__":
    sys.stdout.write(measure().markdown())
