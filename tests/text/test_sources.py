"""What the user names, and which sources it becomes."""

import io
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from elman.errors import StorageError, TextError
from elman.text import find_sources

EXPECTED = "expected a file, a folder, a glob, - for standard input, or python-manual"


def contents(sources):
    found = []
    for source in sources:
        with source.open() as stream:
            found.append(stream.read())
    return found


def names(sources):
    return [source.name for source in sources]


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Make a folder with text at two depths, hidden files and pictures, and stand in its parent."""
    for name in ("b.txt", "a.md", "deep/er/c.PY", ".hidden.txt", ".git/d.txt", "deep/picture.png", "README"):
        path = tmp_path / "library" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.chdir(tmp_path)
    return Path("library")


def test_a_named_file_is_taken_whatever_its_name(library):
    sources = find_sources(["library/README", "library/.hidden.txt"])
    assert names(sources) == ["library/README", "library/.hidden.txt"]
    assert contents(sources) == [b"README", b".hidden.txt"]


def test_a_folder_gives_its_text_files_at_every_depth_sorted_without_hidden_ones(library):
    sources = find_sources(["library"])
    assert names(sources) == ["library/a.md", "library/b.txt", "library/deep/er/c.PY"]
    assert contents(sources) == [b"a.md", b"b.txt", b"deep/er/c.PY"]


def test_a_glob_gives_the_files_that_match_sorted(library):
    assert names(find_sources(["library/*.*"])) == ["library/a.md", "library/b.txt"]
    assert names(find_sources(["library/**/*.P*"])) == ["library/deep/er/c.PY"]
    assert names(find_sources(["library/**"])) == [
        "library/README",
        "library/a.md",
        "library/b.txt",
        "library/deep/er/c.PY",
        "library/deep/picture.png",
    ]


def test_a_file_whose_name_is_a_glob_is_taken_as_it_stands(tmp_path):
    (tmp_path / "a.txt").write_text("matched")
    (tmp_path / "[a].txt").write_text("itself")
    assert contents(find_sources([str(tmp_path / "[a].txt")])) == [b"itself"]


def test_sources_come_in_the_order_given_and_again_where_given_again(library):
    assert names(find_sources(["library/b.txt", "library/a.md", "library/b.txt"])) == [
        "library/b.txt",
        "library/a.md",
        "library/b.txt",
    ]


def test_the_named_corpus_is_the_python_manual_in_the_order_of_its_topics():
    (source,) = find_sources(["python-manual"])
    (text,) = (raw.decode() for raw in contents([source]))
    assert source.name == "python-manual"
    assert len(text) == sum(len(topic) for topic in topics.values()) > 100_000
    position = 0
    for _, topic in sorted(topics.items()):
        assert text.startswith(topic, position)
        position += len(topic)


def test_a_path_that_exists_wins_over_a_corpus(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("python-manual").write_text("my own")
    assert contents(find_sources(["python-manual"])) == [b"my own"]


def test_the_given_standard_input_can_be_opened_again_and_its_copy_goes_with_the_source(tmp_path):
    spool = tmp_path / "new" / "spool"
    sources = find_sources(["-", "-"], stdin=io.BytesIO(b"piped"), spool=spool)
    assert names(sources) == ["-", "-"]
    assert contents(sources) + contents(sources) == [b"piped"] * 4
    assert len(list(spool.iterdir())) == 1
    del sources
    assert list(spool.iterdir()) == []


def run(script, folder, **options):
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **options,
    )


READ_STANDARD_INPUT = """
from pathlib import Path
from elman.errors import TextError
from elman.text import find_sources, read_text
try:
    sources = find_sources(["-"], spool=Path("spool"))
    print("".join(read_text(sources)) + "".join(read_text(sources)), end="")
except TextError as error:
    print(error, end="")
