"""What a state that is linear in the one before buys: training with all steps in parallel, and a cheap step.

Training over windows of 256 steps, natively and by the scan, against the same cell's own step loop (project
and step, once for each token, as RNN cells are used in torch) and against the reference path, which at least
projects all steps at once: whole training steps of the recipe `min-gru`, and forward and backward pass of one
layer. Writing: milliseconds of one step of one stream through ONNX Runtime, 1x512 over 65 characters, against
the GRU's.
"""

import sys
import tempfile
from collections.abc import Callable

import numpy as np
import torch

from elman.batches import WINDOWS
from elman.cells import CELLS, Cell
from elman.config import ModelSettings, TrainSettings
from elman.engine.onnx import OnnxEngine
from elman.export import export
from elman.model import Network
from elman.recipes import load_recipe
from elman.recurrence import Choice, Unroll, native, reference, scan
from elman.tokens.store import Tokens
from elman.training import Precision, Trainer

from .recurrence import bf16_runs
from .report import Table, in_turn, spread
from .training import VOCABULARY, random_tokens

STEPS, SIZES = 256, ((16, 128), (16, 256), (16, 512), (32, 512))  # T, and B, H with D = H
LINEAR, EMBEDDING, HIDDEN = ("min-gru", "min-lstm", "rg-lru"), 128, 512
TOKENS = 200  # steps of one measurement of writing
UPDATES = 5  # steps of one measurement of training


def token_by_token(
    cell: Cell, x: torch.Tensor, state: tuple[torch.Tensor, ...]
) -> tuple[torch.Tensor, object]:
    """Project and step, one token after the other."""
    outputs = []
    for token in x:
        state = cell.step(cell.project(token), state)
        outputs.append(cell.output(state))
    return torch.stack(outputs), state


def pass_through(unroll: Unroll, cell: Cell, rows: int, bf16: bool) -> Callable[[], object]:
    """Return what runs a cell forward and backward over a window."""
    x, state = torch.randn(STEPS, rows, cell.input_size), cell.initial_state(rows)

    def run() -> None:
        cell.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            outputs, _ = unroll(cell, x, state)
        outputs.float().square().mean().backward()

    return run


PATHS: dict[str, Unroll] = {
    "native": native.unroll,
    "scan": scan.unroll,
    "step loop": token_by_token,
    "reference": reference.unroll,
}


def training(path: str, tokens: Tokens, bf16: bool) -> Callable[[], object]:
    """Return what trains the recipe for some steps."""
    torch.manual_seed(0)
    recipe = load_recipe("min-gru").settings
    network = Network(ModelSettings.model_validate(recipe["model"]), VOCABULARY)
    network.use(Choice(path, "", PATHS[path], native.unroll if path == "native" else None))
    settings = TrainSettings.model_validate({**recipe["train"], "window": STEPS})
    windows = WINDOWS["adjacent"](tokens, STEPS, settings.batch_size, 0)
    trained = Trainer(network, windows, settings, Precision("bf16" if bf16 else "fp32", "")).steps()
    return lambda: [next(trained) for _ in range(UPDATES)]


def row(name: str, works: list[Callable[[], object]], count: int = 1) -> list[str]:
    """Time works of so many passes each, the native one first."""
    columns = in_turn(*works)
    ratios = [spread([a / b for a, b in zip(slow, columns[0], strict=True)]) for slow in columns[1:]]
    return [name, *(spread([1e3 * s / count for s in column]) for column in columns), *ratios]


def steps(cell: str) -> Callable[[], object]:
    """Return what advances one stream by some tokens, one call each."""
    torch.manual_seed(0)
    network = Network(ModelSettings(cell=cell, hidden_size=HIDDEN, embedding_size=EMBEDDING), VOCABULARY)
    engine = OnnxEngine(export(network))
    ids = np.zeros(1, dtype=np.int64)

    def run() -> None:
        state = engine.initial_state(1)
        for _ in range(TOKENS):
            _, state = engine.step(ids, state)

    return run


def measure() -> Table:
    """Time all paths in turn, and the steps in turn with the GRU's."""
    rows, precisions = [], {"fp32": False, **({"bf16": True} if bf16_runs() else {})}
    with tempfile.TemporaryDirectory() as folder:
        tokens = random_tokens(folder)
        for precision, bf16 in precisions.items():
            works = [training(path, tokens, bf16) for path in PATHS]
            rows.append(row(f"recipe min-gru, a training step, {precision}", works, UPDATES))
    for batch, hidden in SIZES:
        for precision, bf16 in precisions.items():
            torch.manual_seed(0)
            cell = CELLS["min-gru"](hidden, hidden)
            works = [pass_through(unroll, cell, batch, bf16) for unroll in PATHS.values()]
            rows.append(row(f"min-gru B {batch}, H {hidden}, {precision}", works))
    gru, *others = in_turn(*(steps(cell) for cell in ("gru", *LINEAR)), repeats=9)
    stepping = [
        f"{name} {spread([1e3 * s / TOKENS for s in column], 3)} ms, "
        f"{spread([a / b for a, b in zip(column, gru, strict=True)], 2)} of the GRU's"
        for name, column in zip(LINEAR, others, strict=True)
    ]
    return Table(
        f"Parallel cells, {STEPS} steps",
        "python -m benchmarks.parallel",
        [
            "what",
            "native, ms",
            "scan, ms",
            "step loop, ms",
            "reference, ms",
            "scan / native",
            "step loop / native",
            "reference / native",
        ],
        rows,
        f"One step of one stream, 1x{HIDDEN}, ONNX Runtime: gru "
        f"{spread([1e3 * s / TOKENS for s in gru], 3)} ms; {'; '.join(stepping)}.",
    )


if __name__ == "__main__":
    sys.stdout.write(measure().markdown())
