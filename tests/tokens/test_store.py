from pathlib import Path

import numpy as np
import pytest

from elman.text import open_text, split
from elman.tokens.store import Tokens, open_tokens

TEXT = "one fish two fish\nred fish blue fish\n" * 500 + "zebra!"


@pytest.mark.parametrize("kind", ["character", "byte", "word", "bpe"])
def test_stored_tokens_are_those_of_the_whole_parts(tmp_path: Path, kind: str) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    text = open_text([str(tmp_path / "text.txt")], tmp_path / "cache")
    parts = split(text.characters, "90/10")
    store = open_tokens(text, parts, kind, None, tmp_path / "cache")
    for part in parts:
        expected = store.tokenizer.encode(TEXT[part.start : part.stop])
        tokens = store.parts[part.name]
        assert tokens.read(0, len(tokens)).tolist() == expected.tolist()
    train = store.tokenizer.encode(TEXT[: parts[0].stop])
    assert store.counts.tolist() == np.bincount(train, minlength=store.tokenizer.size).tolist()


def test_the_tokenizer_knows_the_training_part_alone(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    text = open_text([str(tmp_path / "text.txt")], tmp_path / "cache")
    store = open_tokens(text, split(text.characters), "character", None, tmp_path / "cache")
    assert store.tokenizer.unknown_pieces("zebra!") == ["z", "a", "!"]


def test_the_second_time_nothing_is_encoded_and_a_torn_store_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    text = open_text([str(tmp_path / "text.txt")], tmp_path / "cache")
    done: list[int] = []

    def make() -> list[int]:
        store = open_tokens(text, split(text.characters), "byte", None, tmp_path / "cache", done.append)
        return store.parts["validation"].read(0, 10).tolist()

    first = make()
    assert sum(done) == text.characters  # a byte tokenizer learns nothing, so the text is read once
    done.clear()
    assert make() == first
    assert done == []
    ids = next((tmp_path / "cache" / "tokens").glob("*/train.ids"))
    ids.write_bytes(ids.read_bytes()[:-1])
    assert make() == first
    assert done != []


@pytest.mark.parametrize("held", [0, 10_000])
def test_rows_come_from_each_start(tmp_path: Path, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("elman.tokens.store.HELD_AT_MOST", held)
    np.arange(1000, dtype=np.uint16).tofile(tmp_path / "ids")
    tokens = Tokens(tmp_path / "ids", np.dtype(np.uint16))
    assert tokens.rows(np.array([5, 700]), 3).tolist() == [[5, 700], [6, 701], [7, 702]]
    assert len(tokens) == 1000


def test_a_part_without_tokens_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / "ids").write_bytes(b"")
    assert len(Tokens(tmp_path / "ids", np.dtype(np.uint8))) == 0
