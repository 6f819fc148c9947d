"""Exact resume: a run killed, interrupted or damaged ends where an untouched one does, byte for byte."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STEPS = 240
ARGUMENTS = [
    *("--steps", str(STEPS), "--precision", "fp32", "--seed", "5", "--prompt", "the cat"),
    *("--set", "model.hidden_size=48", "--set", "model.layers=2", "--set", "model.dropout=0.3"),
    *("--set", "train.evaluate_every=16", "--set", "train.batch_size=4", "--set", "train.window=24"),
]
TIMES = ("seconds", "tokens_per_second")


def start(text: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "elman", "train", str(text), "--out", str(out), *ARGUMENTS, *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def resume(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "elman", "train", "--resume", "--out", str(out), *more],
        capture_output=True,
        text=True,
        check=False,
    )


def metrics(out: Path) -> list[dict]:
    """The measurements without what the clock and the folder's name decide."""
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key not in (*TIMES, "model")} for row in rows]


def steps_done(out: Path) -> int:
    try:
        return json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])["step"]
    except (OSError, ValueError, IndexError, KeyError):
        return -1


def wait_for(steps: int, process: subprocess.Popen[str], out: Path) -> None:
    while steps_done(out) < steps:
        assert process.poll() is None
        time.sleep(0.005)


def signal_after(steps: int, process: subprocess.Popen[str], out: Path, number: signal.Signals) -> None:
    wait_for(steps, process, out)
    process.send_signal(number)


@pytest.fixture
def text(tmp_path: Path, small_text: Path) -> Path:
    return small_text


@pytest.fixture
def untouched(tmp_path: Path, text: Path) -> Path:
    out = tmp_path / "untouched"
    process = start(text, out)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    return out


def assert_same(out: Path, expected: Path) -> None:
    assert (out / "model.safetensors").read_bytes() == (expected / "model.safetensors").read_bytes()
    assert metrics(out) == metrics(expected)


def test_a_run_killed_at_twenty_random_places_ends_with_the_same_bytes_and_metrics(
    tmp_path: Path, text: Path, untouched: Path
) -> None:
    """One run, killed with SIGKILL after a random number of steps again and again, is resumed each time."""
    choose, out, kills, early = random.Random(11), tmp_path / "killed", 0, 0
    process = start(text, out)
    while kills < 20:
        goal = steps_done(out) + choose.randint(0, 24) if choose.random() < 0.7 else None
        began = time.monotonic()
        wait = choose.uniform(0.0, 4.0)
        while process.poll() is None:
            if goal is not None and goal <= steps_done(out) < STEPS - 20:
                break
            if goal is None and time.monotonic() - began > wait:
                break
            time.sleep(0.002)
        if process.poll() is not None:  # it got to the end: begin a new one and go on killing
            _, errors = process.communicate()
            assert process.returncode == 0, errors
            assert_same(out, untouched)
            out, early = tmp_path / f"killed-{early}", early + 1
            assert early < 15
            process = start(text, out)
            continue
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += 1
        more = (
            ["--resume", "--out", str(out)]
            if (out / "config.json").exists()
            else [str(text), "--out", str(out), *ARGUMENTS]
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "elman", "train", *more],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert_same(out, untouched)


def test_ctrl_c_saves_and_exits_130_and_the_run_goes_on(tmp_path: Path, text: Path, untouched: Path) -> None:
    out = tmp_path / "interrupted"
    process = start(text, out)
    signal_after(40, process, out, signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1] == f"stopped and saved; go on with: elman train --resume --out {out}"
    saved = sorted((out / "resume").glob("*.safetensors"))[-1]
    assert int(saved.stem.removeprefix("step-")) >= 40
    assert resume(out).returncode == 0
    assert_same(out, untouched)


def test_a_damaged_state_is_named_and_the_one_before_is_used(
    tmp_path: Path, text: Path, untouched: Path
) -> None:
    out = tmp_path / "damaged"
    process = start(text, out)
    signal_after(100, process, out, signal.SIGKILL)
    process.communicate()
    newest = sorted((out / "resume").glob("*.safetensors"))[-1]
    content = newest.read_bytes()
    newest.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    done = resume(out)
    assert done.returncode == 0, done.stderr
    assert f"warning: {newest} is damaged" in done.stderr
    assert_same(out, untouched)


def test_a_finished_run_can_be_given_more_steps_and_the_text_may_be_gone_from_the_cache(
    tmp_path: Path, text: Path, untouched: Path
) -> None:
    import shutil

    shutil.rmtree(os.environ["ELMAN_CACHE"])
    done = resume(untouched, "--steps", str(STEPS + 32))
    assert done.returncode == 0, done.stderr
    assert metrics(untouched)[-1]["step"] == STEPS + 32
    asked = json.loads((untouched / "config.json").read_text())
    assert asked["asked"]["train"]["steps"] == asked["settings"]["train"]["steps"] == STEPS + 32
    text.write_text(text.read_text() + "changed")
    shutil.rmtree(os.environ["ELMAN_CACHE"])
    done = resume(untouched, "--steps", str(STEPS + 64))
    assert done.returncode == 2
    assert "the text is not the one that" in done.stderr


def test_a_disk_that_fills_up_is_one_line_and_the_run_goes_on_later(
    tmp_path: Path, text: Path, untouched: Path
) -> None:
    """A limit on the size of a file, set as the run goes on, stands in for the disk."""
    import resource

    limit = (untouched / "model.safetensors").stat().st_size  # a saved state holds three times that
    out = tmp_path / "full"
    process = start(text, out)
    wait_for(40, process, out)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    _, errors = process.communicate()
    assert process.returncode == 2, errors
    assert "cannot write" in errors.splitlines()[-1]
    assert resume(out).returncode == 0
    assert_same(out, untouched)
