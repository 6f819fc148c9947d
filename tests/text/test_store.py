"""The text on disk: the same characters at every position, whole or not at all."""

import json
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.errors import DamagedFileError, StorageError
from elman.text import TextStore
from elman.text.store import CHUNK_CHARACTERS


@pytest.fixture(scope="module")
def long_text():
    """Make a text of three chunks and a bit, of characters of one to four bytes."""
    chance = random.Random(0)
    piece = "".join(chance.choices("a \né中\U0001f600", k=50_000))
    return piece * 40 + "plain" * 300_000


@pytest.fixture(scope="module")
def long_store(long_text, tmp_path_factory):
    return TextStore.make(tmp_path_factory.mktemp("store") / "long", [long_text], "f" * 64, ["long.txt"])


def test_a_text_is_read_back_whole_in_chunks(long_store, long_text):
    chunks = list(long_store.read())
    assert "".join(chunks) == long_text
    assert max(map(len, chunks)) <= CHUNK_CHARACTERS
    assert long_store.characters == len(long_text) > 3 * CHUNK_CHARACTERS
    assert long_store.bytes == len(long_text.encode()) == (long_store.folder / "text").stat().st_size


@settings(deadline=None)
@given(st.data())
def test_any_slice_equals_the_slice_of_the_string_in_characters_and_bytes(long_store, long_text, data):
    edges = [chunk * CHUNK_CHARACTERS + near for chunk in range(4) for near in (-1, 0, 1)]
    places = st.integers(0, len(long_text)) | st.sampled_from([edge for edge in edges if edge >= 0])
    start, stop = sorted((data.draw(places), data.draw(places)))
    expected = long_text[start:stop]
    assert long_store.slice(start, stop) == expected
    assert long_store.bytes_between(start, stop) == len(expected.encode())


def test_reading_from_a_position_to_the_end_equals_the_rest_of_the_string(long_store, long_text):
    assert "".join(long_store.read(len(long_text) - 10)) == long_text[-10:]
    assert list(long_store.read(len(long_text))) == []


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 2), (0, 10**9)])
def test_positions_outside_the_text_are_a_mistake_of_the_caller(long_store, start, stop):
    with pytest.raises(ValueError, match=f"characters {start} to {stop} of a text of "):
        list(long_store.read(start, stop))
    with pytest.raises(ValueError, match=f"characters {start} to {stop} of a text of "):
        long_store.bytes_between(start, stop)


def test_the_files_do_not_depend_on_how_the_text_came(long_store, long_text, tmp_path):
    sizes = random.Random(1)
    chunks, position = [], 0
    while position < len(long_text):
        size = sizes.choice([0, 1, 7, 1000, 400_000, 2_500_000])
        chunks.append(long_text[position : position + size])
        position += size
    other = TextStore.make(tmp_path / "other", iter(chunks), "f" * 64, ["long.txt"])
    for name in ("text", "text.json"):
        assert (other.folder / name).read_bytes() == (long_store.folder / name).read_bytes()


def test_opening_gives_what_making_gave(long_store):
    assert TextStore.open(long_store.folder) == long_store


def test_the_format_on_disk_is_pinned(tmp_path):
    TextStore.make(tmp_path / "small", ["hello ", "中\n"], "0123abcd", ["a.txt", "pack.zip!b.txt"])
    assert sorted(path.name for path in (tmp_path / "small").iterdir()) == ["text", "text.json"]
    assert (tmp_path / "small" / "text").read_bytes() == b"hello \xe4\xb8\xad\n"
    assert (tmp_path / "small" / "text.json").read_text() == (
        '{"format": 1, "fingerprint": "0123abcd", "names": ["a.txt", "pack.zip!b.txt"], '
        '"characters": 8, "bytes": 10, "index": [[0, 0], [8, 10]]}'
    )


def test_an_empty_text_is_kept_too(tmp_path):
    store = TextStore.make(tmp_path / "empty", [], "0", [])
    assert (store.characters, store.bytes, list(store.read()), store.bytes_between(0, 0)) == (0, 0, [], 0)


@pytest.fixture
def small_store(tmp_path):
    return TextStore.make(tmp_path / "small", ["hello ohlol"], "0123", ["a.txt"])


def described(store, **changes):
    path = store.folder / "text.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


