"""`elman compare`: the table, the samples and the picture of several runs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from elman import LanguageModel

from .test_bad_input import elman, refused

SMALL = ["--steps", "40", "--set", "model.hidden_size=16", "--set", "train.batch_size=4"]
KEYS = {
    *("model", "tokenizer", "text", "split", "bits_per_byte", "bits_per_character", "nats_per_token"),
    *("perplexity", "parameters", "seconds", "tokens_per_second", "baselines"),
}
LEAK = "sees what it has to predict"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Chinese text, models of it by characters and by words, one that leaks, one that is not finished."""
    folder = tmp_path_factory.mktemp("compare")
    lines = "\u767d\u65e5\u4f9d\u5c71\u76e1\n\u9ec3\u6cb3\u5165\u6d77\u6d41\n"
    (folder / "text.txt").write_text(lines * 90, encoding="utf-8")
    train = ["train", "text.txt", *SMALL]
    both = ["--set", "model.bidirectional=true", "--allow-leak"]
    for options in (
        ["--out", "runs/gru", "--set", "model.cell=gru"],
        ["--out", "runs/word", "--tokenizer", "word"],
        ["--out", "runs/leaky", *both],
    ):
        done = elman(*train, *options, cwd=folder, ELMAN_CACHE=str(folder / "cache"))
        assert done.returncode == 0, done.stderr
    shutil.copytree(folder / "runs" / "gru", folder / "runs" / "cut")
    metrics = folder / "runs" / "cut" / "metrics.jsonl"
    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:-1]))
    return folder


