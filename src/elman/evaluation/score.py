"""One score for all models: nats over a held-out stream, with the state carried from its first token to its
last.

An engine, a tokenizer and characters come in; totals go out, in units that let character, byte, word and
byte-pair models compare. Knows nothing of how the model was trained.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from elman.engine import Engine
from elman.progress import Tally
from elman.tokens import Tokenizer, cut_stream
from elman.tokens.store import Tokens

from .spelling import Spelling
from .surprisal import LOGITS_AT_MOST, SurprisalStream, nats_of

TOKENS_IN_A_ROW = 2048  # at the least, so that cold starts weigh little in the mean


@dataclass(frozen=True)
class Score:
    """Total surprise over a text, and the text's size in tokens, characters and UTF-8 bytes."""

    nats: float
    tokens: int
    characters: int
    bytes: int
    unknown: int = 0  # pieces that the vocabulary does not have
    spelling_nats: float = 0.0  # what their spelling cost, part of `nats`
    right: int | None = None  # of a model that fills gaps: tokens that it would have put where they stand

    @property
    def nats_per_token(self) -> float:
        """Mean surprise of a token."""
        return self.nats / self.tokens

    @property
    def nats_per_known_token(self) -> float:
        """Mean surprise of a token without the cost of spelling: what compares with the training part."""
        return (self.nats - self.spelling_nats) / self.tokens

    @property
    def nats_per_character(self) -> float:
        """Mean surprise of a character."""
        return self.nats / self.characters

    @property
    def perplexity(self) -> float:
        """exp(nats per token): how many tokens the model hesitates between."""
        return math.exp(min(self.nats_per_token, 700.0))

    @property
    def bits_per_character(self) -> float:
        """Mean surprise of a character, in bits."""
        return self.nats / self.characters / math.log(2)

    @property
    def bits_per_byte(self) -> float:
        """Mean surprise of a UTF-8 byte, in bits: the unit in which all models compare."""
        return self.nats / self.bytes / math.log(2)

    def as_dict(self) -> dict[str, float]:
        """Return the fields that `--json` shows."""
        return {
            "tokens": self.tokens,
            "characters": self.characters,
            "bytes": self.bytes,
            "nats_per_token": self.nats_per_token,
            "nats_per_character": self.nats_per_character,
            "perplexity": self.perplexity,
            "bits_per_character": self.bits_per_character,
            "bits_per_byte": self.bits_per_byte,
            "unknown": self.unknown,
            "spelling_nats": self.spelling_nats,
            **({} if self.right is None else {"right": self.right / self.tokens}),
        }


class Scored(NamedTuple):
    """What is scored: weights that run, and how they read text."""

    engine: Engine
    tokenizer: Tokenizer
    spelling: Spelling  # what a piece costs that the vocabulary does not have
    leak: str | None = None  # how the model sees what it has to predict, if it does
    window: int | None = None  # of a model that fills gaps: the tokens it has learned to read at once
    dynamic: Engine | None = None  # the same weights, in an engine that learns from what it reads

    @property
    def in_order(self) -> bool:
        """Whether the engine changes as it reads, or sees what comes later in the same call."""
        return self.leak is not None or self.engine is self.dynamic


class TokenScore(NamedTuple):
    """One token of a scored text."""

    piece: str  # its characters; a part of a character shows as U+FFFD
    nats: float  # surprise, the cost of an unknown piece's spelling included


def score_text(
    model: Scored, chunks: Iterable[str], context: str = "", advance: Tally | None = None
) -> Score:
    """Score a text token by token as one stream; what the vocabulary lacks is charged for its spelling.

    `context` is text that the model reads first, without being scored on it. `advance` is called with
    characters done.
    """
    engine, tokenizer, spelling = model.engine, model.tokenizer, model.spelling
    nats = spelling_nats = 0.0
    tokens = characters = size = unknown = 0
    stream = SurprisalStream(engine, tokenizer.encode(context), model.in_order)
    for text in cut_stream(tokenizer, chunks):
        ids, read = tokenizer.encode(text), 0
        for surprise in stream.read(ids):
            nats += float(surprise.sum(dtype=np.float64))
            before, read = read, read + len(surprise)
            if advance:
                advance(len(text) * read // len(ids) - len(text) * before // len(ids))
        tokens += len(ids)
        characters, size = characters + len(text), size + len(text.encode("utf-8", "surrogatepass"))
        for piece in tokenizer.unknown_pieces(text):
            unknown, spelling_nats = unknown + 1, spelling_nats + spelling.nats(piece)
    return Score(nats + spelling_nats, tokens, characters, size, unknown, spelling_nats)


def score_rows(engine: Engine, tokens: Tokens, rows: int, tokens_at_most: int) -> float:
    """Return nats per token over the first tokens of a part, read in parallel rows, each from a cold state.

    Rows have 2,048 tokens or more. Faster than one stream and a little pessimistic: for watching a run, not
    for its result.
    """
    count = min(len(tokens), tokens_at_most)
    rows = max(1, min(rows, count // TOKENS_IN_A_ROW))
    stretch = (count - 1) // rows  # predictions in a row
    starts, state = np.arange(rows, dtype=np.int64) * stretch, engine.initial_state(rows)
    block, total = max(1, min(256, LOGITS_AT_MOST // (engine.vocabulary_size * rows))), 0.0
    for begin in range(0, stretch, block):
        span = tokens.rows(starts + begin, min(block, stretch - begin) + 1)
        logits, state = engine.feed(span[:-1], state)
        total += float(nats_of(logits, span[1:]).sum(dtype=np.float64))
    return total / (rows * stretch)
