"""The result of a model on the held-out part of its own text: score, baselines and verdict, ready for
`--json`.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from elman.engine import Engine
from elman.progress import Advance, counter
from elman.text import Part, TextStore
from elman.tokens import Tokenizer

from .baselines import TRAINING_BYTES_AT_MOST, Baseline, measure_baselines
from .score import Score, score_text
from .spelling import Spelling
from .verdict import verdict

CONTEXT = 1000  # characters before the part, which the model reads without being scored on them
CHARACTERS_AT_MOST = 1_000_000  # of the held-out part; the report says where there are more


def evaluate_part(
    engine: Engine,
    tokenizer: Tokenizer,
    spelling: Spelling,
    text: TextStore,
    training: Part,
    part: Part,
    cache: Path,
    train_nats_per_token: float | None = None,
    advance: Advance | None = None,
) -> dict[str, Any]:
    """Score a held-out part of a text, of which the model learned the training part.

    At most the first million characters are scored; `of_characters` says how many there are. `advance`
    hears of "scoring" (characters) and "baselines".
    """
    stop = min(part.stop, part.start + CHARACTERS_AT_MOST)
    score = score_text(
        engine,
        tokenizer,
        text.read(part.start, stop),
        spelling,
        context=text.slice(max(0, part.start - CONTEXT), part.start),
        advance=counter(advance, "scoring", stop - part.start),
    )
    counter(advance, "baselines")
    baselines = part_baselines(text, training, part.start, stop, cache)
    return report(score, baselines, train_nats_per_token) | {
        "part": part.name,
        "of_characters": part.stop - part.start,
    }


def evaluate_foreign(
    engine: Engine,
    tokenizer: Tokenizer,
    spelling: Spelling,
    text: TextStore,
    learned: tuple[TextStore, Part] | None,
    advance: Advance | None = None,
) -> dict[str, Any]:
    """Score the whole of another text than the one the model learned, from a cold state.

    The baselines learn what the model learned; without `learned` (the text and its training part) there are
    none.
    """
    score = score_text(
        engine,
        tokenizer,
        text.read(),
        spelling,
        advance=counter(advance, "scoring", text.characters),
    )
    baselines = {}
    if learned:
        store, training = learned
        counter(advance, "baselines")
        stop = min(text.characters, CHARACTERS_AT_MOST)
        nearest = max(training.start, training.stop - TRAINING_BYTES_AT_MOST)
        baselines = measure_baselines(store.read(nearest, training.stop), text.slice(0, stop), follows=False)
    return report(score, baselines) | {"part": "whole text", "of_characters": text.characters}


def report(
    score: Score, baselines: dict[str, Baseline], train_nats_per_token: float | None = None
) -> dict[str, Any]:
    """Return a score beside its baselines, as `--json` shows them."""
    return {
        **score.as_dict(),
        "baselines": {name: baseline.bits_per_byte for name, baseline in baselines.items()},
        "verdict": verdict(score, baselines, train_nats_per_token),
    }


def part_baselines(
    text: TextStore, training: Part, start: int, stop: int, cache: Path
) -> dict[str, Baseline]:
    """Return the baselines of a stretch of a text, from the cache or measured now."""
    wanted = json.dumps(
        [1, text.fingerprint, training.start, training.stop, start, stop, TRAINING_BYTES_AT_MOST]
    )
    kept = cache / "baselines" / f"{hashlib.sha256(wanted.encode()).hexdigest()[:32]}.json"
    try:
        return {
            name: Baseline(**fields) for name, fields in json.loads(kept.read_text(encoding="utf-8")).items()
        }
    except (OSError, ValueError, TypeError):
        pass
    nearest = max(training.start, training.stop - TRAINING_BYTES_AT_MOST)
    baselines = measure_baselines(
        text.read(nearest, training.stop), text.slice(start, stop), follows=start == training.stop
    )
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(
        json.dumps(
            {
                name: {"name": b.name, "nats": b.nats, "characters": b.characters, "bytes": b.bytes}
                for name, b in baselines.items()
            }
        ),
        encoding="utf-8",
    )
    return baselines
