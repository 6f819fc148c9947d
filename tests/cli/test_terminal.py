"""What a person sees at a terminal, and that a pipe sees none of it."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

ARGUMENTS = ["--steps", "60", "--set", "model.hidden_size=32", "--set", "train.batch_size=4"]


def test_a_terminal_gets_a_bar_with_all_figures_and_a_pipe_gets_lines_without_colours(
    small_text: Path, tmp_path: Path
) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "elman", "train", str(small_text), *ARGUMENTS]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160"}
    process = subprocess.Popen([*command, "--out", str(tmp_path / "a")], stderr=terminal, env=environment)
    os.close(terminal)
    shown = b""
    try:
        while chunk := os.read(controller, 65536):
            shown += chunk
    except OSError:  # how a terminal says that its last writer has gone
        pass
    os.close(controller)
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    for figure in ("100%", "step 60", " nats", "ppl ", " bits/char", " tok/s", "left"):
        assert figure in text, figure
    assert b"\x1b[" in shown
    piped = subprocess.run([*command, "--out", str(tmp_path / "b")], capture_output=True, check=True)
    assert piped.stdout == b""
    assert b"\x1b" not in piped.stderr
    assert b"100%" not in piped.stderr
