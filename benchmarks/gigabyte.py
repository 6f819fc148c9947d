"""Training on a gigabyte of text: resident memory, and the time before the first step, twice."""

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from .report import Table

BYTES = 1_000_000_000
STEPS = 2000


def write_text(path: Path) -> None:
    """Write a gigabyte of made-up sentences, no two megabytes alike."""
    choose = random.Random(1)
    words = ["".join(choose.choices("etaoinshrdlucmfwypvbgk", k=choose.randint(1, 9))) for _ in range(20_000)]
    block = [
        " ".join(choose.choices(words, k=choose.randint(4, 14))).capitalize() + ".\n" for _ in range(20_000)
    ]
    written = 0
    with open(path, "w") as file:
        while written < BYTES:
            choose.shuffle(block)
            text = "".join(block)[: BYTES - written]
            written += file.write(text)


def train(text: Path, out: Path, environment: dict[str, str]) -> tuple[float, float, float]:
    """Train and return seconds to the first validation-free step, seconds in all, and peak resident bytes."""
    start = time.perf_counter()
    options = ["--steps", str(STEPS), "--set", "train.sampling=random", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "elman", "train", str(text), *options],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    first: list[float] = []

    def watch() -> None:
        for line in process.stderr or ():
            if "precision" in line:  # the line that is printed when training starts
                first.append(time.perf_counter() - start)

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "training failed"
    if process.stderr:
        process.stderr.close()
    return first[0], time.perf_counter() - start, usage.ru_maxrss * 1024


def measure() -> Table:
    """Train twice on the same gigabyte with one cache."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_text(folder / "gigabyte.txt")
        environment = {**os.environ, "ELMAN_CACHE": str(folder / "cache")}
        rows = []
        for turn in ("first time", "from the cache"):
            first, whole, resident = train(
                folder / "gigabyte.txt", folder / turn.replace(" ", "-"), environment
            )
            rows.append([turn, f"{first:.1f}", f"{whole:.0f}", f"{resident / 1e6:,.0f}"])
    heading = ["", "until the first step, s", "whole command, s", "peak resident memory, MB"]
    remark = (
        f"{STEPS:,} steps of the default model on random windows, then the score of a million characters."
    )
    return Table("A gigabyte of text", "python -m benchmarks.gigabyte", heading, rows, remark)


if __name__ == "__main__":
    print(measure().markdown())
