"""Where a run may begin and go on, in the same process: folders of others, larger budgets, damaged files."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from elman import LanguageModel
from elman.errors import ElmanError, FolderError, SettingsError, TextError
from elman.runs.run import Run
from elman.storage import ModelFolder

SMALL = {
    "model.hidden_size": 16,
    "train.batch_size": 4,
    "train.window": 16,
    "train.precision": "fp32",
    "model.dropout": 0.2,
}
Train = Callable[..., LanguageModel]


@pytest.fixture
def train(small_text: Path, tmp_path: Path) -> Train:
    def train(name: str = "model", **options: Any) -> LanguageModel:
        settings = {**SMALL, **options.pop("settings", {})}
        return LanguageModel.train(
            small_text, out=tmp_path / name, settings=settings, **{"steps": 60, **options}
        )

    return train


def validations(folder: Path, what: str = "step") -> list[Any]:
    return [row[what] for row in ModelFolder(folder).metrics.read() if row["event"] == "validation"]


def test_a_larger_budget_is_validated_all_along_and_equals_the_budget_asked_at_once(
    train: Train, tmp_path: Path
) -> None:
    """Only with a constant rate: a cosine of another length is another run."""
    constant = {"train.schedule": "constant", "train.warmup_steps": 2}
    train("short", settings=constant)
    LanguageModel.train(out=tmp_path / "short", resume=True, steps=120)
    train("long", steps=120, settings=constant)
    assert validations(tmp_path / "short") == [*range(5, 61, 5), *range(70, 121, 10)]
    assert validations(tmp_path / "long") == list(range(10, 121, 10))
    weights = ModelFolder(tmp_path / "short").resume.read()
    expected = ModelFolder(tmp_path / "long").resume.read()
    for name, array in expected.tensors.items():
        if name.startswith("weights."):
            assert (weights.tensors[name] == array).all()


def test_the_best_weights_stay_the_best_however_often_the_run_goes_on(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once they are those of the state itself, and then others, which it holds as well."""
    out = tmp_path / "model"
    train(steps=20, settings={"train.evaluate_every": 20, "train.schedule": "constant"})
    best = ModelFolder(out).read_weights()
    monkeypatch.setattr(Run, "score_part", lambda *_: 9.0)
    for steps in (40, 60):
        LanguageModel.train(out=out, resume=True, steps=steps)
        kept = ModelFolder(out).read_weights()
        assert all((kept[name] == array).all() for name, array in best.items())
    assert validations(out, "best") == [True, False, False]


