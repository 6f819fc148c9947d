"""Strings at which a text ends: text goes in piece by piece and comes out up to the first of them."""

from collections.abc import Sequence

from elman.errors import RequestError


class Stops:
    """Holds back what may be the beginning of a stop string until it is known."""

    def __init__(self, strings: str | Sequence[str]) -> None:
        """Take one string or several.

        Raises:
            RequestError: one of them is empty.
        """
        self._strings = [strings] if isinstance(strings, str) else strings
        if "" in self._strings:
            raise RequestError("a stop string is empty, expected at least one character")
        self._held, self.found = "", False

    def pass_on(self, piece: str) -> str:
        """Return what is new of the text that is certain to come before every stop string."""
        text = self._held + piece
        places = [place for place in map(text.find, self._strings) if place >= 0]
        if places:
            self._held, self.found = "", True
            return text[: min(places)]
        longest = max(map(len, self._strings), default=1) - 1
        for start in range(max(0, len(text) - longest), len(text)):
            if any(string.startswith(text[start:]) for string in self._strings):
                self._held = text[start:]
                return text[:start]
        self._held = ""
        return text

    def rest(self) -> str:
        """Return what is still held back, where no more text comes."""
        held, self._held = self._held, ""
        return held
