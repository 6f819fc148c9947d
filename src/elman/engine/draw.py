"""Drawing tokens from logits, and writing with an engine that can only step. NumPy only.

This is what other ways of writing must equal, those inside an exported graph too.
"""

import numpy as np
from numpy.typing import NDArray

from .contract import Draws, Engine, Ids, Logits, State, Written


def draw(logits: Logits, draws: Draws, turn: int) -> Ids:
    """Return one id for each row of logits (B, V), by the inverse of its cumulative distribution (B,)."""
    scores = (logits + draws.bias).astype(np.float64) / draws.temperature
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return pick(shares / shares.sum(axis=1, keepdims=True), draws.uniforms[turn])


def pick(probabilities: NDArray[np.float64], uniforms: NDArray[np.float64]) -> Ids:
    """Return, for each row of probabilities (B, V), the id at which their sum passes a number of (B,)."""
    below = np.cumsum(probabilities, axis=1) <= uniforms[:, np.newaxis]
    picked: Ids = np.minimum(below.sum(axis=1), probabilities.shape[1] - 1)
    return picked


def log_probabilities(logits: Logits | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithms of the distributions that logits (..., V) stand for, in float64."""
    scores = logits.astype(np.float64)
    scores -= scores.max(axis=-1, keepdims=True)
    logs: NDArray[np.float64] = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    return logs


def write_by_steps(engine: Engine, ids: Ids, state: State, draws: Draws) -> Written:
    """Do what `Engine.write` promises, one call of the engine for each token."""
    logits, state = engine.feed(ids, state)
    blocks, written = [logits], [draw(logits[-1], draws, 0)]
    for turn in range(1, len(draws.uniforms)):
        logits, state = engine.feed(written[-1][np.newaxis], state)
        blocks.append(logits)
        written.append(draw(logits[-1], draws, turn))
    return Written(np.stack(written), np.concatenate(blocks), state)
