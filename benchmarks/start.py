"""How long a command takes before it does anything, against importing torch; whole processes, in turn."""

import subprocess
import sys

from .report import Table, in_turn, spread


def run(*arguments: str) -> None:
    """Run Python with arguments and throw its output away."""
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def measure() -> Table:
    """Time `elman --help` and `import torch`."""
    help_, torch = in_turn(lambda: run("-m", "elman", "--help"), lambda: run("-c", "import torch"), repeats=9)
    ratios = [a / b for a, b in zip(help_, torch, strict=True)]
    row = [spread(help_, 3), spread(torch, 3), spread(ratios, 3)]
    return Table(
        "Start", "python -m benchmarks.start", ["elman --help, s", "import torch, s", "ratio"], [row]
    )


if __name__ == "__main__":
    print(measure().markdown())