DAMAGES = {
    "no text": lambda store: (store.folder / "text").unlink(),
    "a shorter text": lambda store: (store.folder / "text").write_text("hello"),
    "a longer text": lambda store: (store.folder / "text").write_text("hello ohlol hello"),
    "no description": lambda store: (store.folder / "text.json").unlink(),
    "an empty description": lambda store: (store.folder / "text.json").write_text(""),
    "a list for a description": lambda store: (store.folder / "text.json").write_text("[]"),
    "bytes that are no text": lambda store: (store.folder / "text.json").write_bytes(b"\xff"),
    "a later format": lambda store: described(store, format=2),
    "an unknown entry": lambda store: described(store, colour="blue"),
    "an index that ends early": lambda store: described(store, index=[[0, 0], [5, 5]]),
    "an index that starts late": lambda store: described(store, index=[[1, 1], [11, 11]]),
    "an index without entries": lambda store: described(store, index=[]),
    "other characters": lambda store: described(store, characters=12),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_store_that_is_not_whole_is_not_opened_and_is_made_again(small_store, damage):
    DAMAGES[damage](small_store)
    assert TextStore.open(small_store.folder) is None
    again = TextStore.make(small_store.folder, ["hello ohlol"], "0123", ["a.txt"])
    assert again == small_store == TextStore.open(small_store.folder)


def test_a_folder_that_is_not_there_is_not_opened(tmp_path):
    assert TextStore.open(tmp_path / "nowhere") is None


def test_bytes_changed_after_opening_are_noticed(small_store):
    for other in (b"hello \xff\xff\xff\xff\xff", b"hell\xc3\xb6 ohlo"):
        (small_store.folder / "text").write_bytes(other)
        with pytest.raises(DamagedFileError) as raised:
            small_store.slice(0, 5)
        assert str(raised.value) == (
            f"{small_store.folder / 'text'} is not the text that was written there; expected it unchanged; "
            f"remove {small_store.folder} and run the command again"
        )


def test_where_another_made_the_same_text_meanwhile_that_one_is_used(tmp_path):
    def chunks():
        yield "hello"
        TextStore.make(tmp_path / "text", ["hello"], "0123", ["the first"])

    store = TextStore.make(tmp_path / "text", chunks(), "0123", ["the second"])
    assert store.names == ["the first"]
    assert [path.name for path in tmp_path.iterdir()] == ["text"]


def test_another_text_under_the_same_name_gives_way(small_store):
    store = TextStore.make(small_store.folder, ["another"], "4567", ["b.txt"])
    assert store.slice(0, 7) == "another"


def test_a_folder_with_files_of_someone_else_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary")
    with pytest.raises(StorageError, match="mine cannot be written: directory not empty; "):
        TextStore.make(tmp_path / "mine", ["hello"], "0123", [])
    assert [path.name for path in tmp_path.rglob("*")] == ["mine", "diary.txt"]


def test_nothing_is_left_behind_after_an_interruption(tmp_path):
    def chunks():
        yield "hello" * CHUNK_CHARACTERS
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TextStore.make(tmp_path / "text", chunks(), "0123", [])
    assert list(tmp_path.iterdir()) == []


FILL = """
import resource, signal, sys
from pathlib import Path
from elman.errors import StorageError
from elman.text import TextStore
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, resource.RLIM_INFINITY))
try:
    TextStore.make(Path("texts/text"), ("0123456789" * 50_000 for _ in range(20)), "0123", ["a.txt"])
except StorageError as error:
    print(error, end="")
"""


def test_a_disk_that_takes_no_more_is_a_storage_error_and_nothing_is_left_behind(tmp_path, run_script):
    assert run_script(FILL, tmp_path) == (
        "texts/text cannot be written: file too large; expected room for the text in UTF-8; free some, or "
        "set ELMAN_CACHE to a folder on another disk"
    )
    assert list((tmp_path / "texts").iterdir()) == []


def test_a_folder_that_may_not_be_written_is_a_storage_error(reachable_folder, without_rights):
    with pytest.raises(StorageError, match="text cannot be written: permission denied; "):
        TextStore.make(reachable_folder / "text", ["hello"], "0123", [])


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="open files are counted in /proc")
def test_an_abandoned_reading_closes_its_file(small_store):
    reading = small_store.read()
    next(reading)
    before = len(os.listdir("/proc/self/fd"))
    reading.close()
    assert len(os.listdir("/proc/self/fd")) == before - 1
