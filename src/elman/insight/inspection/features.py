"""Pieces of a text in, what can be said at each of them out: is it in quotes, how far is it into the line.

All is said at a piece's last character, from the text alone. Knows nothing of models.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .pieces import Piece, visible

CLASSES = 40  # of the tokens just read, or to come, the most frequent are told apart
OPENING, CLOSING = "([{\uff08", ")]}\uff09"
QUOTES_OPEN, QUOTES_CLOSE = "\u201c\u00ab\u300c\u300e", "\u201d\u00bb\u300d\u300f"
SENTENCE_ENDS = ".!?\u3002\uff01\uff1f"


class Feature(NamedTuple):
    """What can be said at each of P pieces: one of some groups, or a number."""

    name: str
    groups: tuple[str, ...]  # the names of the groups; of a number there are none
    values: NDArray[np.floating[Any]]  # (P,) which group, or the number; NaN where nothing can be said


class At(NamedTuple):
    """What holds after a character was read."""

    in_word: bool
    last_letter: bool
    in_quotes: bool
    in_brackets: bool
    capital: bool
    in_capitalised_word: bool
    vowel: bool
    digit: bool
    punctuation: bool
    line_break: bool
    before_line_break: bool
    first_line: bool
    into_word: int
    into_line: int
    into_sentence: int


# what is said of each yes or no: its name, and the groups for no and for yes
YES_OR_NO = {
    "in_word": ("inside a word", "between words", "inside a word"),
    "last_letter": ("the last letter of a word", "elsewhere", "on the last letter of a word"),
    "in_quotes": ("inside quotes", "outside quotes", "inside quotes"),
    "in_brackets": ("inside brackets", "outside brackets", "inside brackets"),
    "capital": ("a capital letter", "on anything else", "on a capital"),
    "in_capitalised_word": ("inside a capitalised word", "elsewhere", "inside a capitalised word"),
    "vowel": ("a vowel", "on anything else", "on a vowel"),
    "digit": ("a digit", "on anything else", "on a digit"),
    "punctuation": ("a punctuation mark", "on anything else", "on punctuation"),
    "line_break": ("a line break", "on anything else", "on a line break"),
    "before_line_break": ("the end of a line, before it comes", "elsewhere", "right before a line break"),
    "first_line": ("the first line of a paragraph", "in other lines", "in the first line of a paragraph"),
}
NUMBERS = {
    "into_word": "letters since the word began",
    "into_line": "characters since the line began",
    "into_sentence": "characters since the sentence began",
}


def read_features(pieces: Sequence[Piece]) -> list[Feature]:
    """Return all that can be said of a text at each of its pieces."""
    text = "".join(piece.text for piece in pieces)
    ends = np.cumsum([len(piece.text) for piece in pieces]) - 1
    columns = {
        name: np.array(column, dtype=float)[ends]
        for name, column in zip(At._fields, zip(*_read(text), strict=True), strict=True)
    }
    said = [Feature(name, (no, yes), columns[key]) for key, (name, no, yes) in YES_OR_NO.items()]
    said += [Feature(name, (), columns[key]) for key, name in NUMBERS.items()]
    return [*said, _classes("what was just read", pieces, 0), _classes("what comes next", pieces, 1)]


def _classes(name: str, pieces: Sequence[Piece], shift: int) -> Feature:
    """Say which piece stands at each place, or `shift` places after it."""
    texts = [piece.text for piece in pieces]
    frequent = [text for text, _ in Counter(texts).most_common(CLASSES)]
    number = {text: place for place, text in enumerate(frequent)}
    values = [float(number.get(text, len(frequent))) for text in texts[shift:]] + [np.nan] * shift
    return Feature(name, (*map(visible, frequent), "all others"), np.array(values))


def _read(text: str) -> Iterator[At]:
    """Yield what holds after each character."""
    quoted, depth, capitalised, first_line = False, 0, False, True
    into_word = into_line = into_sentence = 0
    for place, character in enumerate(text):
        before, after = text[place - 1 : place], text[place + 1 : place + 2]
        in_word = character.isalpha()
        if character == "\n" and before in ("\n", ""):  # an empty line: nothing stays open
            quoted, depth = False, 0
        if character == '"':
            quoted = not quoted
        elif character in QUOTES_OPEN or character in QUOTES_CLOSE:
            quoted = character in QUOTES_OPEN
        depth = max(0, depth + (character in OPENING) - (character in CLOSING))
        into_word = into_word + 1 if in_word else 0
        into_line = into_line + 1 if character != "\n" else 0
        into_sentence = into_sentence + 1 if character not in SENTENCE_ENDS else 0
        capitalised = in_word and (character.isupper() if into_word == 1 else capitalised)
        first_line = first_line if before != "\n" else text[place - 2 : place - 1] in ("\n", "")
        yield At(
            in_word,
            in_word and not after.isalpha(),
            quoted,
            depth > 0,
            character.isupper(),
            capitalised,
            unicodedata.normalize("NFD", character)[0].lower() in "aeiou",
            character.isdigit(),
            unicodedata.category(character)[0] == "P",
            character == "\n",
            after == "\n",
            first_line,
            into_word,
            into_line,
            into_sentence,
        )
