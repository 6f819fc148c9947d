"""What all benchmarks share: timing in pairs, the machine's name, and the page of results."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

REPEATS = 5
DATA = Path(os.environ.get("ELMAN_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
TORCHRUN = ("-m", "torch.distributed.run", "--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0")


class Picture(NamedTuple):
    """A picture on the page of results."""

    path: str  # from docs/
    alternative: str  # what it shows, for whom does not see it


@dataclass(frozen=True)
class Table:
    """One table of the page of results."""

    title: str
    command: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    remark: str = ""
    picture: Picture | None = None

    def markdown(self) -> str:
        """Return the table as a section of a page."""
        lines = [
            f"## {self.title}",
            "",
            "| " + " | ".join(self.heading) + " |",
            "| --- " * len(self.heading) + "|",
        ]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        shown = f"![{self.picture.alternative}]({self.picture.path})" if self.picture else ""
        below = [part for part in (shown, self.remark, f"`{self.command}`; {machine()}") if part]
        return "\n".join(lines) + "\n\n" + "\n\n".join(below) + "\n"


def seconds(work: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(*works: Callable[[], object], repeats: int = REPEATS) -> list[list[float]]:
    """Time several works A B C A B C ..., after one turn that is not counted; a list of seconds for each."""
    for work in works:
        work()
    turns = [[seconds(work) for work in works] for _ in range(repeats)]
    return [list(column) for column in zip(*turns, strict=True)]


def train(
    text: Path, out: Path, *options: str, processes: int = 1, threads: int | None = None
) -> dict[str, Any]:
    """Train by the command line, with so many threads a process, and return what it prints with --json."""
    together = [*TORCHRUN, "--nproc-per-node", str(processes)] if processes > 1 else []
    command = [*together, "-m", "elman", "train", str(text), "--out", str(out), *options, "--json"]
    done = subprocess.run(
        [sys.executable, *command],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **({"OMP_NUM_THREADS": str(threads)} if threads else {})},
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return `median (minimum to maximum)`."""
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def machine() -> str:
    """Return processor, versions, date and commit of this measurement."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        text = info.read_text()
        names = [line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")]
        flags = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f" {name}" in text]
        model = f"{len(names)} cores of {names[0]} ({', '.join(flags)})"
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return (
        f"{model}; Python {platform.python_version()}; {time.strftime('%Y-%m-%d')}; {commit.stdout.strip()}"
    )
