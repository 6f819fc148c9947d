"""On real texts, in seconds: what the minutes of the benchmark show at length."""

import json
from pathlib import Path

import pytest

from elman import LanguageModel

pytestmark = pytest.mark.slow


def test_the_split_of_tinyshakespeare_is_the_one_that_others_use(
    tinyshakespeare: Path, tmp_path: Path
) -> None:
    model = LanguageModel.train(
        tinyshakespeare, out=tmp_path / "model", steps=300, settings={"model.hidden_size": 128}
    )
    assert model.result is not None
    validation = model.result["validation"]
    assert validation["characters"] == 111_540
    assert validation["baselines"]["kneser-ney 6-gram"] < 1.5385 / 0.6931
    assert validation["bits_per_byte"] < validation["baselines"]["unigram"] - 1.5


def test_chinese_samples_are_valid_characters_only(quatrains: Path, tmp_path: Path) -> None:
    model = LanguageModel.train(
        quatrains, out=tmp_path / "model", steps=60, settings={"model.hidden_size": 64}
    )
    learned = set(quatrains.read_text()[: 418_600 * 9 // 10])
    with pytest.warns(UserWarning, match="'\u03a9'"):
        written = model.generate("\u5929\u03a9", length=400, seed=2)
    assert len(written) == 400
    assert set(written) <= learned


def test_words_pairs_and_characters_compare_by_bits_per_byte(wikitext: Path, tmp_path: Path) -> None:
    small = {"model.hidden_size": 64, "model.embedding_size": 32}
    sizes = {}
    for tokenizer in ("character", "word", "bpe"):
        settings = {**small, "tokenizer": tokenizer}
        model = LanguageModel.train(wikitext, out=tmp_path / tokenizer, steps=80, settings=settings)
        assert model.result is not None
        validation = model.result["validation"]
        sizes[tokenizer] = (
            validation["characters"],
            validation["bytes"],
            json.dumps(validation["baselines"]),
        )
    assert len(set(sizes.values())) == 1  # the same text and the same rivals, whatever the tokens
