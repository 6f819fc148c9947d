"""Compressed files and zips: the bytes that were packed, and what is said of a damaged one."""

import bz2
import gzip
import lzma
import zipfile

import pytest

from elman.errors import TextError
from elman.text import find_sources, read_text

TEXT = "".join(f"line {number} of a text that is packed, é 中 \U0001f600\n" for number in range(50_000))


def zstd(raw):
    import zstandard

    return zstandard.ZstdCompressor().compress(raw)


PACKERS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}
packed = pytest.mark.parametrize("suffix", list(PACKERS))


def text_of(*texts):
    return "".join(read_text(find_sources([str(text) for text in texts])))


@packed
def test_a_packed_file_gives_what_was_packed_whatever_the_case_of_its_suffix(tmp_path, suffix):
    path = tmp_path / f"book.txt{suffix.upper()}"
    path.write_bytes(PACKERS[suffix](TEXT.encode()))
    assert text_of(path) == TEXT


@packed
def test_packed_files_joined_end_to_end_give_all_of_their_texts(tmp_path, suffix):
    path = tmp_path / f"book{suffix}"
    path.write_bytes(b"".join(PACKERS[suffix](part.encode()) for part in ("one ", "", TEXT, "two")))
    assert text_of(path) == f"one {TEXT}two"


@packed
def test_a_source_in_an_archive_can_be_opened_twice_at_once(tmp_path, suffix):
    path = tmp_path / f"book{suffix}"
    path.write_bytes(PACKERS[suffix](b"abcdef"))
    (source,) = find_sources([str(path)])
    with source.open() as first, source.open() as second:
        assert first.read(3) + second.read() + first.read() == b"abcabcdefdef"


@packed
@pytest.mark.parametrize("left", [0.5, 0.9999])
def test_a_packed_file_that_is_cut_off_is_damaged_not_shorter(tmp_path, suffix, left):
    raw = PACKERS[suffix](TEXT.encode())
    path = tmp_path / f"book.txt{suffix}"
    path.write_bytes(raw[: int(len(raw) * left)])
    with pytest.raises(TextError) as raised:
        text_of(path)
    assert str(raised.value).startswith(f"{path} is damaged: compressed file ended before the end")
    assert str(raised.value).endswith("; expected a whole archive; fetch or pack it again")


@packed
def test_a_packed_file_with_other_bytes_in_it_is_damaged(tmp_path, suffix):
    raw = bytearray(PACKERS[suffix](TEXT.encode()))
    middle = len(raw) // 2
    raw[middle : middle + 64] = bytes(64)
    path = tmp_path / f"book.txt{suffix}"
    path.write_bytes(raw)
    with pytest.raises(TextError, match="is damaged: .*; expected a whole archive") as raised:
        text_of(path)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


@packed
def test_a_file_that_only_bears_the_suffix_is_damaged(tmp_path, suffix):
    path = tmp_path / f"book.txt{suffix}"
    path.write_text("not packed at all")
    with pytest.raises(TextError, match="book.txt.* is damaged: "):
        text_of(path)


def test_a_zstandard_frame_with_a_window_beyond_the_usual_limit_is_read(tmp_path):
    header = (
        b"\x28\xb5\x2f\xfd" + b"\x00" + bytes([18 << 3])
    )  # magic; no sizes; a window of 2**(10 + 18) bytes
    block = (len(b"long window") << 3 | 1).to_bytes(3, "little")  # the last block, stored as it is
    (tmp_path / "dump.txt.zst").write_bytes(header + block + b"long window")
    assert text_of(tmp_path / "dump.txt.zst") == "long window"


def test_without_zstandard_the_message_says_what_to_install(tmp_path, run_script):
    (tmp_path / "book.txt.zst").write_bytes(zstd(b"text"))
    script = (
        "import sys; sys.modules['zstandard'] = None\n"
        "from elman.errors import MissingPackageError\n"
        "from elman.text import find_sources\n"
        "try: find_sources(['book.txt.zst'])\n"
        "except MissingPackageError as error: print(error, end='')\n"
    )
    assert run_script(script, tmp_path) == (
        "reading .zst needs zstandard, which is not installed; "
        'run pip install "elman[zst]", or unpack the file first'
    )


