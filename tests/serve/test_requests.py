"""Whatever a client sends, it is served or told what to mend, in OpenAI's form; never a failure of ours."""

import string
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from elman import LanguageModel
from elman.serve.messages import ScoreRequest

from .conftest import Running

FIELDS = (
    "model prompt max_tokens temperature top_p top_k min_p repetition_penalty seed n stop stream logprobs "
    "echo state advance text stream_options user best_of suffix frequency_penalty presence_penalty logit_bias"
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
    assert post(client, "completions", asked).status_code in (400, 404)


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
        ("", "the request is not JSON: EOF while parsing a value at line 1 column 0"),
        ('{"model": ', "the request is not JSON: EOF while parsing a value at line 1 column 10"),
        ("[" * 100_000, "the request is not JSON: it is nested too deep at line 1 column 202"),
        (
            '{"seed": ' + "9" * 6000 + "}",
            "the request is not JSON: a number has too many digits at line 1 column 4311",
        ),
        (b'{"model": "\xff"}', "the request is not JSON: it is not UTF-8 at line 1 column 12"),
        ('"small"', 'the request is "small", expected a JSON object'),
        ("null", "the request is null, expected a JSON object"),
        ("{}", "model is missing, expected the name of a model that is served"),
        ('{"model": null}', "model is null, expected the name of a model that is served"),
        (
            '{"model": "m", "prompt": ""}',
            'prompt is "", expected a string or a list of strings, none of them empty',
        ),
        (
            '{"model": "m", "prompt": []}',
            "prompt is [], expected a string or a list of strings, none of them empty",
        ),
        (
            '{"model": "m", "prompt": ["a", 1, 2]}',
            'prompt is ["a", 1, 2], expected a string or a list of strings, none of them empty',
        ),
        ('{"model": "m", "temperature": NaN}', "temperature is NaN, expected a number from 0 to 100"),
        (
            '{"model": "m", "temperature": -1e999}',
            "temperature is -Infinity, expected a number from 0 to 100",
        ),
        ('{"model": "m", "temperature": true}', "temperature is true, expected a number from 0 to 100"),
        ('{"model": "m", "max_tokens": "5"}', 'max_tokens is "5", expected a whole number, 0 or more'),
        (
            '{"model": "m", "n": 17, "top_k": 0}',
            "top_k is 0, expected a whole number, 1 or more; n is 17, expected a whole number from 1 to 16",
        ),
        (
            '{"model": "m", "stop": ["a", "b", "c", "d", "e"]}',
            'stop is ["a", "b", "c", "d", "e"], expected a string or up to 4, of 1 to 1,000 characters each',
        ),
        (
            '{"model": "m", "stop": ""}',
            'stop is "", expected a string or up to 4, of 1 to 1,000 characters each',
        ),
        (
            '{"model": "m", "advance": true}',
            "advance is true, expected false, or true with a state and one text (n of 1, one prompt)",
        ),
        (
            '{"model": "m", "best_of": 3, "n": 2}',
            "best_of is 3, expected 1 or n: the server writes n texts and returns them all",
        ),
        (
            '{"model": "m", "suffix": "end"}',
            'suffix is "end", expected null: the server writes on and does not fill gaps',
        ),
        (
            '{"model": "m", "presence_penalty": 0.5}',
            "presence_penalty is 0.5, expected 0: the server has repetition_penalty instead",
        ),
        (
            '{"model": "m", "logit_bias": {"5": 1}}',
            'logit_bias is {"5": 1}, expected null or {}: the server does not favour single tokens',
        ),
        (
            '{"model": "m", "stream_options": {"more": true}}',
            'stream_options is {"more": true}, expected an object like {"include_usage": true}',
        ),
    ],
)
def test_what_is_wrong_is_said(client: httpx2.Client, body: str | bytes, message: str) -> None:
    answer = client.post("/v1/completions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    refused_or_served(answer)
    assert answer.json()["error"]["message"] == message


def test_a_field_that_does_not_exist_is_named_and_long_names_are_cut(client: httpx2.Client) -> None:
    fields = ", ".join(ScoreRequest.model_fields)
    for name in ("long" * 5000, "b", ""):
        answer = post(client, "score", {"model": "small", "text": "a", name: None})
        error = answer.json()["error"]
        shown = f'"{name}"' if len(name) < 60 else f'"{name[:56]}...'
        assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
        assert error["message"] == f"there is no field {shown}, expected one of {fields}"
        assert len(answer.content) < 300


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_what_is_no_json_by_its_content_type_is_told_which_is_expected(
    client: httpx2.Client, kind: str | None
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = client.post("/v1/completions", content=b'{"model": "small"}', headers=headers)
    assert answer.status_code == 400
    expected = f"the content type is {kind or 'missing'}, expected Content-Type: application/json"
    assert answer.json()["error"]["message"] == expected


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("GET", "/v1/completions", "POST"),
        ("PUT", "/v1/score", "POST"),
        ("DELETE", "/v1/states", "GET, POST"),
        ("POST", "/v1/states/one", "GET, DELETE"),
        ("POST", "/health", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_an_address_has(
    client: httpx2.Client, method: str, address: str, allowed: str
) -> None:
    answer = client.request(method, address)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    refused_or_served(answer)


def test_load_balancers_may_ask_for_the_head_of_health(client: httpx2.Client) -> None:
    answer = client.head("/health")
    assert (answer.status_code, answer.content) == (200, b"")
    assert client.get("/v1/nothing").status_code == 404


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
