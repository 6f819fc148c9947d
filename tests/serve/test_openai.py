"""The official client of OpenAI, as people use it, against a real server."""

import math
from collections.abc import Iterator

import openai
import pytest

from elman import LanguageModel
from elman.serve.messages import CompletionRequest

from .conftest import Running


@pytest.fixture
def client(server: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["small", "small8"]
    assert client.models.retrieve("small").owned_by == "elman"
    with pytest.raises(openai.NotFoundError, match="there is no model 'other', expected small"):
        client.models.retrieve("other")


def test_a_completion_is_what_the_library_writes(client: openai.OpenAI, model: LanguageModel) -> None:
    done = client.completions.create(model="small", prompt="the cat", max_tokens=120, seed=3)
    (choice,) = done.choices
    assert choice.text == model.generate("the cat", 120, seed=3)
    assert choice.finish_reason == "length"
    assert done.usage is not None
    assert (done.usage.prompt_tokens, done.usage.completion_tokens, done.usage.total_tokens) == (7, 120, 127)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({"temperature": 0}, {"greedy": True}),
        ({"temperature": 0.5}, {"temperature": 0.5}),
        ({"top_p": 0.6}, {"top_p": 0.6}),
        ({"extra_body": {"top_k": 3, "repetition_penalty": 1.5}}, {"top_k": 3, "repetition_penalty": 1.5}),
        ({"extra_body": {"min_p": 0.2}}, {"min_p": 0.2}),
    ],
)
def test_sampling_is_that_of_the_library(
    client: openai.OpenAI, model: LanguageModel, asked: dict, meant: dict
) -> None:
    done = client.completions.create(model="small", prompt="a dog ran", max_tokens=80, seed=5, **asked)
    assert done.choices[0].text == model.generate("a dog ran", 80, seed=5, **meant)


def test_a_stream_gives_the_same_text_in_parts(client: openai.OpenAI, model: LanguageModel) -> None:
    parts = list(
        client.completions.create(model="small", prompt="Señor", max_tokens=600, seed=9, stream=True)
    )
    assert "".join(part.choices[0].text for part in parts) == model.generate("Señor", 600, seed=9)
    assert len(parts) > 1
    assert [part.choices[0].finish_reason for part in parts[:-1]] == [None] * (len(parts) - 1)
    assert parts[-1].choices[0].finish_reason == "length"


@pytest.mark.parametrize("stop", ["cat", ["zebra", "og", "at on a", "do"]])
@pytest.mark.parametrize("stream", [False, True])
def test_a_text_ends_before_a_stop_string(
    client: openai.OpenAI, model: LanguageModel, stop: str | list[str], stream: bool
) -> None:
    answer = client.completions.create(
        model="small", prompt="the", max_tokens=500, seed=1, stop=stop, stream=stream
    )
    choices = [part.choices[0] for part in answer] if stream else [answer.choices[0]]
    stops = [stop] if isinstance(stop, str) else stop
    expected = model.generate("the", 500, seed=1, stop=stops)
    assert "".join(choice.text for choice in choices) == expected
    assert len(expected) < 400
    assert choices[-1].finish_reason == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_n_texts_take_seeds_one_after_another(
    client: openai.OpenAI, model: LanguageModel, stream: bool
) -> None:
    answer = client.completions.create(
        model="small", prompt="rain", max_tokens=90, seed=20, n=3, stream=stream, echo=True
    )
    texts = ["", "", ""]
    for part in answer if stream else [answer]:
        for choice in part.choices:
            texts[choice.index] += choice.text
    assert texts == ["rain" + model.generate("rain", 90, seed=20 + n) for n in range(3)]


def test_without_a_seed_texts_differ(client: openai.OpenAI) -> None:
    texts = {
        client.completions.create(model="small", prompt="a", max_tokens=50).choices[0].text for _ in range(3)
    }
    assert len(texts) == 3


def test_logprobs_of_an_echo_are_the_surprise_that_the_library_scores(
    client: openai.OpenAI, model: LanguageModel
) -> None:
    prompt = "the naïve dog@saw"
    done = client.completions.create(
        model="small", prompt=prompt, max_tokens=30, seed=2, echo=True, logprobs=4
    )
    choice = done.choices[0]
    rated = choice.logprobs
    assert rated is not None
    assert "".join(rated.tokens) == choice.text
    assert rated.text_offset == list(range(len(choice.text)))
    scored = model.score(choice.text)
    assert rated.token_logprobs[0] is None
    for token, (logprob, score) in enumerate(zip(rated.token_logprobs, scored, strict=True)):
        if token and rated.tokens[token] != "@":  # that one is charged for its spelling as well
            assert logprob == pytest.approx(-score.nats, abs=1e-4)
    for chosen, listed, logprob in zip(
        rated.tokens[1:], rated.top_logprobs[1:], rated.token_logprobs[1:], strict=True
    ):
        assert len(listed) == 4
        values = list(listed.values())
        assert values == sorted(values, reverse=True)
        assert sum(map(math.exp, values)) <= 1
        if chosen in listed:
            assert listed[chosen] == logprob
        else:
            assert logprob <= values[-1]