"""


def test_the_process_own_standard_input_is_read_through_a_pipe_and_its_copy_goes_at_the_end(tmp_path):
    assert run(READ_STANDARD_INPUT, tmp_path, input="one line\n").stdout == "one line\n" * 2
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_closed_standard_input_is_refused(tmp_path):
    shell = f"exec {sys.executable} script.py <&-"
    (tmp_path / "script.py").write_text(READ_STANDARD_INPUT)
    done = subprocess.run(
        ["sh", "-c", shell],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == (
        "- cannot be read: the standard input is closed; expected text from a pipe; name a file instead"
    )
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_named_pipe_is_read_once_and_can_be_opened_again(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"through the pipe",))
    writer.start()
    sources = find_sources([str(pipe)], spool=tmp_path / "spool")
    writer.join()
    assert names(sources) == [str(pipe)]
    assert contents(sources) + contents(sources) == [b"through the pipe"] * 2


def test_a_pipe_that_cannot_be_kept_is_a_storage_error(tmp_path):
    (tmp_path / "spool").write_text("not a folder")
    with pytest.raises(StorageError) as raised:
        find_sources(["-"], stdin=io.BytesIO(b"piped"), spool=tmp_path / "spool")
    assert str(raised.value) == (
        f"- cannot be kept in {tmp_path / 'spool'}: file exists; expected room for the whole text; "
        "free some, or set ELMAN_CACHE to a folder on a larger disk"
    )


def refusal(text):
    with pytest.raises(TextError) as raised:
        find_sources([text])
    return str(raised.value)


def test_a_missing_file_is_named_with_its_nearest_neighbours(library):
    assert refusal("library/c.txt") == (
        f"no file or folder 'library/c.txt'; {EXPECTED}; did you mean library/b.txt?"
    )
    assert refusal("python-manul").endswith("; did you mean python-manual?")


@pytest.mark.parametrize("text", ["nowhere/at/all.txt", "", "zero\0character", "library/b.txt/below"])
def test_a_missing_file_without_neighbours_says_what_can_be_named(library, text):
    assert refusal(text) == f"no file or folder {text!r}; {EXPECTED}"


def test_a_folder_without_text_says_which_suffixes_count(library):
    Path("pictures").mkdir()
    Path("pictures/a.png").write_bytes(b"png")
    assert refusal("pictures") == (
        "pictures is a folder without text; expected files with a suffix such as .txt, .md or .txt.gz in "
        "it; name other files outright, for example with the glob 'pictures/*'"
    )


@pytest.mark.parametrize("pattern", ["library/*.epub", "library/d*p", "zero*\0character"])
def test_a_glob_that_matches_no_file_is_refused(library, pattern):
    assert refusal(pattern) == (
        f"no file matches {pattern!r}; {EXPECTED}; quote a glob with ** so that the shell leaves it"
    )


def test_a_device_and_a_socket_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal("/dev/null") == f"/dev/null is a device or a socket; {EXPECTED}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert refusal("socket") == f"socket is a device or a socket; {EXPECTED}"


def test_a_name_too_long_for_the_disk_is_refused_in_one_line():
    assert refusal("a" * 5000).endswith(
        "cannot be read: file name too long; expected a readable file; mend that, or leave it out"
    )


@pytest.fixture
def closed_folder(reachable_folder):
    """Make a file, a zip and a folder that their own owner alone may read."""
    for name in ("secret.txt", "secret.zip", "deep/secret.txt", "listed/secret.txt"):
        path = reachable_folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("secret")
        path.chmod(0)
    (reachable_folder / "deep").chmod(0)
    (reachable_folder / "listed").chmod(0o444)
    yield reachable_folder
    for name in ("deep", "listed"):
        (reachable_folder / name).chmod(0o700)


@pytest.mark.parametrize("name", ["secret.txt", "secret.zip", "deep", "deep/secret.txt", "*.txt"])
def test_what_may_not_be_read_is_refused_before_anything_is_read(closed_folder, without_rights, name):
    fault = "cannot be read: permission denied; expected a readable file; mend that, or leave it out"
    path = closed_folder / name.replace("*", "secret")
    assert refusal(str(closed_folder / name)) == f"{path} {fault}"


def test_a_folder_within_a_folder_that_may_not_be_read_is_refused(closed_folder, without_rights):
    assert f"{closed_folder / 'deep'} cannot be read: permission denied" in refusal(str(closed_folder))


def test_a_folder_that_may_be_listed_but_not_entered_is_refused(closed_folder, without_rights):
    assert f"{closed_folder / 'listed'} cannot be read: permission denied" in refusal(
        str(closed_folder / "listed")
    )


def test_a_file_that_goes_after_it_was_found_is_refused_by_name(tmp_path):
    path = tmp_path / "gone.txt"
    path.write_text("here")
    (source,) = find_sources([str(path)])
    path.unlink()
    with pytest.raises(TextError) as raised:
        source.open()
    assert str(raised.value).startswith(f"{path} cannot be read: no such file or directory; ")


def test_a_source_shows_its_name_alone():
    assert repr(find_sources(["python-manual"])[0]) == "Source(name='python-manual')"
