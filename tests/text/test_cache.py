"""From what the user names to a text on disk: made once, found again, and in little memory."""

import io
import os
import shutil
from pathlib import Path

import pytest

from elman.errors import StorageError, TextError
from elman.text import cache_folder, find_sources, fingerprint, open_text, read_text


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.txt"
    path.write_bytes("a café, 中\r\n".encode() * 1000)
    return path


def test_the_store_holds_what_read_text_reads_under_the_fingerprint(book, tmp_path):
    store = open_text([str(book), "python-manual"], tmp_path / "cache")
    sources = find_sources([str(book), "python-manual"])
    assert store.slice(0, store.characters) == "".join(read_text(sources))
    assert store.fingerprint == fingerprint(sources)
    assert store.folder == tmp_path / "cache" / "texts" / store.fingerprint[:32]
    assert store.names == [str(book), "python-manual"]


def test_the_second_time_only_reads_the_bytes_once_and_writes_nothing(book, tmp_path):
    first, second = [], []
    made = open_text([str(book)], tmp_path / "cache", advance=first.append)
    written = (made.folder / "text").stat().st_mtime_ns
    found = open_text([str(book)], tmp_path / "cache", advance=second.append)
    assert found == made
    assert (found.folder / "text").stat().st_mtime_ns == written
    assert (sum(first), sum(second)) == (2 * book.stat().st_size, book.stat().st_size)


def test_a_file_at_rest_is_not_read_again_until_something_about_it_changes(book, tmp_path, monkeypatch):
    monkeypatch.setattr("elman.text.seen.SECONDS_AT_REST", 0.0)
    made, read = open_text([str(book)], tmp_path / "cache"), []

    def again(**options):
        read.clear()
        return open_text([str(book)], tmp_path / "cache", advance=read.append, **options)

    assert again() == made
    assert read == []
    assert again(encoding="latin-1") != made
    status = book.stat()
    content = book.read_bytes()
    book.write_bytes(b"b" + content[1:])
    os.utime(book, ns=(status.st_atime_ns, status.st_mtime_ns))  # the same size, the same time of change
    assert again().slice(0, 2) == "b "
    assert sum(read) == 2 * len(content)
    shutil.rmtree(made.folder.parent)
    assert again().slice(0, 2) == "b "


def test_a_file_just_written_and_a_pipe_are_always_read(book, tmp_path):
    open_text([str(book)], tmp_path / "cache")
    open_text(["-"], tmp_path / "cache", stdin=io.BytesIO(b"piped in"))
    assert not (tmp_path / "cache" / "seen").exists()


def test_a_changed_text_and_another_encoding_are_kept_apart(book, tmp_path):
    plain = open_text([str(book)], tmp_path / "cache")
    other = open_text([str(book)], tmp_path / "cache", encoding="latin-1")
    book.write_text("changed")
    changed = open_text([str(book)], tmp_path / "cache")
    assert len({plain.folder, other.folder, changed.folder}) == 3
    assert other.slice(2, 7) == "cafÃ©"
    assert changed.slice(0, 7) == "changed"


def test_a_damaged_store_is_made_again(book, tmp_path):
    store = open_text([str(book)], tmp_path / "cache")
    (store.folder / "text").write_text("short")
    again = open_text([str(book)], tmp_path / "cache")
    assert again.slice(0, 7) == "a café,"


def test_standard_input_leaves_no_copy_of_itself_but_the_store(tmp_path):
    store = open_text(["-"], tmp_path / "cache", stdin=io.BytesIO(b"piped in"))
    assert store.slice(0, 8) == "piped in"
    assert list((tmp_path / "cache" / "pipes").iterdir()) == []


def test_a_text_that_grows_between_the_two_readings_is_refused_and_not_kept(book, tmp_path):
    size = book.stat().st_size

    seen = []

    def grow_after_the_first_reading(count):
        seen.append(count)
        if sum(seen) == 2 * size:
            with book.open("ab") as file:
                file.write(b"more")

    with pytest.raises(TextError) as raised:
        open_text([str(book)], tmp_path / "cache", advance=grow_after_the_first_reading)
    assert str(raised.value) == (
        f"the text had {size} bytes when first read and {size + 4} when read again; expected {book} to stay "
        "as it is; wait until nothing writes to it"
    )
    assert list((tmp_path / "cache" / "texts").iterdir()) == []


def test_a_text_that_cannot_be_decoded_leaves_nothing_in_the_cache(tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"abc\xff")
    with pytest.raises(TextError, match="bad.txt holds byte 0xff at position 3: not valid utf-8"):
        open_text([str(tmp_path / "bad.txt")], tmp_path / "cache")
    assert list((tmp_path / "cache" / "texts").iterdir()) == []


def test_the_cache_folder_follows_the_variables_in_their_order(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/shared")
    monkeypatch.setenv("ELMAN_CACHE", "/own")
    assert cache_folder() == Path("/own")
    monkeypatch.setenv("ELMAN_CACHE", "")
    assert cache_folder() == Path("/shared/elman")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / ".cache" / "elman"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_a_text_of_200_million_bytes_is_opened_and_read_in_less_than_100_megabytes(tmp_path, run_script):
    line = "a line of some length, as a book has them\n"
    with (tmp_path / "long.txt").open("w") as file:
        for _ in range(200):
            file.write((line * 24_000)[:1_000_000])
    script = (
        "from pathlib import Path\n"
        "from elman.text import open_text\n"
        "store = open_text(['long.txt'], Path('cache'))\n"
        "count = sum(map(len, store.read()))\n"
        "status = dict(line.split(':') for line in Path('/proc/self/status').read_text().splitlines())\n"
        "print(count, status['VmHWM'].split()[0])\n"
    )
    characters, peak_kibibytes = map(int, run_script(script, tmp_path).split())
    assert characters == 200_000_000
    assert peak_kibibytes < 100_000


def test_importing_the_stage_imports_no_torch_and_no_zstandard(tmp_path, run_script):
    script = "import sys, elman.text; print({'torch', 'zstandard', 'numpy'} & set(sys.modules))"
    assert run_script(script, tmp_path) == "set()\n"


def test_a_user_without_a_home_is_told_which_variable_to_set(monkeypatch, tmp_path):
    for name in ("HOME", "ELMAN_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    if os.geteuid() != 0:
        pytest.skip("only root can become a user whom the system does not know")
    os.setresuid(54321, 0, 0)
    try:
        with pytest.raises(StorageError) as raised:
            cache_folder()
    finally:
        os.setresuid(0, 0, 0)
    assert str(raised.value) == (
        "this user has no home folder; expected one to keep texts in; set ELMAN_CACHE"
    )
