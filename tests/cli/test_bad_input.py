"""Bad input: one clear line (found, expected, what to do), exit 2, nothing left half-written."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

TINY = [
    "--steps",
    "4",
    "--set",
    "model.hidden_size=8",
    "--set",
    "train.batch_size=2",
    "--set",
    "train.window=8",
]


def elman(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "elman", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """Assert one line and exit 2, and return the line."""
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("elman: ")
    assert done.stdout == ""
    return line


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of good and bad texts and one trained model."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "good.txt").write_text("the cat sat on the mat.\n" * 40)
    (folder / "empty.txt").write_text("")
    (folder / "short.txt").write_text("too short")
    (folder / "window.txt").write_text("eighteen letters..")
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 10)
    (folder / "latin.txt").write_bytes("caf\u00e9 ".encode("latin-1") * 100)
    (folder / "other.txt").write_text("the cat sat on another mat.\n" * 4)
    (folder / "nothing").mkdir()
    (folder / "nothing" / "picture.png").write_bytes(b"\x89PNG")
    done = elman("train", "good.txt", "--out", "model", *TINY, cwd=folder, ELMAN_CACHE=str(folder / "cache"))
    assert done.returncode == 0, done.stderr
    return folder


TEXTS = [
    ("good.tx", ["good.tx", "good.txt"]),
    ("empty.txt", ["empty"]),
    ("nothing", ["nothing"]),
    ("*.nothing", ["*.nothing"]),
    ("short.txt", ["too short", "1 tokens, expected at least 2", "longer text"]),
    (
        "window.txt",
        [
            "the training part has 16 tokens, expected at least",
            "one window of 8 steps in 2 rows",
            "longer text",
        ],
    ),
    ("binary.txt", ["binary.txt", "binary"]),
    ("latin.txt", ["latin.txt", "position 3", "0xe9", "--encoding"]),
]


@pytest.mark.parametrize(("text", "said"), TEXTS)
def test_a_text_that_cannot_be_used(world: Path, text: str, said: list[str]) -> None:
    line = refused(elman("train", text, "--out", "new", *TINY, cwd=world))
    assert [word for word in said if word not in line] == [], line
    assert not (world / "new").exists()


def test_a_model_that_no_memory_holds(world: Path) -> None:
    size = ["--set", "model.hidden_size=2000000"]  # 58 TiB
    line = refused(elman("train", "good.txt", "--out", "new", *TINY, *size, cwd=world))
    assert "not enough memory" in line
    assert "lower model.hidden_size" in line
    assert not (world / "new").exists()


SETTINGS = [
    (["--recipe", "defualt"], ["no recipe 'defualt'", "did you mean default"]),
    (["--recipe", "none.toml"], ["no recipe file none.toml (No such file or directory)"]),
    (
        ["--set", "train.lerning_rate=1"],
        ["train.lerning_rate is not a setting, did you mean train.learning_rate?"],
    ),
    (["--set", "hidden_size=1"], ["hidden_size is not a setting, did you mean model.hidden_size?"]),
    (["--set", "model=3"], ["model is 3, expected a table of settings"]),
    (["--set", "train.window"], ["'train.window' has no value; expected KEY=VALUE"]),
    (["--set", "model.cell=lsmt"], ["model.cell is lsmt", "'rnn-tanh', 'rnn-relu', 'gru', 'lstm'"]),
    (["--tokenizer", "syllable"], ["tokenizer is syllable", "'character', 'byte', 'word' or 'bpe'"]),
    (["--minutes", "-1"], ["train.minutes is -1", "greater than 0"]),
    (["--steps", "2", "--epochs", "1"], ["one of steps, epochs and minutes", "found steps and epochs"]),
    (["--split", "90/20"], ["90/20"]),
    (["--encoding", "utf-9"], ["utf-9"]),
    (["--set", "vocabulary_size=50"], ["vocabulary_size goes with tokenizer word or bpe"]),
    (["--minuts", "3"], ["no such option", "--minutes", "see elman train --help"]),
    (["--device", "tpu"], ["train.device is tpu"]),
    (["--prompt", ""], ["train.prompts.0 is empty, expected a text of at least 1 character"]),
    (["--set", "train.betas=[0.9, 1]"], ["train.betas.1 is 1, expected less than 1"]),
    (["--set", "model.layers=true"], ["model.layers is true, expected integer"]),
    (["--tokenizer", "bpe", "--set", "vocabulary_size=99"], ["bpe has a token for each of 256 bytes"]),
    (["--resume"], ["--resume needs the folder of the run"]),
]


@pytest.mark.parametrize(("options", "said"), SETTINGS)
def test_a_setting_that_cannot_be(world: Path, options: list[str], said: list[str]) -> None:
    line = refused(elman("train", "good.txt", *options, cwd=world))
    assert [word for word in said if word not in line] == [], line
    assert not (world / "models").exists()


def test_all_wrong_settings_are_named_at_once(world: Path) -> None:
    wrong = ["--set", "model.layers=0", "--set", "train.batch=3", "--set", "model.dropout=2", "--seed", "-5"]
    line = refused(elman("train", "good.txt", *wrong, cwd=world))
    wrong += ["--split", "90/20", "--encoding", "utf-9"]
    line = refused(elman("train", "good.txt", *wrong, cwd=world))
    for name in (
        "split '90/20' sums to 110",
        "unknown encoding 'utf-9'",
        "model.layers is 0",
        "train.batch is not a setting",
        "model.dropout is 2",
        "train.seed is -5",
    ):
        assert name in line


def test_a_folder_that_holds_another_run_is_left_alone(world: Path) -> None:
    before = {path: path.read_bytes() for path in (world / "model").rglob("*") if path.is_file()}
    line = refused(elman("train", "good.txt", "--out", "model", *TINY, cwd=world))
    assert "model holds another run; go on with it (--resume --out model)" in line
    assert {path: path.read_bytes() for path in (world / "model").rglob("*") if path.is_file()} == before
    assert "good.txt is a file" in refused(elman("train", "good.txt", "--out", "good.txt", *TINY, cwd=world))


REQUESTS = [
    (["generate", "model", ""], ["the prompt is empty"]),
    (["generate", "model", "a", "--top-k", "0"], ["top-k is 0, expected 1 or more"]),
    (["generate", "model", "a", "--temperature", "-1"], ["temperature is -1, expected 0 or more"]),
    (["generate", "model", "a", "--top-p", "0"], ["top-p is 0"]),
    (["generate", "model", "a", "-n", "0"], ["the length is 0, expected 1 token or more"]),
    (["generate", "model", "a", "-n", "many"], ["--length", "integer", "see elman generate --help"]),
    (["generate", "nowhere", "a"], ["no model folder nowhere"]),
    (["generate", "good.txt", "a"], ["good.txt is a file, expected a model folder"]),
    (["generate", "nothing", "a"], ["nothing has no config.json"]),
    (["generate", "model", "a", "--seed", "-1"], ["the seed is -1, expected 0 or more"]),
    (["generate"], ["missing argument 'MODEL'"]),
    (["generate", "model", "a", "--beam", "4", "--count", "3"], ["--beam draws nothing", "found --count"]),
    (["generate", "model", "a", "--greedy", "--beam", "4"], ["--beam draws nothing", "found --greedy"]),
    (
        ["generate", "model", "a", "--greedy", "--temperature", "2"],
        ["--greedy draws nothing", "--temperature"],
    ),
    (["generate", "model", "a", "--stop", ""], ["a stop string is empty"]),
    (["generate", "model", "a", *(f"--forbid={c}" for c in "acehmnost. \n")], ["every token is forbidden"]),
    (["generate", "model", "a", "--save-state", "nothing"], ["nothing is a folder"]),
    (["generate", "model", "a", "--save-state", "no/where"], ["there is no folder no"]),
    (["generate", "model", "a", "--state", "nowhere"], ["no file nowhere, expected a state"]),
    (["generate", "model", "a", "--state", "good.txt"], ["good.txt is damaged or no state of a stream"]),
    (["export", "model", "model"], ["model is taken, expected a name that is free"]),
    (["push", "nowhere", "hf:me/book"], ["no model folder nowhere; make one: elman train"]),
    (["evaluate", "model", "--part", "train"], ["part is 'train', expected validation or test"]),
    (["evaluate", "model", "other.txt", "--part", "test"], ["leave out the part or the text"]),
    (["evaluate", "model", "--characters", "0"], ["characters is 0, expected 1 or more"]),
    (["score", "model", "latin.txt", "--encoding", "utf-9"], ["utf-9"]),
    (["score", "model", ""], ["the text is empty"]),
    (["evaluate", "model", "missing.txt"], ["missing.txt"]),
    (["evaluate", "model", "--part", "test"], ["has no test part", "--split 90/5/5"]),
    (["compare", "nowhere"], ["no model folder nowhere"]),
    (["recipes", "defalt"], ["did you mean default"]),
    (["trian"], ["trian", "train"]),
    (["train", "--resume", "--out", "nowhere"], ["no model folder nowhere"]),
    (
        ["train", "--resume", "--out", "model", "--set", "model.layers=2"],
        ["model.layers cannot change when a run goes on"],
    ),
]


@pytest.mark.parametrize(("arguments", "said"), REQUESTS)
def test_a_request_that_cannot_be_served(world: Path, arguments: list[str], said: list[str]) -> None:
    line = refused(elman(*arguments, cwd=world, ELMAN_CACHE=str(world / "cache")))
    assert [word for word in said if word not in line] == [], line


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        ("config.json", "onnx"),
        ("tokenizer.json", "onnx"),
        ("model.onnx", "onnx"),
        ("model.safetensors", "torch"),
    ],
)
def test_a_model_folder_with_a_missing_or_damaged_file_names_it(world: Path, name: str, engine: str) -> None:
    path, how = world / "model" / name, ["--engine", engine]
    content = path.read_bytes()
    try:
        path.unlink()
        assert name in refused(elman("generate", "model", "a", *how, cwd=world))
        middle = len(content) // 2
        path.write_bytes(content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :])
        line = refused(elman("generate", "model", "a", *how, cwd=world))
        assert f"{name} is damaged" in line
    finally:
        path.write_bytes(content)


def test_a_loss_that_is_no_longer_a_number_stops_at_the_last_good_state(world: Path, tmp_path: Path) -> None:
    wild = ["--set", "train.learning_rate=1e37", "--set", "train.clip=none", "--set", "train.warmup_steps=0"]
    sgd = ["--set", "train.optimizer=sgd", "--precision", "fp32"]
    done = elman(
        "train", "good.txt", "--out", str(tmp_path / "wild"), *TINY, *wild, *sgd, "--steps", "400", cwd=world
    )
    assert done.returncode == 2, done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("elman: the ")
    assert "lower train.learning_rate (now 1e+37)" in line
    assert "keeps the last good state" in line
    written = elman("generate", str(tmp_path / "wild"), "the", "-n", "5", cwd=world)
    assert written.returncode == 0, written.stderr


def test_an_unknown_character_in_a_prompt_is_one_warning_that_names_it(world: Path) -> None:
    done = elman("generate", "model", "the \u03a9\u5929\u03a9", "-n", "20", "--seed", "1", cwd=world)
    assert done.returncode == 0
    assert done.stderr.splitlines() == ["warning: not seen in training, read as <unk>: '\u03a9', '\u5929'"]
    assert done.stdout.startswith("the \u03a9\u5929\u03a9")


def test_bytes_that_are_no_text_in_a_prompt_are_shown_as_well_as_can_be(world: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "elman", "generate", "model", b"the \xff cat", "-n", "5"],
        capture_output=True,
        check=False,
        cwd=world,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"the ? cat")


def test_a_text_as_long_as_no_file_name_can_be_is_scored(world: Path) -> None:
    done = elman("score", "model", "the cat sat " * 100, "--json", cwd=world)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["tokens"]) == 1200


def test_a_split_that_leaves_a_part_empty_says_so_when_it_is_asked_for(world: Path) -> None:
    done = elman("train", "good.txt", "--out", "thin", "--split", "90/10/0", *TINY, cwd=world)
    assert done.returncode == 0, done.stderr
    assert "has no test part" in refused(elman("evaluate", "thin", "--part", "test", cwd=world))


def test_compare_with_nothing_to_compare_and_with_another_split(world: Path) -> None:
    done = elman("train", "good.txt", "--out", "wide", "--split", "80/20", *TINY, cwd=world)
    assert done.returncode == 0, done.stderr
    said = elman("compare", "model", "wide", cwd=world)
    assert said.stderr == "warning: these models learned with different splits; their scores do not compare\n"
    (world / "wide" / "metrics.jsonl").unlink()
    done = elman("compare", "wide", cwd=world)
    assert done.returncode == 2
    assert "none of these models has a result" in done.stderr.splitlines()[-1]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN's limit is one of x86")
def test_a_processor_without_bf16_trains_in_fp32_and_says_why(world: Path) -> None:
    """oneDNN is told to use no instructions later than SSE 4.1, among which bf16 has no LSTM."""
    train = ["train", "good.txt", *TINY, "--set", "train.window=8"]
    done = elman(*train, "--out", "old", cwd=world, ONEDNN_MAX_CPU_ISA="SSE41")
    assert done.returncode == 0, done.stderr
    assert "precision fp32: bf16 cannot run here (could not create a primitive" in done.stderr
    asked = [*train, "--precision", "bf16", "--out", "older"]
    assert "train with --precision fp32 or auto" in refused(
        elman(*asked, cwd=world, ONEDNN_MAX_CPU_ISA="SSE41")
    )
    assert not (world / "older").exists()
