"""Several processes that train one model, as torchrun starts them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

SETTINGS = [
    *("--precision", "fp32", "--recurrence", "fused", "--seed", "5"),
    *("--set", "model.hidden_size=24", "--set", "model.dropout=0", "--set", "train.batch_size=6"),
    *("--set", "train.window=16", "--set", "train.evaluate_every=20", "--set", "train.schedule=constant"),
    *("--set", "train.warmup_steps=0"),
]


def command(processes: int, *arguments: str) -> list[str]:
    run = ["-m", "elman", "train", *arguments]
    if processes == 1:
        return [sys.executable, *run]
    options = ["--nproc-per-node", str(processes), "--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]
    return [sys.executable, "-m", "torch.distributed.run", *options, *run]


def finished(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def train(processes: int, *arguments: str) -> str:
    done = finished(command(processes, *arguments))
    assert done.returncode == 0, done.stderr
    return done.stderr


def run_in_two(script: Path, content: str) -> None:
    script.write_text(content)
    done = finished([*command(2)[:-3], str(script)])
    assert done.returncode == 0, done.stderr


def train_on_two_machines(*arguments: str) -> str:
    """As torchrun does it with a process on each, both of them this one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = ["--nnodes", "2", "--rdzv-id", "1", "--rdzv-backend", "c10d", "--rdzv-endpoint", address]
    run = [sys.executable, "-m", "torch.distributed.run", *options, "-m", "elman", "train", *arguments]
    machines = [subprocess.Popen(run, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [machine.communicate(timeout=120)[1] for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], said
    return "".join(said)


def rows(out: Path, event: str) -> list[dict]:
    lines = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] == event]


@pytest.fixture
def alone(tmp_path: Path, small_text: Path) -> Path:
    out = tmp_path / "alone"
    train(1, str(small_text), "--out", str(out), *SETTINGS, "--steps", "60")
    return out


def assert_same(out: Path, expected: Path) -> None:
    for event, key in (("train", "nats_per_token"), ("validation", "nats_per_token"), ("train", "tokens")):
        found, wanted = ([row[key] for row in rows(one, event)] for one in (out, expected))
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    ours, theirs = (load_file(one / "model.safetensors") for one in (out, expected))
    for name, weights in theirs.items():
        np.testing.assert_allclose(ours[name], weights, atol=1e-4)


OTHERS = {
    "adamw": [],
    "sgd": ["--set", "train.optimizer=sgd", "--set", "train.learning_rate=0.5"],
    "tied weights": ["--set", "model.tied=true", "--set", "model.embedding_size=24"],
}


@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS)
def test_two_processes_learn_what_one_learns_with_the_same_batch(
    others: list[str], small_text: Path, tmp_path: Path
) -> None:
    arguments = [str(small_text), *SETTINGS, *others, "--steps", "60"]
    train(1, *arguments, "--out", str(tmp_path / "alone"))
    said = train(2, *arguments, "--out", str(tmp_path / "two"))
    assert_same(tmp_path / "two", tmp_path / "alone")
    assert said.count("saved in") == 1


def test_two_machines_learn_what_one_process_learns_with_the_same_batch(
    alone: Path, small_text: Path, tmp_path: Path
) -> None:
    said = train_on_two_machines(str(small_text), "--out", str(tmp_path / "two"), *SETTINGS, "--steps", "60")
    assert_same(tmp_path / "two", alone)
    assert said.count("saved in") == 1


def test_without_a_compiler_they_learn_the_same(
    alone: Path, small_text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "/no/such/compiler")
    monkeypatch.setenv("PATH", "/nowhere")
    train(2, str(small_text), "--out", str(tmp_path / "two"), *SETTINGS, "--steps", "60")
    assert_same(tmp_path / "two", alone)


def test_who_shares_memory_speaks_by_the_line_alone(tmp_path: Path) -> None:
    """No group of torch is left, whose threads would take time from what computes; twice in one program."""
    run_in_two(
        tmp_path / "meet.py",
        "from torch import distributed\n"
        "from elman.training import join_ranks\n"
        "for _ in range(2):\n"
        "    ranks = join_ranks()\n"
        "    assert ranks.line and not distributed.is_initialized()\n"
        "    ranks.meet()\n"
        "    assert ranks.add(ranks.rank) == [1.0]\n"
        "    ranks.leave()\n",
    )


def test_a_group_of_the_program_s_own_stays(tmp_path: Path) -> None:
    run_in_two(
        tmp_path / "meet.py",
        "import torch\n"
        "from elman.training import join_ranks\n"
        "torch.distributed.init_process_group('gloo')\n"
        "ranks = join_ranks()\n"
        "ranks.meet()\n"
        "ranks.leave()\n"
        "torch.distributed.all_reduce(ones := torch.ones(1))\n"
        "assert ones.item() == 2\n"
        "torch.distributed.destroy_process_group()\n",
    )


def test_a_run_goes_on_with_another_number_of_processes(
    alone: Path, small_text: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    train(3, str(small_text), "--out", str(out), *SETTINGS, "--steps", "20")
    train(1, "--resume", "--out", str(out), "--steps", "40")
    assert "going on from step 40" in train(2, "--resume", "--out", str(out), "--steps", "60")
    assert_same(out, alone)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_process_ends_the_run_and_what_was_saved_goes_on(
    rank: int, small_text: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    process = subprocess.Popen(
        command(2, str(small_text), "--out", str(out), *SETTINGS, "--minutes", "10"),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        while not (out / "metrics.jsonl").exists() or len(rows(out, "validation")) < 2:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        (victim,) = (one for one in _family(process.pid) if _rank(one) == str(rank))
        os.kill(victim, signal.SIGKILL)
        errors = process.communicate(timeout=60)[1]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 1
    assert errors.count("elman: another of the 2 processes of this run has ended") == 1
    step = int(re.search(r"step-(\d+)", max(path.name for path in (out / "resume").iterdir()))[1])
    assert f"going on from step {step}" in train(1, "--resume", "--out", str(out), "--minutes", "0.001")


def test_the_process_that_leads_says_what_is_wrong(tmp_path: Path) -> None:
    done = finished(command(2, str(tmp_path / "nothing.txt")))
    assert done.returncode
    other, first = sorted(line for line in done.stderr.splitlines() if line.startswith("elman: "))
    assert first.startswith(f"elman: no file or folder '{tmp_path / 'nothing.txt'}'")
    assert other == "elman: another process ended before the run began; mend what it says"


def test_rows_that_cannot_be_shared_are_refused(small_text: Path, tmp_path: Path) -> None:
    arguments = [str(small_text), "--out", str(tmp_path / "model"), *SETTINGS, "--steps", "5"]
    done = finished(command(2, *arguments, "--set", "train.batch_size=5"))
    assert done.returncode
    assert "elman: train.batch_size is 5, expected a multiple of 2 processes" in done.stderr
    assert not (tmp_path / "model").exists()


def test_what_shortens_weights_as_it_reads_is_refused(small_text: Path, tmp_path: Path) -> None:
    arguments = [str(small_text), "--out", str(tmp_path / "model"), "--recipe", "rnn-model", "--steps", "5"]
    done = finished(command(2, *arguments))
    assert done.returncode
    assert "elman: model.max_norm shortens weights as they are read" in done.stderr
    assert not (tmp_path / "model").exists()


def _family(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def _rank(process: int) -> str | None:
    variables = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return next((one.decode().partition("=")[2] for one in variables if one.startswith(b"RANK=")), None)
