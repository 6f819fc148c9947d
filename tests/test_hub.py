"""Models and texts in repositories, against a stand-in hub on this machine."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from elman import LanguageModel

from .hub_stand_in import Hub, hub_stand_in

SMALL = {"model.hidden_size": 16, "train.batch_size": 4, "train.window": 16, "train.precision": "fp32"}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_stand_in() as opened:
        yield opened


def elman(hub: Hub, *arguments: str, cwd: Path, token: str = "hf_right") -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "HF_ENDPOINT": hub.address,
        "HF_HOME": str(cwd / "hub"),
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    command = [sys.executable, "-m", "elman", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_a_model_is_pushed_as_it_stands_and_runs_from_there(
    hub: Hub, small_text: Path, tmp_path: Path
) -> None:
    model = LanguageModel.train(small_text, out=tmp_path / "model", steps=20, settings=SMALL)
    pushed = elman(hub, "push", "model", "hf:me/cats", cwd=tmp_path)
    assert pushed.returncode == 0, pushed.stderr
    there = hub.files["models/me/cats"]
    assert set(there) == {
        "README.md",
        "config.json",
        "metrics.jsonl",
        "model.onnx",
        "model.safetensors",
        "tokenizer.json",
    }
    for name, content in there.items():
        assert content == (tmp_path / "model" / name).read_bytes()
    written = elman(hub, "generate", "hf:me/cats", "the", "-n", "50", "--seed", "2", cwd=tmp_path)
    assert written.stdout == "the" + model.generate("the", 50, seed=2) + "\n", written.stderr
    hub.asked.clear()
    again = elman(hub, "generate", "hf:me/cats", "the", "-n", "50", "--seed", "2", cwd=tmp_path)
    assert again.stdout == written.stdout
    assert not any(asked.startswith("GET") and "/resolve/" in asked for asked in hub.asked)


def test_a_dataset_is_a_text_to_train_on(hub: Hub, small_text: Path, tmp_path: Path) -> None:
    hub.files["datasets/me/verses"] = {
        "a.txt": small_text.read_bytes(),
        "picture.png": b"\x89PNG",
        "README.md": b"# Verses\n",
    }
    options = ["--steps", "5", "--out", "trained", "--set", "model.hidden_size=16"]
    done = elman(hub, "train", "hf:me/verses", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    learned = LanguageModel.load(tmp_path / "trained").config["text"]["characters"]
    assert learned == len(small_text.read_text())


@pytest.mark.parametrize(
    ("arguments", "token", "said"),
    [
        (["generate", "hf:me/nothing"], "hf_right", "hf:me/nothing cannot be reached"),
        (["generate", "hf:nothing"], "hf_right", "'hf:nothing' names no repository, expected hf:owner/name"),
        (["train", "hf:../../etc/x"], "hf_right", "names no repository, expected hf:owner/name"),
        (["push", "model", "hf:me/cats"], "hf_wrong", "hf:me/cats cannot be reached (the answer is 401)"),
        (["push", "model", "hf:me/cats"], "", "written to with a token, found none; set HF_TOKEN"),
        (["push", "nowhere", "hf:me/cats"], "hf_right", "no model folder nowhere"),
    ],
)
def test_what_cannot_be_fetched_or_written_is_one_line(
    hub: Hub, small_text: Path, tmp_path: Path, arguments: list[str], token: str, said: str
) -> None:
    if "model" in arguments:
        LanguageModel.train(small_text, out=tmp_path / "model", steps=2, settings=SMALL)
    done = elman(hub, *arguments, cwd=tmp_path, token=token)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert said in line
    assert "HF_TOKEN" in line or "cannot be reached" not in line


def test_a_hub_that_is_away_is_one_line(tmp_path: Path) -> None:
    away = Hub()
    away.address = "http://127.0.0.1:9"  # nothing listens there
    done = elman(away, "generate", "hf:me/cats", cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "hf:me/cats cannot be reached" in line


def test_a_hub_that_is_away_when_it_is_written_to_is_one_line(small_text: Path, tmp_path: Path) -> None:
    LanguageModel.train(small_text, out=tmp_path / "model", steps=2, settings=SMALL)
    away = Hub()
    away.address = "http://127.0.0.1:9"  # nothing listens there
    done = elman(away, "push", "model", "hf:me/cats", cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("elman: hf:me/cats cannot be reached (no answer)")
