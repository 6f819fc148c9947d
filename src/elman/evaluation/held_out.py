"""The result of a model on the held-out part of its own text: score, baselines and verdict, ready for
`--json`.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from elman.errors import StorageError
from elman.progress import Advance, Tally, counter
from elman.storage.atomic import write_text
from elman.text import Part, TextStore

from .baselines import TRAINING_BYTES_AT_MOST, Baseline, measure_baselines
from .copying import share_copied
from .gaps import score_gaps
from .neighbours import measure_gap_baselines
from .score import Score, Scored, score_text
from .verdict import verdict

CONTEXT = 1000  # characters before the part, which the model reads without being scored on them
STRETCHES, STRETCH = 20, 500  # of another text: how many, and characters of each, are looked for


def evaluate_part(
    model: Scored,
    text: TextStore,
    training: Part,
    part: Part,
    cache: Path,
    characters_at_most: int | None = None,
    train_nats_per_token: float | None = None,
    advance: Advance | None = None,
) -> dict[str, Any]:
    """Score a held-out part of a text, of which the model learned the training part.

    Of a model that fills gaps each character is scored between its neighbours, and so are the baselines.
    With a limit, the first so many characters are scored; `of_characters` says how many there are.
    `advance` hears of "scoring" (characters) and "baselines".
    """
    there = part.stop - part.start
    stop = part.start + min(there, characters_at_most or there)
    context = text.slice(max(0, part.start - CONTEXT), part.start)
    scoring = counter(advance, "scoring", stop - part.start)
    score = _score(model, text.read(part.start, stop), context, scoring)
    counter(advance, "baselines")
    baselines = part_baselines(text, training, part.start, stop, cache, gaps=model.window is not None)
    return report(score, baselines, train_nats_per_token, model.leak) | {
        "part": part.name,
        "of_characters": there,
        **_dynamic(model, text.read(part.start, stop), context, stop - part.start, advance),
    }


def evaluate_foreign(
    model: Scored,
    text: TextStore,
    learned: tuple[TextStore, Part] | None,
    characters_at_most: int | None = None,
    advance: Advance | None = None,
) -> dict[str, Any]:
    """Score another text than the one the model learned, from a cold state.

    The baselines learn what the model learned, and "learned" is the share of the text that stands there;
    without `learned` (the text and its training part) there are none.
    """
    stop = min(text.characters, characters_at_most or text.characters)
    score = _score(model, text.read(0, stop), "", counter(advance, "scoring", stop))
    baselines, share = {}, None
    if learned:
        store, training = learned
        counter(advance, "baselines")
        share = share_copied(_stretches(text, stop), nearest(store, training))
        learned_from, heldout = nearest(store, training), text.slice(0, stop)
        if model.window is None:
            baselines = measure_baselines(learned_from, heldout, follows=False)
        else:
            baselines = measure_gap_baselines(learned_from, heldout)
    return report(score, baselines, leak=model.leak, learned=share) | {
        "part": "whole text",
        "of_characters": text.characters,
        "learned": share,
        **_dynamic(model, text.read(0, stop), "", stop, advance),
    }


def report(
    score: Score,
    baselines: dict[str, Baseline],
    train_nats_per_token: float | None = None,
    leak: str | None = None,
    learned: float | None = None,
) -> dict[str, Any]:
    """Return a score beside its baselines, as `--json` shows them."""
    return {
        **score.as_dict(),
        "baselines": {name: baseline.bits_per_byte for name, baseline in baselines.items()},
        "leak": leak,
        "verdict": verdict(score, baselines, train_nats_per_token, leak, learned),
    }


def part_baselines(
    text: TextStore, training: Part, start: int, stop: int, cache: Path, gaps: bool = False
) -> dict[str, Baseline]:
    """Return the baselines of a stretch of a text, or of gaps in it, from the cache or measured now."""
    limits = [training.start, training.stop, start, stop, TRAINING_BYTES_AT_MOST]
    wanted = json.dumps([1, text.fingerprint, *limits, *(["gaps"] if gaps else [])])
    kept = cache / "baselines" / f"{hashlib.sha256(wanted.encode()).hexdigest()[:32]}.json"
    try:
        return {
            name: Baseline(**fields) for name, fields in json.loads(kept.read_text(encoding="utf-8")).items()
        }
    except (OSError, ValueError, TypeError):
        pass
    learned_from, heldout = nearest(text, training), text.slice(start, stop)
    if gaps:
        baselines = measure_gap_baselines(learned_from, heldout)
    else:
        baselines = measure_baselines(learned_from, heldout, follows=start == training.stop)
    with suppress(StorageError):  # they can be measured again
        write_text(kept, json.dumps({name: asdict(baseline) for name, baseline in baselines.items()}))
    return baselines


def _score(model: Scored, chunks: Iterable[str], context: str, advance: Tally | None) -> Score:
    """Score a text as a stream, or gap by gap where that is what the model fills."""
    if model.window is None:
        return score_text(model, chunks, context, advance)
    return score_gaps(model, chunks, context, advance)


def _dynamic(
    model: Scored, chunks: Iterable[str], context: str, characters: int, advance: Advance | None
) -> dict[str, Any]:
    """Score the same text while learning from it, where that was asked for."""
    if model.dynamic is None:
        return {}
    learner = model._replace(engine=model.dynamic)
    score = score_text(learner, chunks, context, counter(advance, "learning while scoring", characters))
    return {"dynamic": score.as_dict()}


def _stretches(text: TextStore, stop: int) -> str:
    """Return the first so many characters of a text, or stretches spread over them where they are many."""
    if stop <= STRETCHES * STRETCH:
        return text.slice(0, stop)
    starts = (number * (stop - STRETCH) // (STRETCHES - 1) for number in range(STRETCHES))
    return "".join(text.slice(start, start + STRETCH) for start in starts)


def nearest(text: TextStore, training: Part) -> Iterator[str]:
    """Read what baselines and the copy check use of a training part: its end."""
    return text.read(max(training.start, training.stop - TRAINING_BYTES_AT_MOST), training.stop)
