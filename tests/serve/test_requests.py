"""Whatever a client sends, it is served or told what to mend, in OpenAI's form; never a failure of ours."""

import string
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from elman import LanguageModel

from .conftest import Running

FIELDS = (
    "model prompt max_tokens temperature top_p top_k min_p repetition_penalty seed n stop stream logprobs "
    "echo state advance text"
).split()
BOLD = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = (
    some.none()
    | some.booleans()
    | some.integers()
    | some.integers(10**15, 10**400)
    | some.floats()
    | some.text(max_size=20)
)
values = some.recursive(
    scalars,
    lambda inner: some.lists(inner, max_size=5) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[httpx2.Client]:
    with server.client() as client:
        yield client


def refused_or_served(answer: httpx2.Response) -> None:
    """Assert that an answer is a good one or says what to mend."""
    if answer.status_code in (200, 201):
        return
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert "Traceback" not in answer.text


def post(client: httpx2.Client, address: str, asked: Any) -> httpx2.Response:
    import json

    body = json.dumps(asked)  # with NaN and Infinity, as Python writes them
    return client.post(f"/v1/{address}", content=body, headers={"Content-Type": "application/json"})


@BOLD
@given(field=some.sampled_from(FIELDS), value=values)
def test_any_value_in_any_field(client: httpx2.Client, field: str, value: Any) -> None:
    for address in ("completions", "score", "states"):
        asked = {"model": "small", "prompt": "a", "max_tokens": 2, field: value}
        if address != "completions":
            del asked["max_tokens"]
        refused_or_served(post(client, address, asked))


@BOLD
@given(asked=values)
def test_any_json(client: httpx2.Client, asked: Any) -> None:
    for address in ("completions", "score", "states"):
        assert 400 <= post(client, address, asked).status_code < 500


@BOLD
@given(body=some.binary(max_size=200) | some.text(string.printable, max_size=50).map(str.encode))
def test_any_bytes(client: httpx2.Client, body: bytes) -> None:
    answer = client.post("/v1/completions", content=body, headers={"Content-Type": "application/json"})
    refused_or_served(answer)
    assert answer.status_code != 200


@BOLD
@given(name=some.text(max_size=30))
def test_any_name(client: httpx2.Client, name: str) -> None:
    asked = {"model": name, "prompt": "a"}
    assert post(client, "completions", asked).status_code in (404, 422)


@pytest.mark.parametrize(
    "name",
    ["../small", "small/../small", "/etc/passwd", "small\x00", "%2e%2e/small", "..\\small", "SMALL", "."],
)
def test_a_name_is_a_name_and_no_path(client: httpx2.Client, name: str) -> None:
    answer = post(client, "completions", {"model": name, "prompt": "a"})
    assert answer.status_code == 404
    refused_or_served(answer)
    assert client.get(f"/v1/models/{name.replace('.', '%2e').replace(chr(0), '%00')}").status_code == 404


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"model": ', "the request is not JSON: Expecting value"),
        ("[" * 100_000, "POST /v1/completions: bad request"),
        ('{"model": "small", "seed": ' + "9" * 5000 + "}", "POST /v1/completions: bad request"),
        ('"small"', "the request: Input should be a valid dictionary"),
        ('{"model": "small", "prompt": "\\ud800"}', "prompt: Input should be a valid string"),
        ('{"model": "small", "prompt": ""}', "prompt: String should have at least 1 character"),
        ('{"model": "small", "temperature": NaN}', "temperature: Input should be a finite number, found nan"),
        ('{"model": "small", "temperature": -1e999}', "temperature: Input should be"),
        ('{"model": "small", "max_tokens": "5"}', "max_tokens: Input should be a valid integer, found '5'"),
        ('{"model": "small", "n": 17}', "n: Input should be less than or equal to 16, found 17"),
        ('{"model": "small", "stop": ["a", "b", "c", "d", "e"]}', "stop"),
        ('{"model": "small", "stop": ""}', "stop"),
        ('{"model": "small", "advance": true}', "the request: Value error, advance needs a state"),
        ('{"model": "small", "prompt": ["a", "b"]}', "prompt: Input should be a valid string"),
    ],
)
def test_what_is_wrong_is_said(client: httpx2.Client, body: str, message: str) -> None:
    answer = client.post("/v1/completions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    refused_or_served(answer)
    assert answer.json()["error"]["message"].startswith(message)


@pytest.mark.parametrize("temperature", [1e-300, 1e-30, 1e-9, 1e-3])
def test_the_coldest_texts_are_the_greedy_one(
    client: httpx2.Client, model: LanguageModel, temperature: float
) -> None:
    for more in ({}, {"top_p": 0.9}):
        asked = {"model": "small", "prompt": "the", "max_tokens": 40, "temperature": temperature, **more}
        answer = post(client, "completions", asked)
        assert answer.json()["choices"][0]["text"] == model.generate("the", 40, greedy=True)


def test_scores_are_those_of_the_library(client: httpx2.Client, model: LanguageModel) -> None:
    text = "the naïve dog@saw"
    answer = post(client, "score", {"model": "small", "text": text}).json()
    scored = model.score(text)
    assert [token["text"] for token in answer["tokens"]] == [score.piece for score in scored]
    nats = sum(score.nats for score in scored)
    assert answer["bits"] == pytest.approx(nats / 0.6931471805599453)
    assert answer["bits_per_character"] == pytest.approx(answer["bits"] / len(text))


def test_what_is_counted_can_be_read(client: httpx2.Client) -> None:
    def counted() -> dict[str, float]:
        lines = client.get("/metrics").text.splitlines()
        pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
        return {name: float(value) for name, _, value in pairs}

    before = counted()
    asked = {"model": "small", "prompt": "the cat", "max_tokens": 33}
    assert post(client, "completions", asked).status_code == 200
    after = counted()
    grown = {name: value - before.get(name, 0) for name, value in after.items()}
    assert grown['elman_tokens_written_total{model="small"}'] == 33
    assert grown['elman_tokens_read_total{model="small"}'] == 6
    assert grown["elman_completion_seconds_count"] == grown["elman_first_token_seconds_count"] == 1
    assert grown['elman_completion_seconds_bucket{le="+Inf"}'] == 1
    assert after['elman_streams_running{model="small"}'] == after['elman_streams_waiting{model="small"}'] == 0
