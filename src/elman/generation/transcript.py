"""The text of tokens as they are taken: in whole characters, up to the first stop string.

Tokens go in, and text comes out as soon as it is certain. Knows nothing of engines or states.
"""

import codecs
from collections.abc import Sequence

from .stop import Stops


class Transcript:
    """One text; `taken` characters are spelled out, of which `passed` are passed on."""

    def __init__(self, pieces: Sequence[bytes], stops: Stops) -> None:
        self._pieces, self._stops = pieces, stops
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.taken = self.passed = 0

    @property
    def whole(self) -> bool:
        """Whether the last token ends with a character."""
        return not self._decoder.getstate()[0]

    @property
    def stopped(self) -> bool:
        """Whether a stop string was found."""
        return self._stops.found

    def take(self, token: int) -> tuple[str, str]:
        """Return the characters that a token completes, and what is certain of the text now."""
        characters = self._decoder.decode(self._pieces[token])
        text = self._stops.pass_on(characters)
        self.taken, self.passed = self.taken + len(characters), self.passed + len(text)
        return characters, text

    def end(self) -> str:
        """Return what is still held back, where no more tokens come."""
        text = self._stops.pass_on(self._decoder.decode(b"", final=True)) + self._stops.rest()
        self.passed += len(text)
        return text
