"""The native recurrence against torch's kernel and against its own products alone, forward and backward.

One layer over a window of 48 steps and an input of 128, the input product included. torch's best setting is
the faster of fp32 and bf16 autocast; so it is for the native path. The products alone are the same six matrix
products, each in one call over all steps at once: no recurrence can be faster than they are.

All is timed twice: with memory as the C library gives and takes it, which is what a loop over nn.LSTM has,
and with memory that stays with the process, as it does where elman trains.
"""

import statistics
import sys
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import nn
from torch.nn.functional import linear

from elman.cells import CELLS
from elman.recurrence import PATHS
from elman.training.memory import keep_memory

from .report import Table, in_turn, spread

STEPS, WIDTH = 48, 128
SIZES = [(512, 16), (512, 32), (512, 64), (256, 32), (1024, 32)]  # hidden units, rows
KINDS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn-tanh": nn.RNN}
GATES = {"lstm": 4, "gru": 3, "rnn-tanh": 1}


def bare(cell: str, hidden: int, rows: int, bf16: bool) -> Callable[[], object]:
    """Return torch's kernel, forward and backward."""
    torch.manual_seed(0)
    module, x = KINDS[cell](WIDTH, hidden), torch.randn(STEPS, rows, WIDTH, requires_grad=True)

    def run() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            outputs, _ = module(x)
        outputs.sum().backward()

    return run


def native(cell: str, hidden: int, rows: int, bf16: bool) -> Callable[[], object]:
    """Return the native path, forward and backward."""
    torch.manual_seed(0)
    module, x = CELLS[cell](WIDTH, hidden), torch.randn(STEPS, rows, WIDTH, requires_grad=True)

    def run() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            outputs, _ = PATHS["native"](module, x, module.initial_state(rows))
        outputs.sum().backward()

    return run


def products(cell: str, hidden: int, rows: int, bf16: bool) -> Callable[[], object]:
    """Return the matrix products of both passes, without anything between them."""
    kind, gates = torch.bfloat16 if bf16 else torch.float32, GATES[cell] * hidden
    x, h, d = (torch.randn(STEPS * rows, size, dtype=kind) for size in (WIDTH, hidden, gates))
    w, u = (torch.randn(gates, size, dtype=kind) for size in (WIDTH, hidden))

    def run() -> None:
        linear(x, w), linear(h, u), d @ w, d @ u, d.T @ x, d.T @ h

    return run


def bf16_runs() -> bool:
    """Say whether this processor has bf16 products for both."""
    try:
        native("lstm", 128, 2, True)()
        bare("lstm", 128, 2, True)()
    except RuntimeError:
        return False
    return True


def rows(precisions: Sequence[bool], memory: str) -> Iterator[list[str]]:
    """Time each cell and size."""
    for cell in KINDS:
        for hidden, batch in SIZES:
            works = [
                work(cell, hidden, batch, bf16) for work in (bare, native, products) for bf16 in precisions
            ]
            times, each = in_turn(*works, repeats=9), len(precisions)
            theirs, ours, limit = (_faster(times[n : n + each]) for n in range(0, len(times), each))
            ratios = [[a / b for a, b in zip(theirs, other, strict=True)] for other in (ours, limit)]
            spreads = [spread([1000 * t for t in kind]) for kind in (theirs, ours, limit)]
            yield [f"{cell} 1x{hidden}, B {batch}", memory, *spreads, *(spread(r, 2) for r in ratios)]


def measure() -> Table:
    """Time all as it is, and again with memory that is kept."""
    precisions = (False, True) if bf16_runs() else (False,)
    found = [*rows(precisions, "as given")]
    keep_memory()
    found += rows(precisions, "kept")
    return Table(
        "Recurrence, forward and backward",
        "python -m benchmarks.recurrence",
        [
            "cell",
            "memory",
            "torch's best, ms",
            "native, ms",
            "products alone, ms",
            "torch / native",
            "torch / products",
        ],
        found,
        f"Windows of {STEPS} steps; the faster of fp32 and bf16 for each.",
    )


def _faster(times: list[list[float]]) -> list[float]:
    return min(times, key=statistics.median)


if __name__ == "__main__":
    sys.stdout.write(measure().markdown())
