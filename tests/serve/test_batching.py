"""Many streams advance together, and each writes what it writes alone."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from elman import LanguageModel
from elman.engine import Engine, Ids, Logits, State
from elman.serve import Limits

from .conftest import WORDS, Running, running

STREAMS = 100


def mixed(name: str) -> list[dict[str, Any]]:
    """A hundred requests that differ in all that can differ."""
    choose, requests = random.Random(11), []
    for number in range(STREAMS):
        prompt = " ".join(choose.choice(WORDS) for _ in range(choose.choice([1, 3, 10, 80])))
        asked: dict[str, Any] = {
            "model": name,
            "prompt": prompt,
            "max_tokens": choose.randrange(1, 160),
            "seed": number,
            "temperature": choose.choice([0, 0.3, 0.8, 1.0, 1.7]),
        }
        asked |= choose.choice([{}, {}, {"top_p": 0.7}, {"top_k": 5}, {"min_p": 0.1}])
        asked |= choose.choice([{}, {}, {"repetition_penalty": 1.3}, {"stop": ["red", "fell "]}])
        asked |= choose.choice([{}, {}, {}, {"logprobs": 3}])
        requests.append(asked)
    return requests


async def streamed(client: httpx2.AsyncClient, asked: dict[str, Any], delay: float = 0) -> str:
    """Return the text of a stream, which has to end as it should."""
    await asyncio.sleep(delay)
    text, last = "", ""
    async with client.stream("POST", "/v1/completions", json={**asked, "stream": True}) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            last = line or last
            if line.startswith("data: {"):
                text += json.loads(line.removeprefix("data: "))["choices"][0]["text"]
    assert last == "data: [DONE]"
    return text


@pytest.mark.parametrize("name", ["small", "small8"])
def test_a_hundred_mixed_streams_each_write_what_they_write_alone(
    model: LanguageModel, small8: LanguageModel, name: str
) -> None:
    requests, choose = mixed(name), random.Random(5)

    async def all_texts(server: Running) -> tuple[list[str], list[str]]:
        limits = httpx2.Limits(max_connections=STREAMS)
        async with httpx2.AsyncClient(
            base_url=server.url, limits=limits, timeout=60, trust_env=False
        ) as client:
            work = [streamed(client, asked, choose.uniform(0, 0.5)) for asked in requests]
            together = await asyncio.gather(*work)
            return together, [await streamed(client, asked) for asked in requests]

    models = {"small": model, "small8": small8}
    with running({name: models[name]}, Limits(streams=40)) as server:
        together, alone = asyncio.run(all_texts(server))
    assert together == alone
    assert len(set(together)) > 90
    if name == "small":
        for text, asked in zip(together, requests, strict=True):
            assert text == written(model, asked)


def written(model: LanguageModel, asked: dict[str, Any]) -> str:
    """Return what the library writes for a request."""
    names = ("top_p", "top_k", "min_p", "repetition_penalty")
    how = {name: asked[name] for name in names if name in asked}
    how |= {"temperature": asked["temperature"]} if asked["temperature"] else {"greedy": True}
    return model.generate(
        asked["prompt"], asked["max_tokens"], asked["seed"], stop=asked.get("stop", ()), **how
    )


def test_a_long_prompt_does_not_hold_up_the_others(slow: LanguageModel) -> None:
    """While one reads 30,000 characters, another writes on: in slices, not at its end."""
    with running({"slow": slow}, Limits()) as server, server.client() as client:
        asked = {"model": "slow", "prompt": "a", "max_tokens": 400, "stream": True}
        with client.stream("POST", "/v1/completions", json=asked) as answer:
            lines = answer.iter_lines()
            next(lines)
            batcher = server.batcher

            async def long() -> None:
                async with httpx2.AsyncClient(base_url=server.url, timeout=60, trust_env=False) as other:
                    asked = {"model": "slow", "prompt": "the cat " * 4000, "max_tokens": 1}
                    reading = asyncio.ensure_future(other.post("/v1/completions", json=asked))
                    while batcher.tokens_read == 0:
                        await asyncio.sleep(0.002)
                    before = batcher.tokens_written
                    while batcher.tokens_read < 2000:
                        await asyncio.sleep(0.002)
                    assert batcher.tokens_written >= before + 10
                    reading.cancel()

            asyncio.run(long())


class Ragged:
    """An engine that is wrong wherever the rows of a batch are no multiple of 8."""

    name = "ragged"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.vocabulary_size, self.initial_state = engine.vocabulary_size, engine.initial_state

    def step(self, ids: Ids, state: State) -> tuple[Logits, State]:
        logits, state = self.feed(ids[np.newaxis], state)
        return logits[0], state

    def feed(self, ids: Ids, state: State) -> tuple[Logits, State]:
        logits, after = self._engine.feed(ids, state)
        return (-logits, tuple(-part for part in after)) if ids.shape[1] % 8 else (logits, after)


@pytest.mark.parametrize("count", [1, 3, 8, 9])
def test_batches_are_always_full_where_kernels_treat_the_last_rows_in_another_way(
    folder: Path, model: LanguageModel, count: int
) -> None:
    ragged = LanguageModel.load(folder)
    ragged.engine = Ragged(ragged.engine)
    with running({"ragged": ragged}, Limits()) as server, server.client() as client:
        asked = {"model": "ragged", "prompt": "the cat sat", "max_tokens": 60, "seed": 1, "n": count}
        choices = client.post("/v1/completions", json=asked).json()["choices"]
    assert [choice["text"] for choice in choices] == [
        model.generate("the cat sat", 60, seed=1 + n) for n in range(count)
    ]
