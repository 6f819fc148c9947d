"""Text of any script in, lines and fonts that show it in a picture out. Knows nothing of what is drawn."""

import unicodedata
from collections.abc import Iterator

from rich.cells import cell_len, chop_cells


def legible(text: str) -> str:
    """Return a text with a sign in place of each character that cannot be seen or that XML cannot hold."""
    return "".join(map(_shown, text.expandtabs(4)))


def wrap(text: str, columns: int, lines_at_most: int) -> list[str]:
    """Fold a text into lines of so many columns, between words where it can be; what is left out shows as
    an ellipsis. Chinese characters take two columns.
    """
    lines = [folded for line in legible(text).strip("\n").split("\n") for folded in _fold(line, columns)]
    if len(lines) > lines_at_most:
        lines = [*lines[: lines_at_most - 1], _head(lines[lines_at_most - 1], columns - 1) + "\u2026"]
    return lines


def shorten(text: str, columns: int) -> str:
    """Return a text on one line of at most so many columns (5 or more), an ellipsis in its middle."""
    text = legible(text).replace("\n", " ")
    if cell_len(text) <= columns:
        return text
    half = (columns - 1) // 2
    return _head(text, half) + "\u2026" + _head(text[::-1], half)[::-1]


def font_families(first: str, text: str) -> list[str]:
    """Return a font, and after it installed ones that have what it lacks of the characters of a text."""
    from matplotlib.font_manager import findfont, fontManager
    from matplotlib.ft2font import FT2Font

    families, missing = [first], _without_glyph(FT2Font(findfont(first)), set(text) - {"\n"})
    upright = {
        (" SC" not in font.name, "Sans" not in font.name, font.name, font.fname)
        for font in fontManager.ttflist
        if font.style == "normal" and not font.name.startswith("Last Resort")
    }
    for *_, name, path in sorted(upright):  # of the faces of one font, that for simplified Chinese is first
        if not missing:
            break
        font = FT2Font(path)
        rest = _without_glyph(font, missing)
        if rest < missing and font.scalable:
            families, missing = [*families, name], rest
    return families


def _without_glyph(font: object, characters: set[str]) -> set[str]:
    return {c for c in characters if not font.get_char_index(ord(c))}  # type: ignore[attr-defined]


def _shown(character: str) -> str:
    if character.isprintable() or character == "\n":
        return character
    if character == "\u3000":
        return "  "
    return " " if unicodedata.category(character)[0] == "Z" else "\ufffd"


def _head(line: str, columns: int) -> str:
    return chop_cells(line, columns)[0] if line else ""


def _fold(line: str, columns: int) -> Iterator[str]:
    while cell_len(line) > columns:
        head = _head(line, columns)
        whole = line[len(head)] == " " or cell_len(head[-1]) == 2  # a word, or a character that is one, ends
        cut = len(head) if whole else head.rfind(" ") + 1 or len(head)
        yield line[:cut].rstrip()
        line = line[cut:].lstrip()
    yield line