@pytest.fixture(autouse=True)
def _cache(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELMAN_CACHE", str(world / "cache"))
    monkeypatch.setenv("MPLCONFIGDIR", str(world / "matplotlib"))  # its list of fonts takes a while to make


def words(path: Path) -> list[str]:
    root = ElementTree.parse(path).getroot()
    return [
        (text.text or "").replace("\u00a0", " ") for text in root.iter("{http://www.w3.org/2000/svg}text")
    ]


def test_samples_are_those_of_generate_in_the_table_the_json_and_the_picture(
    world: Path, tmp_path: Path
) -> None:
    compare = ["compare", "runs/gru", "runs/word"]
    sample = LanguageModel.load(world / "runs" / "gru").generate(length=120, seed=0)
    rows = json.loads(elman(*compare, "--samples", "--json", cwd=world).stdout)
    assert all(set(row) == {*KEYS, "leak", "sample"} for row in rows)
    assert {row["model"]: row["sample"] for row in rows}["runs/gru"] == sample
    said = elman(*compare, "--plot", str(tmp_path / "a.svg"), cwd=world)
    assert "warning" not in said.stderr
    assert f"\nruns/gru\n{sample.strip(chr(10))}\n" in said.stdout
    drawn = "".join(words(tmp_path / "a.svg"))
    assert sample.split()[0] in drawn
    assert "gru" in words(tmp_path / "a.svg")
    again = elman(*compare, "--plot", str(tmp_path / "b.svg"), cwd=world)
    assert again.stdout == said.stdout
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_the_picture_can_be_png_and_shows_chinese_without_a_warning(world: Path, tmp_path: Path) -> None:
    done = elman("compare", "runs/gru", "--plot", str(tmp_path / "new" / "a.png"), cwd=world)
    assert done.returncode == 0
    assert "warning" not in done.stderr.lower()
    assert (tmp_path / "new" / "a.png").read_bytes().startswith(b"\x89PNG")


def test_without_plot_and_samples_neither_torch_nor_matplotlib_is_needed(world: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['matplotlib'] = None\n"
        "sys.argv = ['elman', 'compare', 'runs/gru', 'runs/word', '--json']\n"
        "from elman.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=world
    )
    assert done.returncode == 0, done.stderr
    assert all(set(row) == {*KEYS, "leak"} for row in json.loads(done.stdout))


@pytest.mark.parametrize(
    ("hidden", "options", "said"),
    [("torch", ["--samples"], "samples needs torch"), ("matplotlib", ["--plot", "a.svg"], "plots needs")],
)
def test_what_is_asked_for_and_not_installed_is_named(
    world: Path, tmp_path: Path, hidden: str, options: list[str], said: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        f"u.find_spec = lambda name, package=None: None if name == {hidden!r} else find(name, package)\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    assert said in refused(elman("compare", "runs/gru", *options, cwd=world, PYTHONPATH=path))


@pytest.mark.parametrize("name", ["a.pdf", "a", "svg"])
def test_a_plot_that_is_neither_svg_nor_png_is_refused_before_anything_is_done(
    world: Path, tmp_path: Path, name: str
) -> None:
    line = refused(elman("compare", "runs/gru", "nowhere", "--plot", str(tmp_path / name), cwd=world))
    assert "expected .svg or .png" in line
    assert list(tmp_path.iterdir()) == []


def test_a_refused_comparison_leaves_the_picture_of_the_last_one(world: Path, tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("the last one")
    line = refused(elman("compare", "runs/gru", "nowhere", "--plot", str(tmp_path / "a.svg"), cwd=world))
    assert "no model folder nowhere" in line
    assert (tmp_path / "a.svg").read_text() == "the last one"


def test_an_unfinished_run_has_a_curve_and_a_sample_and_no_row(world: Path, tmp_path: Path) -> None:
    done = elman("compare", "runs/cut", "runs/word", "--plot", str(tmp_path / "a.svg"), cwd=world)
    (warning,) = [line for line in done.stderr.splitlines() if line.startswith("warning")]
    assert warning.startswith("warning: runs/cut has no result yet; finish it")
    assert "runs/cut  " not in done.stdout
    assert "\nruns/cut\n" in done.stdout
    assert "cut (not finished)" in words(tmp_path / "a.svg")
    alone = elman("compare", "runs/cut", "--plot", str(tmp_path / "b.svg"), "--json", cwd=world)
    assert json.loads(alone.stdout) == []
    assert "Score of the result" not in words(tmp_path / "b.svg")
    metrics = (world / "runs" / "cut" / "metrics.jsonl").read_text()
    try:
        (world / "runs" / "cut" / "metrics.jsonl").unlink()
        nothing = elman("compare", "runs/cut", "--plot", str(tmp_path / "c.svg"), cwd=world)
        assert nothing.returncode == 2
        assert "has a validation or a result" in nothing.stderr.splitlines()[-1]
        assert not (tmp_path / "c.svg").exists()
    finally:
        (world / "runs" / "cut" / "metrics.jsonl").write_text(metrics)


def test_a_leak_stands_last_and_is_marked_as_no_quality(world: Path, tmp_path: Path) -> None:
    compare = ["compare", "runs/leaky", "runs/gru", "runs/word", "--plot", str(tmp_path / "a.svg")]
    done = elman(*compare, cwd=world)
    table = done.stdout.splitlines()
    (row,) = [line for line in table if line.startswith("runs/leaky  ")]
    assert row.count("*") == 4  # its scores, and not its sizes
    assert table.index(row) == 4  # after two lines of headings and the two other models
    assert [line for line in table if line.startswith(f"* {LEAK}: no quality")]
    assert f"\nruns/leaky\n({LEAK})\n" in done.stdout
    last = json.loads(elman(*compare, "--json", cwd=world).stdout)[-1]
    assert (last["model"], last["sample"], last["no_sample"]) == ("runs/leaky", None, LEAK)
    assert "moved by" in last["leak"]
    assert f"leaky ({LEAK})" in words(tmp_path / "a.svg")


def test_a_model_that_cannot_write_says_why_in_place_of_its_sample(world: Path, tmp_path: Path) -> None:
    shutil.copytree(world / "runs" / "gru", tmp_path / "bare")
    (tmp_path / "bare" / "model.safetensors").unlink()
    (tmp_path / "bare" / "model.onnx").unlink()
    bare = str(tmp_path / "bare")
    rows = json.loads(elman("compare", bare, "runs/word", "--samples", "--json", cwd=world).stdout)
    bare_row, word_row = sorted(rows, key=lambda row: row["tokenizer"])
    assert bare_row["sample"] is None
    assert bare_row["no_sample"] == "has no model.onnx"
    assert isinstance(word_row["sample"], str)


def test_baselines_stand_in_the_table_where_they_are_those_of_all_models(world: Path, tmp_path: Path) -> None:
    assert "kneser-ney" in elman("compare", "runs/gru", "runs/word", cwd=world).stdout
    (tmp_path / "other.txt").write_text("".join(f"{n} and {n * 7}\n" for n in range(400)))
    done = elman("train", str(tmp_path / "other.txt"), *SMALL, "--out", str(tmp_path / "other"), cwd=world)
    assert done.returncode == 0, done.stderr
    done = elman("compare", "runs/gru", str(tmp_path / "other"), cwd=world)
    assert "learned with different texts" in done.stderr
    assert "kneser-ney" not in done.stdout


def test_a_prompt_that_all_runs_were_given_begins_the_samples(world: Path, tmp_path: Path) -> None:
    for name, prompt in (("a", "\u767d\u65e5"), ("b", "\u9ec3")):
        asked = ["--prompt", prompt, "--prompt", "\u5c71", "--out", str(tmp_path / name)]
        done = elman("train", "text.txt", *SMALL, *asked, cwd=world)
        assert done.returncode == 0, done.stderr
    done = elman("compare", "a", "b", "--samples", "--json", cwd=tmp_path)
    rows = {row["model"]: row["sample"] for row in json.loads(done.stdout)}
    for name in ("a", "b"):
        model = LanguageModel.load(tmp_path / name)
        assert rows[name] == "\u5c71" + model.generate("\u5c71", length=120, seed=0)