def make_zip(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_zip_gives_its_text_members_sorted_and_unpacked(tmp_path, method):
    members = {
        "z.txt": "last\n",
        "folder/a.md": TEXT,
        "c.txt.gz": gzip.compress(b"twice packed\n"),
        "picture.png": b"\x89PNG",
        ".hidden.txt": "hidden",
        "__MACOSX/z.txt": "fork",
    }
    path = make_zip(tmp_path / "pack.zip", members, method)
    sources = find_sources([str(path)])
    assert [source.name for source in sources] == [
        f"{path}!{member}" for member in ("c.txt.gz", "folder/a.md", "z.txt")
    ]
    assert "".join(read_text(sources)) == f"twice packed\n{TEXT}last\n"


def test_a_zip_of_one_file_gives_it_whatever_its_name(tmp_path):
    path = make_zip(tmp_path / "enwik8.ZIP", {"enwik8": "all of it"})
    assert [source.name for source in find_sources([str(path)])] == [f"{path}!enwik8"]
    assert text_of(path) == "all of it"


def test_a_folder_gives_the_text_in_its_archives_too(tmp_path):
    for suffix, pack in PACKERS.items():
        (tmp_path / f"a.txt{suffix}").write_bytes(pack(f"{suffix}\n".encode()))
    (tmp_path / "files.tar.gz").write_bytes(gzip.compress(b"no text"))
    make_zip(tmp_path / "b.zip", {"one.txt": "zip\n", "picture.png": b"\x89PNG"})
    make_zip(tmp_path / "c.zip", {"picture.png": b"\x89PNG"})
    assert text_of(tmp_path) == ".bz2\n.gz\n.xz\n.zst\nzip\n"


def test_two_zips_read_in_turn_each_keep_their_own_members(tmp_path):
    sources = find_sources(
        [str(make_zip(tmp_path / f"{name}.zip", {"a.txt": name, "b.txt": name})) for name in ("one", "two")]
    )
    found = []
    for source in (*sources, *reversed(sources)):
        with source.open() as stream:
            found.append(stream.read())
    assert found == [b"one", b"one", b"two", b"two", b"two", b"two", b"one", b"one"]


def test_a_zip_without_text_says_how_many_files_it_holds(tmp_path):
    path = make_zip(tmp_path / "pack.zip", {"a.png": "", "b.png": ""})
    with pytest.raises(TextError) as raised:
        find_sources([str(path)])
    assert str(raised.value) == (
        f"{path} holds 2 files, none with a suffix of text such as .txt or .md; expected text; "
        "unpack it and name the files"
    )


def test_a_file_that_only_bears_the_suffix_of_a_zip_is_damaged(tmp_path):
    path = tmp_path / "pack.zip"
    path.write_text("not packed at all")
    with pytest.raises(TextError) as raised:
        find_sources([str(path)])
    assert str(raised.value) == (
        f"{path} is damaged: file is not a zip file; expected a whole archive; fetch or pack it again"
    )


def test_a_member_whose_bytes_were_changed_is_damaged_and_named(tmp_path):
    path = make_zip(tmp_path / "pack.zip", {"a.txt": "abcdef" * 100}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"abcdefabc", b"abcdefabd", 1))
    with pytest.raises(TextError, match="is damaged: bad crc-32 for file 'a.txt'; ") as raised:
        text_of(path)
    assert str(raised.value).startswith(f"{path}!a.txt ")


def test_a_zip_with_a_password_is_refused(tmp_path):
    path = make_zip(tmp_path / "pack.zip", {"a.txt": "secret"}, zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    raw[6] |= 1  # the flag of encryption, in the member's own header
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # and in the directory of the zip
    path.write_bytes(raw)
    with pytest.raises(
        TextError, match="cannot be unpacked: .*password required.*; expected a plain zip"
    ) as raised:
        text_of(path)
    assert str(raised.value).startswith(f"{path}!a.txt ")