def test_validations_that_cost_much_are_fewer_where_the_clock_is_the_budget(
    train: Train, tmp_path: Path
) -> None:
    """Twelve of them, with 1,800 tokens of samples each, would take a large part of these six seconds."""
    train(steps=None, minutes=0.1, settings={"train.prompts": tuple("th" * n for n in range(1, 16))})
    steps = validations(tmp_path / "model")
    assert 2 <= len(steps) <= 8
    rows = [json.loads(line) for line in (tmp_path / "model" / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["steps"] == steps[-1]


def test_a_run_that_ran_out_of_patience_stays_where_it_stopped(train: Train, tmp_path: Path) -> None:
    wild = {"train.patience": 2, "train.evaluate_every": 5, "train.learning_rate": 1.0, "train.clip": None}
    train(steps=400, settings=wild)
    before = (tmp_path / "model" / "model.safetensors").read_bytes()
    stopped = validations(tmp_path / "model")
    assert stopped[-1] < 400
    LanguageModel.train(out=tmp_path / "model", resume=True)
    assert validations(tmp_path / "model") == stopped
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("name", ["README.md", "metrics.jsonl", "tokenizer.json", "tensorboard"])
def test_a_folder_with_a_file_that_a_run_would_overwrite_is_refused(
    train: Train, tmp_path: Path, name: str
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("my own")
    with pytest.raises(FolderError, match=f"mine holds {name}, which a run would overwrite"):
        train("mine")
    assert (tmp_path / "mine" / name).read_text() == "my own"
    assert [path.name for path in (tmp_path / "mine").iterdir()] == [name]


def test_two_runs_never_share_a_folder(train: Train, tmp_path: Path) -> None:
    train()
    other = ModelFolder(tmp_path / "model")
    other.claim()
    with pytest.raises(FolderError, match="another run is writing to"):
        LanguageModel.train(out=tmp_path / "model", resume=True, steps=70)
    other.release()
    assert LanguageModel.train(out=tmp_path / "model", resume=True, steps=70).result["steps"] == 70


def test_a_model_without_its_saved_states_is_not_trained_over(train: Train, tmp_path: Path) -> None:
    model = train()
    model.save(tmp_path / "copy")
    before = (tmp_path / "copy" / "model.safetensors").read_bytes()
    with pytest.raises(FolderError, match="no saved state to go on from"):
        LanguageModel.train(out=tmp_path / "copy", resume=True)
    assert (tmp_path / "copy" / "model.safetensors").read_bytes() == before
    (tmp_path / "copy" / "model.safetensors").unlink()
    (tmp_path / "copy" / "tokenizer.json").unlink()  # as a run killed in its first moment leaves it
    again = LanguageModel.train(out=tmp_path / "copy", resume=True)
    assert (tmp_path / "copy" / "model.safetensors").read_bytes() == before
    assert again.result["validation"] == model.result["validation"]


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors", "metrics.jsonl"])
def test_a_damaged_file_is_named_and_written_anew_when_the_run_goes_on(
    train: Train, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    train()
    path = tmp_path / "model" / name
    whole = path.read_bytes()
    path.write_bytes(whole[:20] + b"\xfe" + whole[21:])
    if name != "metrics.jsonl":
        with pytest.raises(FolderError, match=f"{name} is damaged.*--resume --out"):
            LanguageModel.load(tmp_path / "model", engine="torch")
    LanguageModel.train(out=tmp_path / "model", resume=True)
    assert f"{path} is damaged" in capsys.readouterr().err
    if name != "metrics.jsonl":
        assert path.read_bytes() == whole


def test_weights_of_another_model_are_refused(train: Train, tmp_path: Path) -> None:
    train()
    train("wider", settings={"model.hidden_size": 20})
    shutil.copy(tmp_path / "wider" / "model.safetensors", tmp_path / "model" / "model.safetensors")
    with pytest.raises(FolderError, match="model.safetensors does not fit"):
        LanguageModel.load(tmp_path / "model")


def test_a_copy_is_refused_where_a_file_is_gone_and_where_the_target_is_taken(
    train: Train, tmp_path: Path
) -> None:
    model = train()
    with pytest.raises(FolderError, match="is taken, expected a name that is free"):
        model.save(tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").unlink()
    with pytest.raises(FolderError, match="has no tokenizer.json"):
        model.save(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_what_cannot_go_on_is_refused(train: Train, tmp_path: Path) -> None:
    train()
    with pytest.raises(SettingsError, match="goes on with the recipe of the run"):
        LanguageModel.train(out=tmp_path / "model", resume=True, recipe="default")
    with pytest.raises(SettingsError, match="model cannot change"):
        LanguageModel.train(out=tmp_path / "model", resume=True, settings={"model": 3})
    with pytest.raises(FolderError, match="needs the folder"):
        LanguageModel.train(resume=True)


def test_texts_are_found_again_from_another_folder_and_standard_input_is_asked_for(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_text: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    LanguageModel.train("smal*.txt", out="model", settings=SMALL, steps=20)
    monkeypatch.setenv("ELMAN_CACHE", str(tmp_path / "another-cache"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert LanguageModel.train(out="../model", resume=True, steps=30).result["steps"] == 30
    states = ModelFolder(tmp_path / "model").resume
    newest = states.read()
    newest.values["config"]["text"]["sources"] = ["-"]
    states.write(30, newest.tensors, newest.values)
    monkeypatch.setenv("ELMAN_CACHE", str(tmp_path / "third-cache"))
    with pytest.raises(TextError, match="standard input, and the cache has that text no longer"):
        LanguageModel.train(out="../model", resume=True, steps=40)
    assert LanguageModel.train(small_text, out="../model", resume=True, steps=40).result["steps"] == 40


def test_without_a_name_each_run_gets_a_folder_of_its_own(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_text: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [
        str(LanguageModel.train(text, settings=SMALL, steps=2).folder.path)
        for text in (small_text, str(small_text), f"{tmp_path}/*.txt")
    ]
    assert names == ["models/small", "models/small-2", f"models/{tmp_path.name}"]


def test_nothing_is_written_where_a_run_cannot_begin(train: Train, tmp_path: Path) -> None:
    for options in ({"settings": {"train.device": "mps"}}, {"settings": {"train.window": 10**6}}):
        with pytest.raises(ElmanError):
            train("never", **options)
    assert not (tmp_path / "never").exists()
