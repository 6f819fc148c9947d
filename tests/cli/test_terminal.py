"""What a person sees at a terminal, and that a pipe sees none of it."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

ARGUMENTS = ["--steps", "60", "--set", "model.hidden_size=32", "--set", "train.batch_size=4"]


def in_terminal(command: list[str], columns: int, stream: str) -> bytes:
    """What a command writes to one of its streams where that is a terminal."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns)}
    process = subprocess.Popen(command, env=environment, **{stream: terminal})
    os.close(terminal)
    shown = b""
    try:
        while chunk := os.read(controller, 65536):
            shown += chunk
    except OSError:  # how a terminal says that its last writer has gone
        pass
    os.close(controller)
    assert process.wait() == 0
    return shown


def plain(shown: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())


def test_a_terminal_gets_a_bar_with_all_figures_and_a_pipe_gets_lines_without_colours(
    small_text: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "elman", "train", str(small_text), *ARGUMENTS]
    shown = in_terminal([*command, "--out", str(tmp_path / "a")], 160, "stderr")
    for figure in ("100%", "step 60", " nats", "ppl ", " bits/char", " tok/s", "left"):
        assert figure in plain(shown), figure
    assert b"\x1b[" in shown
    piped = subprocess.run([*command, "--out", str(tmp_path / "b")], capture_output=True, check=True)
    assert piped.stdout == b""
    assert b"\x1b" not in piped.stderr
    assert b"100%" not in piped.stderr


def test_compare_folds_names_and_never_digits_in_a_narrow_terminal(small_text: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a-model-of-which-the-name-is-long"
    elman = [sys.executable, "-m", "elman"]
    subprocess.run([*elman, "train", str(small_text), *ARGUMENTS, "--out", str(folder)], check=True)
    compare = [*elman, "compare", str(folder)]
    done = subprocess.run([*compare, "--json"], capture_output=True, check=True)
    (row,) = json.loads(done.stdout)
    lines = plain(in_terminal(compare, 80, "stdout")).splitlines()
    assert max(map(len, lines)) <= 80
    numbers = {figure for line in lines for figure in line.split()}
    assert {f"{row['parameters']:,}", f"{row['perplexity']:.2f}", f"{row['bits_per_byte']:.3f}"} <= numbers
    assert str(folder) in "".join(line[:20].split(" ")[0] for line in lines)
