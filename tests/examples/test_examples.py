"""The programs in examples/: each runs whole, and what it prints is compared with the library or the text."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from elman import LanguageModel

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = {"model.hidden_size": 48, "model.embedding_size": 16, "train.precision": "fp32"}


def run(program: str, *arguments: str, given: str = "") -> list[str]:
    command = [sys.executable, str(EXAMPLES / program), *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_there_are_four_of_at_most_forty_lines() -> None:
    programs = sorted(EXAMPLES.glob("*.py"))
    assert [path.name for path in programs] == ["anomaly.py", "keyboard.py", "names.py", "plain_onnx.py"]
    assert all(len(path.read_text().splitlines()) <= 40 for path in programs)


def test_plain_onnx_writes_what_elman_writes(small_text: Path, tmp_path: Path) -> None:
    model = LanguageModel.train(small_text, out=tmp_path / "model", steps=60, settings=SMALL)
    written = run("plain_onnx.py", str(tmp_path / "model"), "the cat", "300")
    assert "\n".join(written) == model.generate("the cat", 300, seed=0).rstrip("\n")
    command = [sys.executable, str(EXAMPLES / "plain_onnx.py"), str(tmp_path / "model"), "a\u65e5", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == "{'\u65e5'} is not among the characters of this model; leave it out\n"


def test_the_keyboard_offers_the_likeliest_words(small_text: Path, tmp_path: Path) -> None:
    settings = {**SMALL, "tokenizer": "word"}
    small_text.write_text("".join(f"so {line}" for line in small_text.read_text().splitlines(keepends=True)))
    LanguageModel.train(small_text, out=tmp_path / "model", steps=60, settings=settings)
    model = LanguageModel.load(tmp_path / "model", engine="torch")
    rows = run("keyboard.py", str(tmp_path / "model"), given="the cat sat\nso dog\n")
    assert [row.split()[0] for row in rows] == ["the", "cat", "sat", "so", "dog"]
    assert model.tokenizer.unknown_pieces("the cat") == ["the"]  # no line begins with it
    logits, _ = model.engine.feed(
        model.tokenizer.encode("\n the cat sat")[:, None], model.engine.initial_state(1)
    )
    order = torch.tensor(logits[-1, 0]).argsort(descending=True).tolist()
    words = [model.tokenizer.pieces[token].decode().strip() for token in order]
    assert rows[2].split()[1:] == [word for word in words if word.isalpha()][:3]


def test_a_line_that_stands_out_is_marked(tmp_path: Path) -> None:
    draw = random.Random(0)
    lines = [f"GET /item/{draw.randrange(100)} 200 {draw.randrange(10, 99)} ms" for _ in range(1500)]
    (tmp_path / "log.txt").write_text("\n".join(lines) + "\n")
    LanguageModel.train(tmp_path / "log.txt", out=tmp_path / "model", steps=300, settings=SMALL)
    strange = "segmentation fault in worker GET"
    found = run(
        "anomaly.py",
        str(tmp_path / "model"),
        given="\n".join([*lines[:20], "", strange, "", *lines[20:30]]) + "\n",
    )
    marked = [row for row in found if row.startswith("!")]
    assert len(marked) == 1
    assert marked[0].endswith(strange)


@pytest.mark.slow
def test_new_names_are_new(tmp_path: Path) -> None:
    draw = random.Random(1)
    parts = (
        "an",
        "bel",
        "cor",
        "da",
        "el",
        "fin",
        "gar",
        "ho",
        "il",
        "jo",
        "ka",
        "lin",
        "mar",
        "no",
        "ra",
        "sa",
    )
    names = sorted({"".join(draw.choice(parts) for _ in range(draw.choice((2, 3)))) for _ in range(600)})
    (tmp_path / "names.txt").write_text("\n".join(names) + "\n")
    found = run("names.py", str(tmp_path / "names.txt"), "10")
    assert len(found) == len(set(found)) == 10
    assert not set(found) & set(names)
    assert all(name.isalpha() and name.islower() for name in found)


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("keyboard.py", []),
        ("anomaly.py", []),
        ("names.py", []),
        ("names.py", ["nowhere.txt", "3"]),
        ("plain_onnx.py", []),
        ("plain_onnx.py", ["nowhere", "Once", "9"]),
    ],
)
def test_a_program_that_lacks_something_says_how_to_call_it(program: str, arguments: list[str]) -> None:
    command = [sys.executable, str(EXAMPLES / program), *arguments]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"python examples/{program}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("program", ["keyboard.py", "anomaly.py"])
def test_a_model_that_is_not_there_is_one_line(program: str, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLES / program), str(tmp_path / "nowhere")]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("no model folder")
    assert len(done.stderr.splitlines()) == 1
