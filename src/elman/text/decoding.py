"""Sources of raw bytes in, characters out: no byte order mark, every end of line one line feed. Knows no
tokens.

Also the fingerprint of the raw bytes, by which a text that was read before is known again.
"""

import codecs
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence

from elman.errors import TextError
from elman.progress import Tally
from elman.text.encodings import find_codec, refuse_binary, undecodable
from elman.text.sources import Source
from elman.text.streams import READ_BYTES


def read_text(
    sources: Sequence[Source], encoding: str = "utf-8", advance: Tally | None = None
) -> Iterator[str]:
    r"""Yield the characters of all sources, in chunks of about a million.

    A byte order mark at the start of a source is left out; "\r\n" and a lone "\r" become "\n"; where a
    source does not end with "\n" and another follows, "\n" comes between. `advance` is called with the
    number of raw (decompressed) bytes just read.

    Raises TextError, while it is being read, for an unknown encoding, for a binary file, for bytes that are
    not valid in the encoding, and for a text without any character.
    """
    codec = find_codec(encoding)
    last = ""
    for source in sources:
        joint = "" if last in ("", "\n") else "\n"
        for chunk in _decode(source, codec, advance):
            if joint:
                yield joint
                joint = ""
            last = chunk[-1]
            yield chunk
    if not last:
        names = ", ".join(source.name for source in sources[:3]) + (", ..." if len(sources) > 3 else "")
        raise TextError(
            f"no characters in {names or 'no files'}; expected text; name a file that is not empty"
        )


def first_characters(chunks: Iterable[str], characters: int) -> Iterator[str]:
    """Yield the first so many characters of a text that comes in chunks, and read no further."""
    for chunk in chunks:
        yield chunk[:characters]
        characters -= len(chunk)
        if characters <= 0:
            return


def _decode(source: Source, codec: codecs.CodecInfo, advance: Tally | None) -> Iterator[str]:
    assert codec.incrementaldecoder is not None, "find_codec gives none without"
    decoder = io.IncrementalNewlineDecoder(codec.incrementaldecoder("strict"), translate=True)
    position = 0  # raw bytes before the present ones
    begun = False
    with source.open() as stream:
        while True:
            raw = stream.read(READ_BYTES)
            if position == 0:
                refuse_binary(source.name, raw, codec.name)
            try:
                chunk = decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:  # its object begins with what was kept of the bytes before
                start = position + len(raw) - len(error.object) + error.start
                raise undecodable(source.name, start, codec.name, error) from error
            except UnicodeError as error:
                raise TextError(
                    f"{source.name} has no byte order mark; expected one in {codec.name}; "
                    f"give --encoding {codec.name}-le or {codec.name}-be"
                ) from error
            if chunk and not begun:
                chunk = chunk.removeprefix("\ufeff")
                begun = True
            if chunk:
                yield chunk
            if not raw:
                return
            position += len(raw)
            if advance:
                advance(len(raw))


def fingerprint(sources: Sequence[Source], encoding: str = "utf-8", advance: Tally | None = None) -> str:
    """Give the SHA-256, in hex, of the raw bytes of all sources in order, of their lengths, and of the
    encoding.

    Texts that differ in a byte, in where one source ends, or in the encoding have different fingerprints;
    names do not count. `advance` is called with the number of raw bytes just read. Raises TextError where a
    source cannot be read.
    """
    digest = hashlib.sha256(f"elman text 1\n{find_codec(encoding).name}\n".encode())
    for source in sources:
        length = 0
        with source.open() as stream:
            while raw := stream.read(READ_BYTES):
                digest.update(raw)
                length += len(raw)
                if advance:
                    advance(len(raw))
        digest.update(length.to_bytes(8, "little"))  # last, for a stream's length is known at its end
    return digest.hexdigest()
