"""A trained model and the name of a text in, its evaluation out: on its own held-out part or another text."""

from collections.abc import Mapping, Sequence
from typing import Any

from elman.config import Settings
from elman.errors import RequestError, TextError
from elman.evaluation.held_out import evaluate_foreign, evaluate_part
from elman.evaluation.score import Scored
from elman.progress import Advance, counter
from elman.text import Part, TextStore, cache_folder, find_text, open_text, split

from .copies import measure_copies

HELD_OUT = ("validation", "test")
CHARACTERS_AT_MOST = 1_000_000  # scored after training and of 8 bits; `elman evaluate` scores all


def evaluate(
    model: Scored,
    config: Mapping[str, Any],
    settings: Settings,
    train_nats_per_token: float | None,
    texts: Sequence[str] | None = None,
    part: str = HELD_OUT[0],
    characters: int | None = None,
    encoding: str | None = None,
    advance: Advance | None = None,
) -> dict[str, Any]:
    """Score a text that the model has not learned; what it was trained on counts as its own, however named.

    `config` is that of the model folder. Without texts the model's own is found again, in the cache or where
    it was.

    Raises:
        RequestError: `part` is neither validation nor test, or is named with another text.
        TextError: a text that cannot be read; a part that is empty.
    """
    if part not in HELD_OUT:
        raise RequestError(f"part is {part!r}, expected {' or '.join(HELD_OUT)}")
    if characters is not None and characters < 1:
        raise RequestError(f"characters is {characters}, expected 1 or more; leave it out to score all")
    own = config["text"]
    text = find_text(own["fingerprint"], cache_folder()) if texts is None else None
    if text is None:
        names = own["sources"] if texts is None else texts
        if texts is None and "-" in names:
            raise TextError(
                "the model learned from standard input, and the cache has that text no longer; name a text "
                "to score"
            )
        text = _open(names, encoding, settings, settings.characters, advance)
        if texts is not None and text.fingerprint != own["fingerprint"] and settings.characters:
            text = _open(names, encoding, settings, None, advance)
    if text.fingerprint == own["fingerprint"]:
        training, held_out = _parts(text, settings, part)
        score = evaluate_part(
            model, text, training, held_out, cache_folder(), characters, train_nats_per_token, advance
        )
        if model.window is None:
            score["copied"] = measure_copies(model, text, training)
        return score
    if texts is None:
        raise TextError(
            f"{', '.join(own['sources'])} is no longer the text the model learned; name a text to score"
        )
    if part != HELD_OUT[0]:
        raise RequestError(
            f"part {part} is one of the model's own text, found another text; leave out the part or the text"
        )
    learned = find_text(own["fingerprint"], cache_folder())
    training_part = (learned, _parts(learned, settings, part)[0]) if learned else None
    return evaluate_foreign(model, text, training_part, characters, advance)


def _open(
    names: Sequence[str],
    encoding: str | None,
    settings: Settings,
    characters: int | None,
    advance: Advance | None,
) -> TextStore:
    return open_text(
        names,
        cache_folder(),
        encoding or settings.encoding,
        characters,
        settings.line_ends,
        counter(advance, "reading"),
    )


def _parts(text: TextStore, settings: Settings, name: str) -> tuple[Part, Part]:
    parts = {part.name: part for part in split(text.characters, settings.split)}
    if name not in parts or parts[name].start == parts[name].stop:
        raise TextError(
            f"the split {settings.split} has no {name} part; train with --split 90/5/5 to have one"
        )
    return parts["train"], parts[name]
