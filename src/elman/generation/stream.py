"""A text that a model goes on with: a prompt is read once, then each token costs the same, however long the
text.

An engine, a tokenizer and a way of sampling come in; characters come out as soon as they are whole. Knows
nothing of where weights come from.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from elman.engine import Engine, Logits, log_probabilities
from elman.errors import RequestError
from elman.tokens import Tokenizer

from .arguments import checked
from .beam import search
from .sampling import Sampling, forbid
from .state import StreamState, refuse_foreign
from .stop import Stops
from .transcript import Transcript

AT_ONCE = 64  # tokens in one call of the engine, at most
SECONDS_AT_ONCE = 0.02  # in one call: more would show as a stutter
READ_AT_ONCE = 1024  # tokens of a prompt


class Stream:
    """Stands at a place in a text and writes on from there.

    `state` is a value: keep it and set it again to rewind, give it to another stream to fork, save it to
    go on in another process. It is that after the text that was passed on, not of what is held back for it
    may be the beginning of a stop string. A token goes in whole: where a stop string begins in the middle of
    one, what was passed on of that token is not in the state.
    """

    def __init__(self, engine: Engine, tokenizer: Tokenizer, state: StreamState) -> None:
        """Begin at a state, which is one of this engine."""
        self._engine, self._tokenizer, self._state = engine, tokenizer, state
        self._ahead: list[int] = []  # tokens that were taken since then

    @classmethod
    def after(cls, engine: Engine, tokenizer: Tokenizer, prompt: str, model: str = "") -> "Stream":
        """Read a prompt of at least one character; `model` goes into the states.

        Raises:
            RequestError: the prompt is empty.
        """
        if not prompt:
            raise RequestError(
                "the prompt is empty, expected at least one character; leave it out to start a new line"
            )
        first, *others = tokenizer.encode(prompt).tolist()
        stream = cls(engine, tokenizer, StreamState(engine.initial_state(1), (first,), model))
        stream._ahead = others
        return stream

    def read(self, text: str) -> None:
        """Read more text."""
        self._ahead += self._tokenizer.encode(text).tolist() if text else []

    def surprise(self, text: str) -> float:
        """Return how many nats a text of at least one character would cost here, and stay here."""
        return self._nats(self.state, self._tokenizer.encode(text).tolist())

    @property
    def state(self) -> StreamState:
        """Where the stream stands: after the last token that was taken from it."""
        if self._ahead:
            memory, read = self._state.memory, [self._state.token, *self._ahead[:-1]]
            for start in range(0, len(read), READ_AT_ONCE):
                ids = np.array(read[start : start + READ_AT_ONCE])[:, np.newaxis]
                _, memory = self._engine.feed(ids, memory)
            self.state = self._state.after(memory, self._ahead)
        return self._state

    @state.setter
    def state(self, state: StreamState) -> None:
        refuse_foreign(state, self._state.model)
        self._state, self._ahead = state, []

    def tokens(
        self, count: int, sampling: Sampling, random: np.random.Generator, forbidden: Sequence[int] = ()
    ) -> Iterator[int]:
        """Return an iterator over token ids; the unknown token is never among them.

        Raises:
            RequestError: all tokens are forbidden.
        """
        return self._tokens(count, sampling, random, self._bias(forbidden))

    def _tokens(
        self, count: int, sampling: Sampling, random: np.random.Generator, bias: Logits
    ) -> Iterator[int]:
        if sampling.plain:
            yield from self._many_at_once(count, sampling, random, bias)
            return
        for _ in range(count):
            state = self.state
            logits, memory = self._engine.step(np.array([state.token]), state.memory)
            token = sampling.choose(logits[0], random, bias, state.recent)
            self.state = state.after(memory, [token])
            yield token

    @checked
    def text(
        self,
        length: int,
        sampling: Sampling,
        seed: int,
        stop: str | Sequence[str] = (),
        forbidden: Sequence[int] = (),
    ) -> Iterator[str]:
        """Return an iterator over the text of the next `length` tokens; a character is never split.

        It ends before the first of the strings in `stop`.

        Raises:
            RequestError: a length, a seed or a stop string that cannot be; all tokens are forbidden.
        """
        if length < 1:
            raise RequestError(f"the length is {length}, expected 1 token or more")
        if seed < 0:
            raise RequestError(f"the seed is {seed}, expected 0 or more")
        random, bias = _random(seed), self._bias(forbidden)
        return self._spell(lambda writer: writer._tokens(length, sampling, random, bias), Stops(stop))

    @checked
    def best(
        self,
        count: int,
        length: int,
        sampling: Sampling,
        seed: int,
        stop: str | Sequence[str] = (),
        forbidden: Sequence[int] = (),
    ) -> str:
        """Write `count` texts, with the seeds from `seed` on, and go on with the least surprising one."""
        stops, found = Stops(stop), []
        for number in range(count):
            writer = Stream(self._engine, self._tokenizer, self.state)
            ids = list(writer.tokens(length, sampling, _random(seed + number), forbidden))
            found.append((self._nats(self.state, ids), number, ids))
        return "".join(self._spell(lambda writer: writer._take(min(found)[2]), stops))

    @checked
    def beam(
        self, width: int, length: int, stop: str | Sequence[str] = (), forbidden: Sequence[int] = ()
    ) -> str:
        """Return the likeliest text that `width` beams find, and go on after it."""
        stops = Stops(stop)
        ids = search(self._engine, self.state, length, width, self._bias(forbidden))[0].tokens
        return "".join(self._spell(lambda writer: writer._take(ids), stops))

    def _bias(self, forbidden: Sequence[int]) -> Logits:
        bias = forbid(self._engine.vocabulary_size, (self._tokenizer.unknown, *forbidden))
        if np.isneginf(bias).all():
            raise RequestError("every token is forbidden, expected one or more to write; forbid less")
        return bias

    def _nats(self, start: StreamState, ids: Sequence[int]) -> float:
        """Return how surprising tokens are after a state."""
        read = np.array([start.token, *ids[:-1]])[:, np.newaxis]
        logits, _ = self._engine.feed(read, start.memory)
        return -float(log_probabilities(logits[:, 0])[np.arange(len(ids)), ids].sum())

    def _take(self, ids: Sequence[int]) -> Iterator[int]:
        """Yield tokens that were chosen elsewhere."""
        for token in ids:
            if len(self._ahead) == READ_AT_ONCE:
                _ = self.state
            self._ahead.append(token)
            yield token

    def _spell(self, choose: Callable[["Stream"], Iterator[int]], stops: Stops) -> Iterator[str]:
        """Yield text in whole characters up to a stop string, and follow with the state.

        A fork of this stream takes the tokens and runs ahead by what is held back.
        """
        writer = Stream(self._engine, self._tokenizer, self.state)
        transcript = Transcript(self._tokenizer.pieces, stops)
        places: deque[tuple[int, StreamState, list[int]]] = deque()  # ends of tokens that are held back
        for token in choose(writer):
            _, piece = transcript.take(token)
            if transcript.whole:
                places.append((transcript.taken, writer._state, writer._ahead.copy()))
            while places and places[0][0] <= transcript.passed:
                _, self._state, self._ahead = places.popleft()
            if piece:
                yield piece
            if transcript.stopped:
                return
        self._state, self._ahead = writer._state, writer._ahead
        if piece := transcript.end():
            yield piece

    def _many_at_once(
        self, count: int, sampling: Sampling, random: np.random.Generator, bias: Logits
    ) -> Iterator[int]:
        """Yield tokens that the engine draws by itself: one at first, so that it shows, then more a call."""
        size = 1
        while count:
            state, size = self.state, min(size, count)
            start = time.perf_counter()
            ids = np.array([[state.token]])
            written = self._engine.write(ids, state.memory, sampling.draws(random, size, bias))
            tokens = written.ids[:, 0].tolist()
            seconds = time.perf_counter() - start
            for token in tokens:
                self._ahead.append(token)
                if len(self._ahead) == size:
                    self.state = state.after(written.state, tokens)
                yield token
            count -= size
            size = max(1, min(2 * size if seconds < SECONDS_AT_ONCE else size // 2, AT_ONCE))


def _random(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def opening(tokenizer: Tokenizer) -> str:
    """Return what a text starts after where there is no prompt: a new line, where the model knows one."""
    return tokenizer.pieces[-1].decode() if tokenizer.unknown_pieces("\n") else "\n"
