"""Characters out of bytes, compared with Python's own text files, over every boundary; and the messages."""

import codecs
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from elman.errors import TextError
from elman.text import find_sources, read_text
from elman.text.streams import READ_BYTES

ENCODINGS = [
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-be",
    "utf-32",
    "gb18030",
    "shift_jis",
    "euc_kr",
    "latin-1",
]
SHARED = "ab \n\r"
LETTERS = {"shift_jis": "あ漢", "euc_kr": "한국", "latin-1": "é\x85"}
lists_of_cuts = st.lists(st.integers(0, 200), max_size=12)


def cut(raw, cuts):
    places = sorted({0, len(raw), *(place for place in cuts if place < len(raw))})
    return [raw[start:stop] for start, stop in zip(places, places[1:], strict=False)]


def fault_in(raw, encoding):
    try:
        raw.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start
    return None


def file_text(path, encoding):
    with path.open(encoding=encoding, newline=None) as file:
        return file.read()


@given(st.data(), st.sampled_from(ENCODINGS), lists_of_cuts)
def test_any_pieces_of_a_text_give_what_python_reads_from_the_file(
    in_pieces, tmp_path_factory, data, encoding, cuts
):
    letters = LETTERS.get(encoding, "é中\U0001f600\u2028")
    text = data.draw(st.text(st.sampled_from(SHARED + letters), min_size=1, max_size=60))
    raw = text.encode(encoding)
    path = tmp_path_factory.getbasetemp() / "text.txt"
    path.write_bytes(raw)
    assert "".join(read_text([in_pieces(*cut(raw, cuts))], encoding)) == file_text(path, encoding)


@given(
    st.binary(min_size=1, max_size=60).map(lambda raw: raw.replace(b"\0", b"n")),
    st.sampled_from(["utf-8", "gb18030", "shift_jis", "euc_kr", "cp1252", "utf-16-le", "utf-32-le", "ascii"]),
    lists_of_cuts,
)
def test_any_bytes_are_read_as_python_reads_them_or_refused_where_python_refuses_them(
    in_pieces, raw, encoding, cuts
):
    assume(not raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF8)))
    source = in_pieces(*cut(raw, cuts), name="any.txt")
    place = fault_in(raw, encoding)
    if place is None:
        normal = raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        assert "".join(read_text([source], encoding)) == normal
    else:
        with pytest.raises(TextError, match=rf"any\.txt holds byte 0x{raw[place]:02x} at position {place}: "):
            list(read_text([source], encoding))


@given(st.lists(st.text(st.sampled_from("ab\n\r"), max_size=4), min_size=1, max_size=5))
def test_a_line_feed_comes_between_sources_only_where_one_is_missing(in_pieces, texts):
    assume(any(texts))
    normal = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts if text]
    expected = "".join(text if text.endswith("\n") else text + "\n" for text in normal[:-1]) + normal[-1]
    assert "".join(read_text([in_pieces(text.encode()) for text in texts])) == expected


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_byte_order_mark_is_left_out_at_the_start_of_every_source_and_kept_within(
    in_pieces, mark, encoding, size
):
    order = "be" if mark in (codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE) else "le"
    raw = mark + "a\ufeffb".encode("utf-8" if encoding == "utf-8" else f"{encoding[:6]}-{order}")
    source = in_pieces(*(raw[start : start + size] for start in range(0, len(raw), size)))
    assert "".join(read_text([source, source], encoding)) == "a\ufeffb\na\ufeffb"


def test_a_file_of_many_chunks_equals_what_python_reads_and_its_bytes_are_all_reported(tmp_path):
    path = tmp_path / "long.txt"
    path.write_bytes("wörter 中文 \U0001f600\r\n\r".encode() * 150_000)
    seen = []
    chunks = list(read_text(find_sources([str(path)]), advance=seen.append))
    assert "".join(chunks) == file_text(path, "utf-8")
    assert max(map(len, chunks)) <= READ_BYTES
    assert len(chunks) <= path.stat().st_size / READ_BYTES + 2
    assert sum(seen) == path.stat().st_size


def refusal(*sources, encoding="utf-8"):
    with pytest.raises(TextError) as raised:
        list(read_text(sources, encoding))
    return str(raised.value)


