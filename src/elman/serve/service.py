"""The models that are served, each with its batcher; from what a client asks to the texts that answer it.

Requests come in checked field by field; what depends on a model or on the limits is checked here. Knows
nothing of HTTP but the refusals.
"""

import asyncio
import secrets
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from elman.api import LanguageModel
from elman.engine import Ids
from elman.evaluation.score import TokenScore
from elman.generation import Sampling, StreamState, opening

from .batcher import Batcher
from .job import Order
from .limits import Limits
from .messages import CompletionRequest
from .metrics import Metrics
from .rating import spelled
from .refusal import RefusedError, stopping
from .states import Kept, States
from .texts import Texts

SCORES = 16  # texts that wait to be scored, for each model


class Beginning(NamedTuple):
    """Where a text starts."""

    state: StreamState
    ahead: Ids  # to read from there
    prompt: str  # the text that is read
    tokens: Ids  # those of the prompt
    unknown: list[str]  # pieces of the prompt that the model does not know


class Begun(NamedTuple):
    """Texts that are being written, as many for each prompt."""

    texts: Texts
    prompts: list[str]
    prompt_tokens: int
    unknown: list[str]  # different pieces of the prompts that the model does not know


class Served:
    """One model."""

    def __init__(self, name: str, model: LanguageModel, limits: Limits, idle: threading.Event) -> None:
        """Check that it writes on, and start its threads.

        Raises:
            RequestError: the model fills gaps.
            LeakError: the model sees what it has to predict.
        """
        model.start()
        self.name, self.model, self.created = name, model, int(time.time())
        self.batcher = Batcher(model.engine, model.tokenizer.unknown, limits.streams, limits.queue, idle)
        self._scorer, self._scores = ThreadPoolExecutor(1, "elman-score"), 0

    async def score(self, text: str) -> list[TokenScore]:
        """Score a text, one at a time.

        Raises:
            RefusedError: too many wait.
        """
        if self._scores >= SCORES:
            raise RefusedError(429, "too many texts wait to be scored; try again later", code="busy")
        self._scores += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._scorer, self.model.score, text)
        finally:
            self._scores -= 1

    def close(self) -> None:
        """End the threads."""
        self.batcher.close()
        self._scorer.shutdown(cancel_futures=True)


class Service:
    """All that a server is but its protocol."""

    def __init__(self, models: Mapping[str, LanguageModel], limits: Limits) -> None:
        self.limits, self.metrics = limits, Metrics()
        self.idle = threading.Event()  # the event loop has nothing to do
        self.idle.set()
        self.models = {name: Served(name, model, limits, self.idle) for name, model in models.items()}
        self.states = States(limits.states, limits.state_seconds)
        self.draining = False  # what runs is finished, nothing new begins
        self.stopped = asyncio.Event()  # nobody is answered any more

    def close(self) -> None:
        """End all threads, and with them what still runs."""
        for served in self.models.values():
            served.close()

    def find(self, name: str) -> Served:
        """Return a model by its name.

        Raises:
            RefusedError: there is none.
        """
        if name not in self.models:
            known = ", ".join(self.models)
            raise RefusedError(
                404, f"there is no model {name!r}, expected {known}", "model", "model_not_found"
            )
        return self.models[name]

    def find_for_work(self, name: str) -> Served:
        """Return a model that takes new work.

        Raises:
            RefusedError: there is none, or the server is stopping.
        """
        if self.draining:
            raise stopping()
        return self.find(name)

    def check_text(self, text: str, param: str) -> None:
        """Refuse a text that is too long.

        Raises:
            RefusedError: it is.
        """
        if len(text) > self.limits.prompt:
            raise RefusedError(
                413,
                f"{param} has {len(text):,} characters, expected {self.limits.prompt:,} at most",
                param,
                "too_long",
            )

    def complete(self, asked: CompletionRequest, kept: Kept | None) -> Begun:
        """Begin to write what is asked, on from a state where one is given.

        Raises:
            RefusedError: a length over the limits, a state of another model, no room.
        """
        served = self.find_for_work(asked.model)
        self._check_size(asked)
        beginnings = [self._beginning(served, prompt, kept) for prompt in asked.prompts]
        seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
        sampling = Sampling(
            asked.temperature,
            asked.top_k,
            asked.top_p if asked.top_p < 1 else None,
            asked.min_p or None,
            asked.repetition_penalty,
        )
        echoed, rewinds = asked.echo and asked.logprobs is not None, asked.advance and bool(asked.stop)
        orders = list[tuple[Order, Beginning]]()
        for start in beginnings:
            pieces = spelled(served.model.tokenizer, start.tokens, start.prompt) if echoed else []
            offset = 0 if echoed else len(start.prompt)
            rest = (asked.stop, asked.logprobs, rewinds, offset, pieces)
            orders += [(Order(asked.max_tokens, sampling, seed + n, *rest), start) for n in range(asked.n)]
        return self._begin(served, beginnings, orders)

    def read(self, name: str, prompt: str | None, kept: Kept | None) -> Begun:
        """Begin to read a prompt, to keep the state after it; its job is the only one.

        Raises:
            RefusedError: a prompt over the limits, a state of another model, no room.
        """
        served = self.find_for_work(name)
        self.check_text(prompt or "", "prompt")
        start = self._beginning(served, prompt or "", kept)
        return self._begin(served, [start], [(Order(0, Sampling(), 0), start)])

    def _check_size(self, asked: CompletionRequest) -> None:
        """Refuse what the server never has room for."""
        if asked.max_tokens > self.limits.tokens:
            raise RefusedError(
                400,
                f"max_tokens is {asked.max_tokens}, expected {self.limits.tokens} at most",
                "max_tokens",
                "invalid_value",
            )
        self.check_text("".join(asked.prompts), "prompt")
        places = self.limits.streams + self.limits.queue
        if (texts := len(asked.prompts) * asked.n) > places:
            raise RefusedError(
                400,
                f"{texts:,} texts are asked for (n for each prompt), expected {places:,} at most: "
                "all that the server has places for",
                "n" if asked.n > 1 else "prompt",
                "invalid_value",
            )

    def _begin(
        self, served: Served, beginnings: list[Beginning], orders: list[tuple[Order, Beginning]]
    ) -> Begun:
        each = [(order, start.state, start.ahead) for order, start in orders]
        texts = Texts(each, served.model.tokenizer.pieces)
        texts.begin(served.batcher, self.limits.seconds, self.metrics.first.add)
        return Begun(
            texts,
            [start.prompt for start in beginnings],
            sum(len(start.tokens) for start in beginnings),
            list(dict.fromkeys(piece for start in beginnings for piece in start.unknown)),
        )

    def _beginning(self, served: Served, prompt: str, kept: Kept | None) -> Beginning:
        """Return where to start, and what to read from there."""
        tokenizer, engine = served.model.tokenizer, served.model.engine
        if kept is not None and kept.model != served.name:
            raise RefusedError(
                400, f"the state is one of {kept.model!r}, expected one of {served.name!r}", "state"
            )
        text = prompt or ("" if kept else opening(tokenizer))
        ids = tokenizer.encode(text) if text else np.empty(0, dtype=np.int64)
        unknown = tokenizer.unknown_pieces(text) if tokenizer.unknown in ids else []
        if kept is not None:
            return Beginning(kept.state, ids, text, ids, unknown)
        start = StreamState(engine.initial_state(1), (int(ids[0]),))
        return Beginning(start, ids[1:], text, ids, unknown)
