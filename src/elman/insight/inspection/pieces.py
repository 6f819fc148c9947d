"""A text and its token ids in, the pieces that can be shown out: tokens, joined where they share a character.

Knows nothing of models.
"""

from collections.abc import Sequence
from typing import NamedTuple

from elman.engine import Ids
from elman.tokens import Tokenizer

SIGNS = {" ": "\u2423", "\n": "\u23ce", "\t": "\u21e5", "\r": "\u240d"}


class Piece(NamedTuple):
    """Whole characters of a text, and the tokens start .. stop-1 that they are."""

    text: str
    start: int
    stop: int


def cut_pieces(tokenizer: Tokenizer, text: str, ids: Ids) -> list[Piece]:
    """Return the pieces of a text, of which ids (T,) are the first tokens; half a character at the end is
    left out.
    """
    unknown = iter(tokenizer.unknown_pieces(text))
    pieces: list[Piece] = []
    start, gathered = 0, b""
    for place, token in enumerate(ids.tolist()):
        if token == tokenizer.unknown:
            gathered += next(unknown).encode("utf-8", "surrogatepass")
        else:
            gathered += tokenizer.pieces[token]
        try:
            characters = gathered.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:  # a part of a character
            continue
        pieces.append(Piece(characters, start, place + 1))
        start, gathered = place + 1, b""
    return pieces


def visible(text: str, keep: str = "") -> str:
    """Return a text with signs for spaces, line ends and control characters, but for those to keep."""
    return "".join(character if character in keep else _visible(character) for character in text)


def context(pieces: Sequence[Piece], place: int, before: int, after: int) -> tuple[str, str, str]:
    """Return the text before a place, at it, and after it, of so many characters at most."""
    left = "".join(piece.text for piece in pieces[max(0, place - before) : place])
    right = "".join(piece.text for piece in pieces[place + 1 : place + 1 + after])
    return left[len(left) - min(before, len(left)) :], pieces[place].text, right[:after]


def _visible(character: str) -> str:
    code = ord(character)
    if character in SIGNS:
        return SIGNS[character]
    if code < 0x20:
        return chr(0x2400 + code)
    return "\ufffd" if 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 else character
