"""An encoding's name in, its codec out; bytes that do not fit in, an error out. Opens no files."""

import codecs
import difflib

from elman.errors import TextError

SAMPLE_BYTES = 1 << 16
CANDIDATES = ("gb18030", "cp1252")
CUT_OFF = ("unexpected end of data", "truncated data", "incomplete multibyte sequence")  # codecs' words
MARKS = {  # the longer first: UTF-32's mark begins with UTF-16's
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
# Python lists these among its text encodings, but they are ways to write text in ASCII, some can spell half a
# surrogate pair, and no file is kept in them.
NOT_OF_FILES = ("utf-7", "unicode-escape", "raw-unicode-escape", "idna", "punycode", "undefined")


def find_codec(name: str) -> codecs.CodecInfo:
    """Find the codec of a text encoding. Raises TextError, with the nearest names, where there is none."""
    codec = _codec_of_files(name)
    if codec is None:
        near = _names_near(name)
        advice = f"did you mean {' or '.join(near)}?" if near else "utf-8 is the usual one"
        raise TextError(
            f"unknown encoding {name!r}; expected one that Python knows, such as utf-8, utf-16, latin-1 or "
            f"gb18030; {advice}"
        )
    return codec


def _codec_of_files(name: str) -> codecs.CodecInfo | None:
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    usable = codec._is_text_encoding and codec.incrementaldecoder is not None
    return codec if usable and codec.name not in NOT_OF_FILES else None


def _names_near(name: str) -> list[str]:
    from encodings.aliases import aliases

    spellings = sorted({*aliases, *aliases.values()})
    names: dict[str, str] = {}  # one spelling of each codec
    for near in difflib.get_close_matches(name.lower().replace("-", "_"), spellings, n=6):
        codec = _codec_of_files(near)
        if codec is not None:
            names.setdefault(codec.name, near.replace("_", "-"))
    return list(names.values())[:3]


def marked_encoding(raw: bytes) -> str | None:
    """Name the encoding, utf-16 or utf-32, whose byte order mark a file begins with; None where none."""
    return next((name for name, marks in MARKS.items() if raw.startswith(marks)), None)


def refuse_binary(name: str, raw: bytes, encoding: str) -> None:
    """Raise TextError where the first bytes of a file show that it is UTF-16, UTF-32 or no text at all.

    Only for utf-8: elsewhere those bytes may be text.
    """
    if encoding not in ("utf-8", "utf-8-sig"):
        return
    marked = marked_encoding(raw)
    if marked:
        raise TextError(
            f"{name} begins with the byte order mark of {marked.upper()}; expected {encoding}; give "
            f"--encoding {marked}"
        )
    position = raw.find(b"\0")
    if position >= 0:
        raise TextError(
            f"{name} is a binary file: byte 0x00 at position {position}; expected text in {encoding}; "
            "name text files, or the encoding with --encoding NAME (utf-16-le, for example, has such bytes)"
        )


def undecodable(name: str, position: int, encoding: str, error: UnicodeDecodeError) -> TextError:
    """Describe a byte that does not fit the encoding; `position` is its place in the file, from 0."""
    fault = "the file ends within a character" if error.reason in CUT_OFF else f"not valid {encoding}"
    candidates = [candidate for candidate in CANDIDATES if candidate != encoding and _fits(error, candidate)]
    advice = f" ({' and '.join(candidates)} can decode what stands there)" if candidates else ""
    return TextError(
        f"{name} holds byte 0x{error.object[error.start]:02x} at position {position}: {fault}; expected "
        f"text in {encoding}; give the file's own encoding with --encoding NAME{advice}, or mend the file"
    )


def _fits(error: UnicodeDecodeError, encoding: str) -> bool:
    """Try another encoding from the start of the line on."""
    # a line feed is no part of a longer character in any of CANDIDATES
    start = error.object.rfind(b"\n", 0, error.start) + 1
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        decoder.decode(error.object[start : start + SAMPLE_BYTES])
    except UnicodeDecodeError:
        return False
    return True