def test_a_byte_that_is_not_utf_8_is_named_with_its_place_beyond_the_first_chunk(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_bytes(b"plain\n" * 400_000 + "café au lait\n".encode("cp1252"))
    assert refusal(*find_sources([str(path)])) == (
        f"{path} holds byte 0xe9 at position 2400003: not valid utf-8; expected text in utf-8; give the "
        "file's own encoding with --encoding NAME (cp1252 can decode what stands there), or mend the file"
    )


def test_chinese_in_gb18030_is_recognised_as_such(in_pieces):
    message = refusal(in_pieces("plain\n床前明月光，疑是地上霜。\n".encode("gb18030"), name="poem.txt"))
    assert "poem.txt holds byte 0xb4 at position 6: not valid utf-8;" in message
    assert "(gb18030 " in message


def test_bytes_that_no_candidate_can_decode_bring_no_suggestion(in_pieces):
    assert refusal(in_pieces(b"ab\xff\x81", name="odd.txt")) == (
        "odd.txt holds byte 0xff at position 2: not valid utf-8; expected text in utf-8; give the file's own "
        "encoding with --encoding NAME, or mend the file"
    )


@pytest.mark.parametrize(("encoding", "cut_off"), [("utf-8", 2), ("gb18030", 3), ("utf-16-le", 1)])
def test_a_file_that_ends_within_a_character_says_so_and_its_own_encoding_is_not_advised(
    in_pieces, encoding, cut_off
):
    raw = "ab\U0001f600".encode(encoding)[:-cut_off]
    message = refusal(in_pieces(raw), encoding=encoding)
    found, _, advice = message.partition(f"; expected text in {encoding}; ")
    assert found.endswith(": the file ends within a character")
    assert encoding not in advice


@pytest.mark.parametrize(("encoding", "name"), [("utf-16", "UTF-16"), ("utf-32", "UTF-32")])
def test_a_file_with_the_mark_of_another_encoding_says_which(in_pieces, encoding, name):
    assert refusal(in_pieces("text".encode(encoding), name="wide.txt")) == (
        f"wide.txt begins with the byte order mark of {name}; expected utf-8; give --encoding {encoding}"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_wide_encoding_without_its_mark_asks_for_the_order(in_pieces, encoding):
    assert refusal(in_pieces("text".encode(f"{encoding}-le"), name="wide.txt"), encoding=encoding) == (
        f"wide.txt has no byte order mark; expected one in {encoding}; "
        f"give --encoding {encoding}-le or {encoding}-be"
    )


def test_a_binary_file_is_refused(in_pieces):
    assert refusal(in_pieces(b"\x7fELF\x02\x01\x00\x00", name="program")) == (
        "program is a binary file: byte 0x00 at position 6; expected text in utf-8; name text files, or the "
        "encoding with --encoding NAME (utf-16-le, for example, has such bytes)"
    )


def test_a_text_without_characters_is_refused_with_its_names(in_pieces):
    fault = "expected text; name a file that is not empty"
    assert refusal(in_pieces(name="a.txt")) == f"no characters in a.txt; {fault}"
    assert refusal(in_pieces(codecs.BOM_UTF8, name="mark.txt")) == f"no characters in mark.txt; {fault}"
    assert refusal(*(in_pieces(name=name) for name in "abcd")) == f"no characters in a, b, c, ...; {fault}"
    assert refusal() == f"no characters in no files; {fault}"


@pytest.mark.parametrize(
    ("name", "advice"),
    [("utf-9", "utf-8"), ("Latin-11", "latin-1"), ("gb1803", "gb18030"), ("shift-jiss", "shift-jis")],
)
def test_an_unknown_encoding_is_refused_with_the_nearest_names(in_pieces, name, advice):
    message = refusal(in_pieces(b"text"), encoding=name)
    assert message.startswith(
        f"unknown encoding {name!r}; expected one that Python knows, such as utf-8, utf-16, latin-1 or "
        "gb18030; did you mean "
    )
    assert re.search(rf"\b{advice}\b", message.split("did you mean")[1])


@pytest.mark.parametrize("name", ["", "\0", "rot13", "base64", "utf-7", "unicode_escape", "idna", "ünknown"])
def test_what_is_no_encoding_of_files_is_refused(in_pieces, name):
    assert f"unknown encoding {name!r}; expected one that Python knows" in refusal(
        in_pieces(b"text"), encoding=name
    )