def test_a_prompt_alone_is_rated_where_no_token_is_asked_for(client: openai.OpenAI) -> None:
    def rated(prompt: str) -> list[float | None]:
        done = client.completions.create(model="small", prompt=prompt, max_tokens=0, echo=True, logprobs=0)
        (choice,) = done.choices
        assert choice.text == prompt
        assert choice.logprobs is not None
        assert choice.logprobs.top_logprobs is None
        return choice.logprobs.token_logprobs

    assert rated("t") == [None]
    whole = rated("the cat sat on a mat " * 20)
    assert len(whole) == 420
    assert rated("the cat")[1:] == whole[1:7]


def test_logprobs_of_a_stream_are_those_of_the_whole(client: openai.OpenAI) -> None:
    asked = {"model": "small", "prompt": "one", "max_tokens": 200, "seed": 4, "logprobs": 2, "stop": ["door"]}
    whole = client.completions.create(**asked).choices[0].logprobs
    tokens, logprobs, offsets, text = [], [], [], ""
    for part in client.completions.create(**asked, stream=True):
        rated = part.choices[0].logprobs
        tokens, logprobs = tokens + rated.tokens, logprobs + rated.token_logprobs
        offsets, text = offsets + rated.text_offset, text + part.choices[0].text
    assert (tokens, logprobs, offsets) == (whole.tokens, whole.token_logprobs, whole.text_offset)
    assert "".join(tokens) == text
    assert offsets == list(range(3, 3 + len(text)))  # the prompt stands before


NEUTRAL = {
    "user": "me",
    "frequency_penalty": 0,
    "presence_penalty": 0.0,
    "best_of": 1,
    "suffix": None,
    "logit_bias": {},
    "stream_options": None,
}


def test_fields_that_change_nothing_are_taken(client: openai.OpenAI, model: LanguageModel) -> None:
    done = client.completions.create(model="small", prompt="the", max_tokens=30, seed=8, **NEUTRAL)
    assert done.choices[0].text == model.generate("the", 30, seed=8)
    several = client.completions.create(model="small", prompt="the", max_tokens=30, seed=8, n=2, best_of=2)
    assert [choice.text for choice in several.choices] == [model.generate("the", 30, seed=n) for n in (8, 9)]


def test_null_in_any_field_that_may_be_left_out_is_its_default(client: openai.OpenAI) -> None:
    optional = set(CompletionRequest.model_fields) - {"model", "prompt", "seed"}
    asked = {"model": "small", "prompt": "the", "seed": 8}
    plain = client.completions.create(**asked)
    nothing = client.completions.create(**asked, extra_body=dict.fromkeys(optional))
    assert nothing.choices == plain.choices
    assert nothing.usage == plain.usage


def test_a_stream_tells_its_usage_last_where_it_is_asked_for(client: openai.OpenAI) -> None:
    asked = {"model": "small", "prompt": "the cat", "max_tokens": 90, "seed": 3, "n": 2}
    whole = client.completions.create(**asked)
    *parts, last = client.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    assert last.choices == []
    assert last.usage == whole.usage
    assert all(part.usage is None and part.choices for part in parts)


@pytest.mark.parametrize("stream", [False, True])
def test_a_list_of_prompts_is_answered_as_each_alone(
    client: openai.OpenAI, model: LanguageModel, stream: bool
) -> None:
    prompts = ["the cat", "a", "Señor dog"]
    asked = {"model": "small", "max_tokens": 60, "seed": 4, "n": 2, "echo": True}
    texts, usage = [""] * 6, None
    options = {"stream_options": {"include_usage": True}} if stream else {}
    answer = client.completions.create(**asked, prompt=prompts, stream=stream, **options)
    for part in answer if stream else [answer]:
        usage = part.usage
        for choice in part.choices:
            texts[choice.index] += choice.text
    assert texts == [prompt + model.generate(prompt, 60, seed=seed) for prompt in prompts for seed in (4, 5)]
    assert (usage.prompt_tokens, usage.completion_tokens) == (7 + 1 + 9, 6 * 60)


@pytest.mark.parametrize("with_usage", [False, True])
def test_what_the_model_does_not_know_of_a_prompt_is_told_in_the_answer_and_in_the_last_event(
    client: openai.OpenAI, with_usage: bool
) -> None:
    asked = {"model": "small", "prompt": ["a @ and @ or #", "one €"], "max_tokens": 40, "seed": 0}
    assert client.completions.create(**asked).model_extra["unknown"] == ["@", "#", "€"]
    options = {"include_usage": with_usage}
    *parts, last = client.completions.create(**asked, stream=True, stream_options=options)
    assert last.model_extra["unknown"] == ["@", "#", "€"]
    known = client.completions.create(**{**asked, "prompt": "the cat"})
    assert not any("unknown" in answer.model_extra for answer in [known, *parts])


def test_errors_are_those_that_the_client_knows(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no model") as missing:
        client.completions.create(model="../small", prompt="a")
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="max_tokens is -3, expected a whole number") as wrong:
        client.completions.create(model="small", prompt="a", max_tokens=-3)
    assert wrong.value.param == "max_tokens"
    with pytest.raises(openai.BadRequestError, match="best_of is 2, expected 1 or n: "):
        client.completions.create(model="small", prompt="a", best_of=2)
    with pytest.raises(openai.BadRequestError, match="max_tokens is 100000, expected 32768 at most"):
        client.completions.create(model="small", prompt="a", max_tokens=100_000)
