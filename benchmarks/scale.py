"""What training costs as one thing grows: the text, and of an LSTM its width, depth, window, rows, processes.

Text: made-up sentences, `elman train` with nothing of them in the cache; seconds until the first step, and
peak resident memory. Width to rows: microseconds per token of the trainer, 65 characters, one of them varied
while the others stay as in BASE; the sizes are timed in turn. Processes: the same by `elman train`, started
by torchrun where there are several, each with one thread. Slopes are those between neighbours on a log-log
plot. A token's share of linear growth is a slope of 1 in width and depth, and of 0 in window and rows.
"""

import math
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from elman.batches import WINDOWS
from elman.tokens.store import Tokens

from . import gigabyte, training
from .charts import Curve, Panel, write
from .report import REPEATS, Table, in_turn, seconds, spread, train

TOKEN = "a token, \u00b5s"
MEGABYTES = (1, 10, 100, 1000, 2000)
BASE = {"hidden size": 256, "layers": 1, "window": 48, "rows": 16}
PROCESSES = (1, 2)
STEPS = 400  # of a run with processes
SECONDS = 0.4  # of each measurement of the trainer, about
TOLERANCE = 0.1  # by which a slope may be above the linear one


class Factor(NamedTuple):
    """One thing that grows, and what its growth costs."""

    name: str
    cost: str
    sizes: Sequence[int]
    linear: int = 0
    note: str = "not explained"  # why it may be worse than linear


FIRST_STEP = Factor("text, MB", "until the first step, s", MEGABYTES, 1)
MEMORY = Factor("text, MB", "peak resident memory, MB", MEGABYTES, 1)
SETTINGS = (
    Factor(
        "hidden size",
        TOKEN,
        (128, 256, 512, 1024, 2048),
        1,
        "recurrent weights are H x H, so the products of a token grow as the square, and faster where they "
        "outgrow the caches",
    ),
    Factor(
        "layers", TOKEN, (1, 2, 4, 8), 1, f"the first layer reads {training.WIDTH} numbers, those above it H"
    ),
    Factor(
        "window",
        TOKEN,
        (16, 48, 128, 256, 512),
        note="the gates and states of all its steps are kept for the backward pass and outgrow the caches",
    ),
    Factor(
        "rows",
        TOKEN,
        (1, 4, 16, 64, 256),
        note="the gates and states of all of them are kept for the backward pass and outgrow the caches",
    ),
)
TOGETHER = Factor(
    "processes",
    TOKEN,
    PROCESSES,
    -1,
    "each step waits for the slower process and for the mean of all gradients, and cores share memory",
)


class Growth(NamedTuple):
    """What a factor costs at each of its sizes."""

    factor: Factor
    costs: list[list[float]]  # of each size, the repeats
    chosen: Sequence[str]  # path and precision

    @property
    def medians(self) -> list[float]:
        """The cost at each size."""
        return [statistics.median(repeats) for repeats in self.costs]

    @property
    def slopes(self) -> list[float]:
        """From each size to the next one."""
        points = zip(self.factor.sizes, self.medians, strict=True)
        return [math.log(b / a) / math.log(y / x) for (x, a), (y, b) in pairwise(points)]

    def rows(self) -> Iterator[list[str]]:
        """Yield rows of the table."""
        slopes = ["", *(f"{slope:.2f}" for slope in self.slopes)]
        columns = self.factor.sizes, self.costs, slopes, self.chosen
        for size, costs, slope, chosen in zip(*columns, strict=True):
            yield [
                f"{self.factor.name}: {size:,}",
                self.factor.cost,
                spread(costs, 2) if len(costs) > 1 else f"{costs[0]:,.1f}",
                slope,
                str(self.factor.linear) if slope else "",
                chosen,
            ]

    def panel(self) -> Panel:
        """Return the costs, and what they would be were they linear from the first on."""
        (name, cost, sizes, linear, _), medians = self.factor, self.medians
        expected = [medians[0] * (size / sizes[0]) ** linear for size in sizes]
        low, high = ([pick(repeats) for repeats in self.costs] for pick in (min, max))
        curves = [Curve("", sizes, medians, low, high), Curve("", sizes, expected, dashed=True)]
        return Panel(f"{cost.partition(',')[0]}: {name}", name, cost, curves, logarithmic=True)


