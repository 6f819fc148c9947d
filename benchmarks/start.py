"""How long a command takes before it does anything, against importing torch; whole processes, in turn."""

import subprocess
import sys
import tempfile
from pathlib import Path

from elman import LanguageModel

from .report import Table, in_turn, spread


def run(*arguments: str) -> None:
    """Run Python with arguments and throw its output away."""
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


def first_character(model: Path) -> None:
    """Run `elman generate` until its first character is there."""
    command = [sys.executable, "-m", "elman", "generate", str(model), "import", "-n", "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert len(process.stdout.read(len("import") + 1)) == len("import") + 1
        process.kill()


def measure() -> Table:
    """Time `elman --help`, the first character of `elman generate`, and `import torch`."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        LanguageModel.train("python-manual", out=model, steps=10)
        works = (
            lambda: run("-m", "elman", "--help"),
            lambda: first_character(model),
            lambda: run("-c", "import torch"),
        )
        help_, first, torch = in_turn(*works, repeats=9)
    rows = [
        [
            name,
            spread(times, 3),
            spread(torch, 3),
            spread([a / b for a, b in zip(times, torch, strict=True)], 3),
        ]
        for name, times in (("elman --help", help_), ("elman generate, to the first character", first))
    ]
    return Table("Start", "python -m benchmarks.start", ["command", "s", "import torch, s", "ratio"], rows)


if __name__ == "__main__":
    print(measure().markdown())
