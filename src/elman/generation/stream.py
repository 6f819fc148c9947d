"""A text that a model goes on with: a prompt is fed once, then each token costs the same, however long the
text.

An engine, a tokenizer and a way of sampling come in; characters come out as soon as they are whole. Knows
nothing of where weights come from.
"""

import codecs
from collections.abc import Iterator

import numpy as np

from elman.engine import Engine, Logits, State
from elman.errors import RequestError
from elman.tokens import Tokenizer

from .sampling import Sampling


class Stream:
    """A place in a text: the state after all that was read, and the logits of what comes next."""

    def __init__(self, engine: Engine, tokenizer: Tokenizer, prompt: str) -> None:
        """Read a prompt of at least one character.

        Raises:
            RequestError: the prompt is empty.
        """
        if not prompt:
            raise RequestError(
                "the prompt is empty, expected at least one character; leave it out to start a new line"
            )
        self._engine, self._tokenizer = engine, tokenizer
        self._state: State = engine.initial_state(1)
        self._logits: Logits
        ids = tokenizer.encode(prompt)
        for start in range(0, len(ids), 1024):
            logits, self._state = engine.feed(ids[start : start + 1024, np.newaxis], self._state)
            self._logits = logits[-1, 0]

    def tokens(self, sampling: Sampling, random: np.random.Generator) -> Iterator[int]:
        """Yield token ids without end; the unknown token is never among them."""
        while True:
            token = sampling.choose(self._logits, random, forbidden=self._tokenizer.unknown)
            logits, self._state = self._engine.step(np.array([token]), self._state)
            self._logits = logits[0]
            yield token

    def text(self, length: int, sampling: Sampling, seed: int) -> Iterator[str]:
        """Yield the text of the next `length` tokens piece by piece; a character is never split."""
        random = np.random.Generator(np.random.PCG64(seed))
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for _, token in zip(range(length), self.tokens(sampling, random), strict=False):
            if piece := decoder.decode(self._tokenizer.pieces[token]):
                yield piece
        if piece := decoder.decode(b"", final=True):
            yield piece
