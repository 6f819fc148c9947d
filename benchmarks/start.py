"""How long a command takes before it does anything, against importing torch; whole processes, in turn."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

from elman import LanguageModel

from .report import Table, in_turn, spread

WHOLE = ("--help", "recipes", "train --help", "evaluate --help", "inspect --help")  # run to their end
SCORED = "to be or not to be"


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


def first_answer(model: Path) -> None:
    """Run `elman serve` until /health answers."""
    command = [sys.executable, "-m", "elman", "serve", str(model), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        address = re.search(r"http://([\d.]+:\d+)", said)
        assert address, said
        connection = HTTPConnection(address[1])
        connection.request("GET", "/health")
        assert connection.getresponse().status == 200
        connection.close()
        process.kill()


def measure() -> Table:
    """Time each command and `import torch`."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        LanguageModel.train("python-manual", out=model, steps=10)
        commands: dict[str, Callable[[], object]] = {
            **{f"elman {words}": partial(run, "-m", "elman", *words.split()) for words in WHOLE},
            "elman score, a short text": partial(run, "-m", "elman", "score", str(model), SCORED),
            "elman generate, to the first character": partial(first_character, model),
            "elman serve, until /health answers": partial(first_answer, model),
        }
        *columns, torch = in_turn(*commands.values(), partial(run, "-c", "import torch"), repeats=9)
    rows = [
        [
            name,
            spread(times, 3),
            spread(torch, 3),
            spread([a / b for a, b in zip(times, torch, strict=True)], 3),
        ]
        for name, times in zip(commands, columns, strict=True)
    ]
    return Table("Start", "python -m benchmarks.start", ["command", "s", "import torch, s", "ratio"], rows)


if __name__ == "__main__":
    print(measure().markdown())
