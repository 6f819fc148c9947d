"""What a state that is linear in the one before buys: training with all steps in parallel, and a cheap step.

Training: forward and backward pass of one layer over T = 256 steps, natively and by the scan, against
the same cell's own step loop (project and step, once for each token, as RNN cells are used in torch) and
against the reference path, which at least projects all steps at once. Writing: milliseconds of one step of
one stream through ONNX Runtime, 1x512 over 65 characters, against the GRU's.
"""

import sys
from collections.abc import Callable

import numpy as np
import torch

from elman.cells import CELLS, Cell
from elman.config import ModelSettings
from elman.engine.onnx import OnnxEngine
from elman.export import export
from elman.model import Network
from elman.recurrence import Unroll, native, reference, scan

from .report import Table, in_turn, spread

STEPS, SIZES = 256, ((16, 128), (16, 256), (16, 512), (32, 512))  # T, and B, H with D = H
LINEAR, VOCABULARY, EMBEDDING, HIDDEN = ("min-gru", "min-lstm", "rg-lru"), 65, 128, 512
TOKENS = 200  # steps of one measurement


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
    """Time the scan in pairs with both loops, and the steps in pairs with the GRU's."""
    rows = []
    for batch, hidden in SIZES:
        for precision in ("fp32", "bf16"):
            torch.manual_seed(0)
            cell = CELLS["min-gru"](hidden, hidden)
            columns = in_turn(
                *(
                    pass_through(unroll, cell, batch, precision == "bf16")
                    for unroll in (native.unroll, scan.unroll, token_by_token, reference.unroll)
                )
            )
            times = [spread([1e3 * s for s in column]) for column in columns]
            fast, *others = columns
            ratios = [spread([a / b for a, b in zip(slow, fast, strict=True)]) for slow in others]
            rows.append([f"min-gru B {batch}, H {hidden}, {precision}", *times, *ratios])
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
            "layer",
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
