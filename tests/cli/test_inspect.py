"""`elman inspect`: one file, the figures of `elman score`, and one line where it cannot be."""

import json
import math
from pathlib import Path

import pytest

from elman import LanguageModel

from .test_bad_input import TINY, elman, refused

TEXT = 'He said "the cat sat", and the dog (it ran) <b>sat</b>.\nIt was late & dark.\n\n'


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny models of one text, by tokenizer and kind, and texts to look at."""
    folder = tmp_path_factory.mktemp("inspect")
    (folder / "learned.txt").write_text(TEXT * 40 + "\u00e9\u5929" * 20)
    (folder / "read.txt").write_text(TEXT * 4 + "\u00e9\u5929 \u03a9 unheard-of words\n")
    (folder / "empty.txt").write_text("")
    kinds = {name: ["--tokenizer", name] for name in ("character", "byte", "word", "bpe")}
    kinds["leaky"] = ["--set", "model.bidirectional=true", "--allow-leak"]
    for name, options in kinds.items():
        done = elman("train", "learned.txt", "--out", name, *TINY, *options, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("tokenizer", ["character", "byte", "word", "bpe"])
def test_its_bits_are_those_of_score_whatever_the_tokenizer(world: Path, tokenizer: str) -> None:
    done = elman("inspect", tokenizer, "read.txt", "-o", "a.html", "--json", cwd=world)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["the report is in a.html"]
    seen = json.loads(done.stdout)
    text = (world / "read.txt").read_text()
    scored = [token.nats / math.log(2) for token in LanguageModel.load(world / tokenizer).score(text)]
    assert seen["bits"] == pytest.approx(sum(scored), rel=1e-5)
    assert seen["bits_per_character"] == pytest.approx(sum(scored) / len(text), rel=1e-5)
    assert "".join(piece["text"] for piece in seen["pieces"]) == text
    assert seen["characters"] == len(text)
    assert sum(piece["bits"] for piece in seen["pieces"]) == pytest.approx(sum(scored), rel=1e-3)
    if tokenizer in ("character", "word"):  # whose tokens are whole characters
        assert [piece["bits"] for piece in seen["pieces"]] == pytest.approx(scored, abs=1e-3)


def test_the_report_names_the_model_its_score_and_its_verdict(world: Path) -> None:
    done = elman("inspect", "character", "the cat sat", "-o", "b.html", cwd=world)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    page = (world / "b.html").read_text()
    rows = [json.loads(line) for line in (world / "character" / "metrics.jsonl").read_text().splitlines()]
    validation = rows[-1]["validation"]
    assert f"{validation['bits_per_character']:.3f} bits per character" in page
    assert validation["verdict"][0] in page
    assert page.count("<figcaption>seed") == 3


def test_a_leaky_model_is_marked_and_writes_nothing(world: Path) -> None:
    done = elman("inspect", "leaky", "read.txt", "-o", "leaky.html", "--json", cwd=world)
    seen, page = json.loads(done.stdout), (world / "leaky.html").read_text()
    assert "This model sees what it has to predict." in page
    assert "so there is no one way back" in page
    assert "has learned with its future in sight" in page
    assert seen["samples"] == []
    assert seen["gradient"] is None
    assert {gate["layer"] for gate in seen["gates"]} == {"layer 1 forward", "layer 1 backward"}


def test_a_long_text_is_cut_and_the_report_says_so(world: Path) -> None:
    done = elman(
        "inspect", "byte", "\u5929\u5929\u5929", "-o", "c.html", "--tokens", "7", "--json", cwd=world
    )
    seen = json.loads(done.stdout)
    assert (seen["tokens"], seen["characters"], seen["cut"]) == (6, 2, True)
    assert "The text goes on" in (world / "c.html").read_text()
    done = elman("inspect", "byte", "\u5929\u5929", "-o", "c.html", "--json", cwd=world)
    assert json.loads(done.stdout)["cut"] is False
    assert "The text goes on" not in (world / "c.html").read_text()


def test_a_text_of_one_character_has_a_report(world: Path) -> None:
    done = elman("inspect", "character", "t", "-o", "d.html", cwd=world)
    assert done.returncode == 0, done.stderr
    assert (world / "d.html").read_text().count("too short") == 2


REQUESTS = [
    (["character", ""], ["the text is empty, expected at least one character to inspect"]),
    (["character", "empty.txt"], ["no characters in empty.txt"]),
    (["nowhere", "x"], ["no model folder nowhere"]),
    (["character", "x", "-o", "byte"], ["byte is a folder, expected the name of a file"]),
    (["character", "x", "-o", "read.txt/report.html"], ["cannot write read.txt/report.html"]),
    (["character", "x", "--tokens", "1"], ["tokens is 1, expected 4 or more"]),
]


@pytest.mark.parametrize(("arguments", "said"), REQUESTS)
def test_what_cannot_be_inspected_is_refused(world: Path, arguments: list[str], said: list[str]) -> None:
    before = sorted(path.name for path in world.iterdir())
    line = refused(elman("inspect", *arguments, cwd=world))
    assert [word for word in said if word not in line] == [], line
    assert sorted(path.name for path in world.iterdir()) == before
