"""Texts and wishes in, everything a run needs out: settings chosen for the text, its split and its tokens.

Imports no torch, so that a wrong setting or text is refused before a second is spent.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from glob import has_magic

from elman.config import Layer, Settings, merge, settings_from
from elman.errors import TextError
from elman.progress import Advance, counter
from elman.recipes import TYPICAL, load_recipe
from elman.text import Part, TextStore, cache_folder, find_text, open_text, split
from elman.tokens.store import TokenStore, open_tokens


@dataclass(frozen=True)
class Preparation:
    """What a run starts from."""

    recipe: str
    asked: Layer
    sources: tuple[str, ...]  # what the user named, for reading it again
    settings: Settings
    text: TextStore
    parts: tuple[Part, ...]
    tokens: TokenStore

    def part(self, name: str) -> Part:
        """Return a part of the split by name.

        Raises:
            TextError: the split has no such part.
        """
        for part in self.parts:
            if part.name == name:
                return part
        raise TextError(
            f"the text has no {name} part, its split is {self.settings.split}; use --split 90/5/5"
        )


def prepare(texts: Sequence[str], recipe: str, asked: Layer, advance: Advance | None = None) -> Preparation:
    """Read texts into the cache (or find them there) and choose the settings.

    `advance` hears of "reading" (bytes) and "encoding" (characters).

    Raises:
        SettingsError: an unknown recipe; unknown or wrong settings, all of them at once.
        TextError, TokenError: a text that cannot be used.
    """
    layers = load_recipe(recipe).layers
    early = settings_from([*layers(*TYPICAL), asked])
    minutes = asked.get("train", {}).get("minutes") or math.nan
    text = _open(texts, early, advance)
    parts, tokens = _tokens(text, early, advance)
    chosen = layers(len(tokens.parts["train"]), tokens.tokenizer.size, minutes)
    settings = settings_from([*chosen, asked])
    sources = _absolute(texts)
    return Preparation(recipe, asked, sources, settings, text, parts, tokens)


def prepare_again(
    config: Layer, settings: Settings, asked: Layer, texts: Sequence[str], advance: Advance | None = None
) -> Preparation:
    """Find the text of an earlier run in the cache, or read it again, from `texts` where those are given."""
    sources = _absolute(texts or config["text"]["sources"])
    text = None if texts else find_text(config["text"]["fingerprint"], cache_folder())
    if text is None and not texts and "-" in sources:
        raise TextError(
            "the run began with text from standard input, and the cache has that text no longer; give it "
            "again: ... | elman train - --resume --out DIR"
        )
    text = text or _open(sources, settings, advance)
    parts, tokens = _tokens(text, settings, advance)
    asked = merge([config["asked"], asked])
    return Preparation(config["recipe"], asked, sources, settings, text, parts, tokens)


def _absolute(texts: Sequence[str]) -> tuple[str, ...]:
    """Make names of files and globs good from any folder; `-` and the names of corpora stay."""
    return tuple(os.path.abspath(name) if os.path.exists(name) or has_magic(name) else name for name in texts)


def _open(texts: Sequence[str], settings: Settings, advance: Advance | None) -> TextStore:
    return open_text(
        texts,
        cache_folder(),
        settings.encoding,
        settings.characters,
        settings.line_ends,
        counter(advance, "reading"),
    )


def _tokens(
    text: TextStore, settings: Settings, advance: Advance | None
) -> tuple[tuple[Part, ...], TokenStore]:
    parts = split(text.characters, settings.split)
    total = text.characters + (
        parts[0].stop if settings.tokenizer != "byte" else 0
    )  # learned from, then encoded
    tokens = open_tokens(
        text,
        parts,
        settings.tokenizer,
        settings.vocabulary_size,
        cache_folder(),
        counter(advance, "encoding", total),
    )
    held_out = len(tokens.parts["validation"])
    if held_out < 2:
        raise TextError(
            f"the text is too short: its validation part has {held_out} tokens, expected at least 2; "
            "use a longer text"
        )
    return tuple(parts), tokens
