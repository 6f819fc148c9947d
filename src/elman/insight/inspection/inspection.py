"""A model and a text in, what was seen in the model as it read the text out, ready to be drawn or printed.

Knows no files and no HTML.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from elman.errors import RequestError
from elman.evaluation.spelling import Spelling
from elman.model import Network
from elman.tokens import Tokenizer

from .features import Feature, read_features
from .nearest import Neighbour, ask_nearest
from .observation import Floats, Observation, observe
from .openness import Openness, measure_openness
from .pieces import Piece, context, cut_pieces
from .reach import Reach, measure_reach
from .telling import Telling, find_telling

TOKENS = 5000
TOKENS_AT_LEAST = 4  # those of the longest character
UNSURE = "how unsure the model is, in bits"


class Inspection(NamedTuple):
    """What was seen. P pieces of text, most of them one token."""

    pieces: list[Piece]
    tokens: int
    characters: int
    cut: bool  # whether the text goes on
    bits: Floats  # (P,) surprise
    expected: list[list[tuple[str, float]]]  # for each piece, the likeliest tokens and their probabilities
    telling: list[Telling]
    openness: list[Openness]
    reach: Reach | None
    nearest: dict[int, list[Neighbour]]  # places by the place whose state theirs are like
    both_directions: bool

    @property
    def bits_per_character(self) -> float:
        """Mean surprise of a character."""
        return float(self.bits.sum()) / self.characters

    def as_dict(self) -> dict[str, Any]:
        """Return the summaries and the bits of each piece as plain data, for JSON."""
        reach = self.reach
        return {
            "tokens": self.tokens,
            "characters": self.characters,
            "cut": self.cut,
            "bits": float(self.bits.sum()),
            "bits_per_character": self.bits_per_character,
            "pieces": [
                {"text": piece.text, "bits": round(bits, 4)}
                for piece, bits in zip(self.pieces, self.bits.tolist(), strict=True)
            ],
            "units": [_without(unit, "values") for unit in self.telling],
            "gates": [_without(openness, "counts", "span") for openness in self.openness],
            "gradient": None
            if reach is None
            else {
                layer: {
                    "steps": len(norms) - 1,
                    "norms": norms.tolist(),
                    "steps_to_1_percent": reach.fallen(number, 0.01),
                }
                for number, (layer, norms) in enumerate(zip(reach.layers, reach.norms, strict=True))
            },
            "neighbours": [
                {
                    "place": self.pieces[place].start,
                    "context": "".join(context(self.pieces, place, 20, 0)),
                    "nearest": [
                        {
                            "place": self.pieces[near.place].start,
                            "context": "".join(context(self.pieces, near.place, 20, 0)),
                            "cosine": near.cosine,
                        }
                        for near in found
                    ],
                }
                for place, found in self.nearest.items()
            ],
        }


def inspect(
    network: Network, tokenizer: Tokenizer, spelling: Spelling, text: str, tokens: int = TOKENS
) -> Inspection:
    """Let a network read the first `tokens` tokens of a text, from a fresh state, and look into it.

    Raises:
        RequestError: the text is empty; so few tokens that they may be no character; a model that fills gaps.
    """
    if network.settings.two_stream:
        raise RequestError(
            "the model fills gaps, expected one that predicts the next token; look into it with elman trace"
        )
    if not text:
        raise RequestError("the text is empty, expected at least one character to inspect")
    if tokens < TOKENS_AT_LEAST:
        raise RequestError(f"tokens is {tokens}, expected {TOKENS_AT_LEAST} or more")
    ids = tokenizer.encode(text)
    cut = len(ids) > tokens
    pieces = cut_pieces(tokenizer, text, ids[:tokens])
    ids = ids[: pieces[-1].stop]
    observation = observe(network, ids)
    ends = [piece.stop - 1 for piece in pieces]
    unknown = np.zeros(len(ids), dtype=bool) if tokenizer.unknown is None else ids == tokenizer.unknown
    bits = _bits(pieces, unknown, observation, spelling)
    top = np.concatenate([layer.hidden for layer in observation.layers[-network.stack.directions :]], axis=1)
    unsure = np.append(observation.predictions.entropy, np.nan)[[end + 1 for end in ends]] / math.log(2)
    return Inspection(
        pieces,
        len(ids),
        sum(len(piece.text) for piece in pieces),
        cut,
        bits,
        _expected(pieces, observation, tokenizer),
        find_telling(observation.layers, ends, [*read_features(pieces), Feature(UNSURE, (), unsure)]),
        [row for layer in observation.layers for row in measure_openness(layer)],
        measure_reach(network, ids, observation),
        ask_nearest(top[ends], bits),
        network.sees_ahead,
    )


def _bits(
    pieces: list[Piece], unknown: NDArray[np.bool_], observation: Observation, spelling: Spelling
) -> Floats:
    """Return the surprise (P,) of whole pieces; `unknown` tokens (T,) are charged for their spelling."""
    nats = np.add.reduceat(observation.predictions.nats.astype(np.float64), [piece.start for piece in pieces])
    for place, piece in enumerate(pieces):
        if unknown[piece.start]:
            nats[place] += spelling.nats(piece.text)
    bits: Floats = nats / math.log(2)
    return bits


def _expected(
    pieces: list[Piece], observation: Observation, tokenizer: Tokenizer
) -> list[list[tuple[str, float]]]:
    """Return what the model expected as the first token of each piece."""
    predictions = observation.predictions
    starts = [piece.start for piece in pieces]
    return [
        [
            (tokenizer.pieces[token].decode("utf-8", "replace"), share)
            for token, share in zip(row, shares, strict=True)
        ]
        for row, shares in zip(
            predictions.likeliest[starts].tolist(), predictions.probabilities[starts].tolist(), strict=True
        )
    ]


def _without(item: Any, *names: str) -> dict[str, Any]:
    return {name: value for name, value in item._asdict().items() if name not in names}