def texts(source: Path, folder: Path) -> list[Growth]:
    """Train on texts of several sizes; an uncounted one before them builds what is built once."""
    first, memory = [], []
    text, environment = folder / "text.txt", {**os.environ, "ELMAN_CACHE": str(folder / "cache")}
    for megabytes in (0.1, *MEGABYTES):
        cut(source, text, int(megabytes * 1e6))
        until_first, _, resident = gigabyte.train(text, folder / f"{megabytes}", environment)
        first.append([until_first])
        memory.append([resident / 1e6])
    unchosen = [""] * len(MEGABYTES)
    return [Growth(FIRST_STEP, first[1:], unchosen), Growth(MEMORY, memory[1:], unchosen)]


def cut(source: Path, target: Path, size: int) -> None:
    """Write the first bytes of a text, and from its start again where it has fewer."""
    with open(source, "rb") as whole, open(target, "wb") as file:
        while missing := size - file.tell():
            if not file.write(whole.read(min(missing, 1 << 24))):
                whole.seek(0)


def settings(factor: Factor, tokens: Tokens) -> Growth:
    """Train with several sizes of one setting, in turn."""
    works, counts, choices = [], [], []
    for size in factor.sizes:
        hidden, layers, window, rows = {**BASE, factor.name: size}.values()
        windows = WINDOWS["adjacent"](tokens, window, rows, 0)
        trainer, chosen = training.ours("lstm", hidden, layers, windows, rows)
        steps = trainer.steps()
        next(steps)
        count = math.ceil(SECONDS / seconds(some(steps, 1)))
        works.append(some(steps, count))
        counts.append(count * window * rows)
        choices.append(chosen)
    timed = zip(in_turn(*works), counts, strict=True)
    return Growth(factor, [[1e6 * spent / count for spent in times] for times, count in timed], choices)


def some(steps: Iterator[object], count: int) -> Callable[[], object]:
    """Return what takes some steps."""
    return lambda: [next(steps) for _ in range(count)]


def processes(source: Path, folder: Path) -> tuple[Growth, str]:
    """Train the default recipe, one thread a process, and compare with as many threads in one."""
    text, most = folder / "text.txt", PROCESSES[-1]
    cut(source, text, 1_000_000)
    ways = [*((count, 1) for count in PROCESSES), (1, most)]
    costs: list[list[float]] = [[] for _ in ways]
    for repeat in range(REPEATS + 1):
        for (count, threads), column in zip(ways, costs, strict=True):
            out = folder / f"{count}-{threads}-{repeat}"
            result = train(text, out, f"--steps={STEPS}", processes=count, threads=threads)
            column += [1e6 / result["tokens_per_second"]] if repeat else []  # the first is not counted
    *alone, threaded = costs
    ratio = [a / b for a, b in zip(threaded, alone[-1], strict=True)]
    said = f"{most} processes have {spread(ratio, 2)} times the speed of one process with {most} threads."
    return Growth(TOGETHER, alone, [""] * len(alone)), said


def explained(growths: Sequence[Growth]) -> str:
    """Return in a sentence what is worse than linear, and why."""
    worse = [
        f"{factor.name}, {factor.cost} (slope up to {max(growth.slopes):.2f}): {factor.note}"
        for growth in growths
        if max(growth.slopes) > (factor := growth.factor).linear + TOLERANCE
    ]
    return f"Worse than linear: {'; '.join(worse)}." if worse else "Nothing is worse than linear."


def measure() -> Table:
    """Let one thing after the other grow."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gigabyte.write_text(folder / "source.txt")
        growths = texts(folder / "source.txt", folder)
        together, said = processes(folder / "source.txt", folder)
        tokens = training.random_tokens(name)
        growths += [*(settings(factor, tokens) for factor in SETTINGS), together]
    base = ", ".join(f"{name} {size}" for name, size in BASE.items())
    return Table(
        "Scale",
        "python -m benchmarks.scale",
        ["what grows", "cost", "measured", "slope", "slope of linear growth", "chosen"],
        [row for growth in growths for row in growth.rows()],
        "Texts: one run each of the default recipe, which processes train as well. "
        f"Else an LSTM, of which one setting grows from {base}. "
        f"{explained(growths)} {said}",
        write(
            "scale",
            "Cost against size on logarithmic axes, a panel for each thing that grows; dashed: linear growth",
            [growth.panel() for growth in growths],
        ),
    )


if __name__ == "__main__":
    sys.stdout.write(measure().markdown())
