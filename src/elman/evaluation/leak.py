"""Does a model see what it has to predict? Token ids are changed, and no prediction before them may move.

A function from ids to logits comes in, the largest forbidden change goes out. Knows nothing of what runs it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from elman.engine import Engine, Ids, Logits

STEPS, ROWS = 8, 3  # of the random text that is tried
OTHER = "another row"
ROUNDING = 1e-5  # share of the largest logit by which arithmetic may differ

Predict = Callable[[Ids], Logits]  # ids (T, B) -> logits (T, B, V)


class Leak(NamedTuple):
    """The largest change of a prediction by something that it must not depend on."""

    difference: float  # of a logit
    scale: float  # the largest logit of the trial
    step: int  # whose prediction changed
    source: str  # what it depends on: "a later token", "the token itself" or "another row"

    def __str__(self) -> str:
        """Say it with its number."""
        return (
            f"the prediction at step {self.step} moved by {self.difference:.3g} "
            f"(logits up to {self.scale:.3g}) when {self.source} changed"
        )


def find_leak(
    predict: Predict, vocabulary_size: int, shift: int = 1, both_sides: bool = False
) -> Leak | None:
    """Return the largest leak of a model, or None where it is honest.

    The logits at step t are taken to predict the token at t + `shift`; so they may depend on the tokens
    before that one in the same row, with `both_sides` also on those after it, and on nothing else.
    """
    random = np.random.default_rng(0)
    ids = random.integers(0, vocabulary_size, (STEPS, ROWS))
    honest = predict(ids)
    scale = float(np.abs(honest).max())
    leaks, seen = [], "the token itself" if both_sides else "a later token"
    for position in range(shift, STEPS):
        until = position + 1 if both_sides else STEPS
        changed = ids.copy()
        changed[position:until, 0] = (changed[position:until, 0] + 1) % vocabulary_size
        moved = np.abs(predict(changed) - honest).max(axis=-1)  # (T, B)
        here = position - shift  # the step that predicts the token at this position
        first = here if both_sides else 0
        for source, start, part in ((seen, first, moved[first : here + 1, :1]), (OTHER, 0, moved[:, 1:])):
            if part.max() > ROUNDING * scale:
                leaks.append(Leak(float(part.max()), scale, start + int(part.max(axis=1).argmax()), source))
    return max(leaks, default=None)


def predict_with(engine: Engine) -> Predict:
    """Return the predictions of an engine from a fresh state, read in two halves with the state carried."""

    def predict(ids: Ids) -> Logits:
        half = len(ids) // 2
        first, state = engine.feed(ids[:half], engine.initial_state(ids.shape[1]))
        second, _ = engine.feed(ids[half:], state)
        return np.concatenate([first, second])

    return predict


def find_peek(engine: Engine) -> Leak | None:
    """Return the largest leak of a model that fills gaps: at t it may see every token but the one at t."""
    fresh = engine.initial_state(ROWS)
    return find_leak(lambda ids: engine.feed(ids, fresh)[0], engine.vocabulary_size, shift=0, both_sides=True)
