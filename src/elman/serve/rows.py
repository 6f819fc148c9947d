"""Streams side by side: the states of many as one, and the next token of each.

The numbers of a row must not depend on how many rows there are, so that a text is the same alone and among
others. Kernels treat the last rows of an odd batch in another way: batches are filled up to multiples of 8.
"""

from collections.abc import Sequence

import numpy as np

from elman.engine import Draws, Engine, Logits, State, draw

from .job import Job

ALIGNED = 8


def padded(rows: int) -> int:
    """Return how many rows a batch has that holds so many streams."""
    return -(-rows // ALIGNED) * ALIGNED


def gather(engine: Engine, states: Sequence[State]) -> State:
    """Return the states (1, size) of streams as one state of a batch, filled up with new streams."""
    empty = engine.initial_state(padded(len(states)) - len(states))
    return tuple(np.concatenate(parts) for parts in zip(*states, empty, strict=True))


def choose(jobs: Sequence[Job], logits: Logits, bias: Logits) -> list[int]:
    """Return the next token of each stream, given logits (B, V); `bias` (1, V) is added to them."""
    plain = [row for row, job in enumerate(jobs) if job.order.sampling.plain]
    tokens = [0] * len(jobs)
    if plain:
        each = [jobs[row].order.sampling.draws(jobs[row].random, 1, bias[0]) for row in plain]
        uniforms = np.concatenate([draws.uniforms for draws in each], axis=1)
        temperature = np.concatenate([draws.temperature for draws in each])
        drawn = draw(logits[plain], Draws(uniforms, temperature, bias), 0).tolist()
        for row, token in zip(plain, drawn, strict=True):
            tokens[row] = token
    for row, job in enumerate(jobs):
        if not job.order.sampling.plain:
            tokens[row] = job.order.sampling.choose(logits[row], job.random, bias[0], job.recent)
    return tokens
