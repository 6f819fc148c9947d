"""`elman fill`: a model with two streams trained, scored, filled with; and what it refuses."""

import json
from pathlib import Path

import pytest

from elman import LanguageModel

from .test_bad_input import elman, refused

FILL = ["--recipe", "fill", "--set", "model.hidden_size=48", "--set", "model.embedding_size=16"]
FILL += ["--set", "train.window=24", "--precision", "fp32", "--seed", "1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fill")
    (made / "text.txt").write_text("".join(f"the number {n} is followed by {n + 1}.\n" for n in range(900)))
    return made


@pytest.fixture(autouse=True)
def _cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELMAN_CACHE", str(folder / "cache"))


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict:
    options = ["--steps", "200", "--prompt", "the num_er", "--json"]
    done = elman("train", "text.txt", *FILL, *options, cwd=folder, ELMAN_CACHE=str(folder / "cache"))
    assert done.returncode == 0, done.stderr
    assert "'the num_er' -> 'the number'" in done.stderr
    assert "elman fill models/text-fill" in done.stderr
    return json.loads(done.stdout)


def test_a_model_with_two_streams_is_scored_gap_by_gap_beside_neighbours(trained: dict, folder: Path) -> None:
    validation = trained["validation"]
    assert validation["leak"] is None
    assert 0.5 < validation["right"] <= 1
    assert any(name.startswith("neighbours") for name in validation["baselines"])
    assert "both its sides in sight" in validation["verdict"][0]
    assert "copied" not in validation
    again = LanguageModel.load(folder / "models" / "text-fill").evaluate()
    assert again["nats_per_token"] == pytest.approx(validation["nats_per_token"], rel=1e-6)
    card = (folder / "models" / "text-fill" / "README.md").read_text()
    assert "elman fill MODEL_FOLDER" in card
    assert "each token as a gap between the others" in card


def test_a_gap_is_filled_and_scored(trained: dict, folder: Path) -> None:
    done = elman("fill", "models/text-fill", "the numb_r 7 is f_llowed", cwd=folder)
    assert done.stdout == "the number 7 is followed\n"
    assert "bits" in done.stderr
    done = elman("fill", "models/text-fill", "the numb#r 7", "--gap", "#", "--json", cwd=folder)
    result = json.loads(done.stdout)
    assert result["text"] == "the number 7"
    (gap,) = result["gaps"]
    assert gap["position"] == 8
    assert max(gap["alternatives"], key=gap["alternatives"].get) == gap["piece"] == "e"
    assert result["bits"] < 1


def test_a_wrong_character_surprises_a_model_that_sees_both_sides(trained: dict, folder: Path) -> None:
    scored = LanguageModel.load(folder / "models" / "text-fill").score("the nunber 7 is followed by 8.")
    worst = max(range(len(scored)), key=lambda place: scored[place].nats)
    assert worst in (5, 6, 7)
    assert scored[6].piece == "n"


def test_a_run_with_two_streams_goes_on_where_it_stopped(trained: dict, folder: Path) -> None:
    done = elman("train", "--resume", "--out", "models/text-fill", "--steps", "220", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 220


def test_who_fills_gaps_does_not_write_on_and_the_other_way_round(trained: dict, folder: Path) -> None:
    line = refused(elman("generate", "models/text-fill", "the", cwd=folder))
    assert "fills gaps" in line
    assert "elman fill" in line
    small = ["--steps", "2", "--set", "model.hidden_size=8", "--out", "plain"]
    assert elman("train", "text.txt", *small, cwd=folder).returncode == 0
    line = refused(elman("fill", "plain", "the num_er", cwd=folder))
    assert "--recipe fill" in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tokenizer", "byte"], "gaps of a whole character or word, found tokenizer byte"),
        (["--set", "train.sampling=adjacent"], "needs train.sampling random, found adjacent"),
        (["--set", "model.bidirectional=true"], "found bidirectional too"),
        (["--set", "model.output=hidden"], "output linear, found hidden"),
        (["--prompt", "no gap here"], "expected a gap in it"),
    ],
)
def test_what_two_streams_cannot_be_is_refused_before_a_folder_is_made(
    folder: Path, options: list[str], said: str
) -> None:
    line = refused(elman("train", "text.txt", *FILL, "--steps", "2", "--out", "new", *options, cwd=folder))
    assert said in line
    assert not (folder / "new").exists()


def test_words_are_filled_too(folder: Path) -> None:
    options = ["--tokenizer", "word", "--steps", "60", "--out", "words"]
    done = elman("train", "text.txt", *FILL, *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    done = elman("fill", "words", "the number 7 is _ by", cwd=folder)
    assert done.stdout == "the number 7 is followed by\n"
