"""A model that sees what it has to predict: refused, or trained, marked and not believed."""

import json
from pathlib import Path

import pytest

from elman import LanguageModel
from elman.errors import LeakError

from .test_bad_input import elman, refused

BOTH = ["--set", "model.bidirectional=true", "--set", "model.hidden_size=16", "--steps", "20"]


def test_a_leak_is_refused_in_one_line_with_the_number_before_anything_is_written(
    small_text: Path, tmp_path: Path
) -> None:
    line = refused(elman("train", str(small_text), "--out", "leaky", *BOTH, cwd=tmp_path))
    assert "this model sees what it has to predict: the prediction at step" in line
    assert "when a later token changed" in line
    assert "--allow-leak" in line
    assert not (tmp_path / "leaky").exists()


def test_an_allowed_leak_is_marked_and_its_score_is_called_no_quality(
    small_text: Path, tmp_path: Path
) -> None:
    train = ["train", str(small_text), "--out", "leaky", *BOTH, "--allow-leak", "--json"]
    done = elman(*train, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (verdict,) = json.loads(done.stdout)["validation"]["verdict"]
    assert verdict.startswith("leak: the prediction at step")
    assert verdict.endswith("its score is no quality")
    config = json.loads((tmp_path / "leaky" / "config.json").read_text())
    assert "moved by" in config["leak"]
    assert "sees what it has to predict" in (tmp_path / "leaky" / "README.md").read_text()
    line = refused(elman("generate", "leaky", "the", cwd=tmp_path))
    assert "--allow-leak" in line
    assert elman("generate", "leaky", "the", "-n", "5", "--allow-leak", cwd=tmp_path).returncode == 0
    assert "reads in one direction" in refused(elman("evaluate", "leaky", "--dynamic", cwd=tmp_path))
    with pytest.raises(LeakError):
        LanguageModel.load(tmp_path / "leaky").generate("the")
    resumed = elman("train", "--resume", "--out", "leaky", "--steps", "30", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
