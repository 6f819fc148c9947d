"""What a server does not do: more than it can, for who may not, for who has left, or too long."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from elman import LanguageModel
from elman.engine import Ids, Logits, State
from elman.serve import Limits

from .conftest import Running, running, soon

LONG = {"model": "slow", "prompt": "a", "max_tokens": 30_000, "stream": True}


def error(answer: httpx2.Response) -> dict[str, Any]:
    """Return the error of an answer, which has OpenAI's form."""
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    found: dict[str, Any] = body["error"]
    return found


@pytest.fixture
def narrow(slow: LanguageModel) -> Iterator[Running]:
    """A server with one place and one in the queue."""
    with running({"slow": slow}, Limits(streams=1, queue=1, drain_seconds=5)) as server:
        yield server


def test_where_the_queue_is_full_clients_are_told_to_come_back(narrow: Running) -> None:
    with narrow.client() as client:
        with client.stream("POST", "/v1/completions", json=LONG) as first:
            lines = first.iter_lines()  # kept: one that is thrown away closes the stream
            next(lines)
            with client.stream("POST", "/v1/completions", json=LONG) as second:
                assert second.status_code == 200
                assert soon(lambda: narrow.batcher.waiting == 1)
                third = client.post("/v1/completions", json=LONG)
                assert third.status_code == 429
                assert third.headers["retry-after"] == "1"
                assert error(third)["type"] == "rate_limit_error"
                start = time.monotonic()
                assert client.get("/health").json() == {"status": "ok"}
                assert time.monotonic() - start < 0.5
            assert soon(lambda: narrow.batcher.waiting == 0)  # who waited is gone, and the queue is free
        assert soon(lambda: narrow.batcher.jobs == 0)  # who wrote is gone as well
        asked = {**LONG, "max_tokens": 3, "stream": False}
        assert client.post("/v1/completions", json=asked).status_code == 200


@pytest.mark.parametrize(
    ("asked", "param"),
    [({"n": 3}, "n"), ({"prompt": ["a", "b", "c"]}, "prompt"), ({"n": 2, "prompt": ["a", "b"]}, "n")],
)
def test_what_never_has_room_is_no_reason_to_come_back(
    narrow: Running, asked: dict[str, Any], param: str
) -> None:
    with narrow.client() as client:
        answer = client.post("/v1/completions", json={"model": "slow", **asked})
        assert answer.status_code == 400
        assert "retry-after" not in answer.headers
        assert error(answer)["param"] == param
        assert error(answer)["message"].endswith(
            "texts are asked for (n for each prompt), expected 2 at most: all that the server has places for"
        )
        assert client.post("/v1/completions", json={"model": "slow", "n": 2}).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_frees_its_place(narrow: Running, stream: bool) -> None:
    body = httpx2.Request("POST", narrow.url, json={**LONG, "stream": stream}).read()
    with narrow.connection() as client:
        head = f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        client.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        assert soon(lambda: narrow.batcher.running == 1)
    assert soon(lambda: narrow.batcher.jobs == 0, 2)


def test_a_reader_that_stands_still_gives_its_place_to_others_and_misses_nothing(
    model: LanguageModel,
) -> None:
    asked = {"model": "small", "prompt": "a", "max_tokens": 3000, "seed": 0, "n": 8, "logprobs": 10}
    with running({"small": model}, Limits(streams=8)) as server, server.client() as client:
        with client.stream("POST", "/v1/completions", json={**asked, "stream": True}) as still:
            assert soon(lambda: server.batcher.running == 0 and server.batcher.tokens_written > 8000, 20)
            assert server.batcher.jobs == 8
            other = client.post("/v1/completions", json={"model": "small", "max_tokens": 50})
            assert other.status_code == 200
            lines = [line for line in still.iter_lines() if line]
        assert lines[-1] == "data: [DONE]"
        texts = [""] * 8
        for line in lines[:-1]:
            (choice,) = httpx2.Response(200, content=line.removeprefix("data: ")).json()["choices"]
            texts[choice["index"]] += choice["text"]
        assert texts == [model.generate("a", 3000, seed=n) for n in range(8)]


def test_a_request_that_takes_too_long_is_ended(slow: LanguageModel) -> None:
    with running({"slow": slow}, Limits(seconds=0.5)) as server, server.client() as client:
        late = client.post("/v1/completions", json={**LONG, "stream": False})
        assert late.status_code == 503
        assert error(late)["code"] == "timeout"
        with client.stream("POST", "/v1/completions", json=LONG) as answer:
            lines = [line for line in answer.iter_lines() if line]
        assert '"code": "timeout"' in lines[-2]
        assert lines[-1] == "data: [DONE]"
        assert soon(lambda: server.batcher.jobs == 0)


def test_a_server_that_stops_finishes_what_runs_and_takes_nothing_new(narrow: Running) -> None:
    with narrow.client() as client:
        asked = {**LONG, "max_tokens": 300}
        with client.stream("POST", "/v1/completions", json=asked) as answer:
            lines = answer.iter_lines()
            next(lines)
            narrow.service.draining = True
            refused = client.post("/v1/completions", json=asked)
            assert refused.status_code == 503
            assert error(refused)["code"] == "stopping"
            assert client.get("/health").status_code == 503
            assert [line for line in lines if line][-1] == "data: [DONE]"
        with pytest.raises(httpx2.TransportError):
            soon(lambda: client.get("/health").status_code != 503)


def test_a_hundred_megabytes_are_refused_at_once(server: Running) -> None:
    start = time.monotonic()
    with server.client() as client:
        body = b'{"model": "small", "prompt": "' + b"a" * 100_000_000 + b'"}'
        answer = client.post("/v1/completions", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert error(answer)["message"] == "the request is larger than 10,000,000 bytes; send less"
    assert time.monotonic() - start < 5


def test_a_head_without_end_is_not_read_on(server: Running) -> None:
    lines = b"".join(b"X-More: " + b"a" * 1000 + b"\r\n" for _ in range(10_000))
    with server.connection() as connection, pytest.raises((BrokenPipeError, ConnectionResetError)):
        connection.sendall(b"GET /health HTTP/1.1\r\n" + 10 * lines)


def test_a_body_of_unknown_length_is_read_up_to_the_limit(server: Running) -> None:
    sent = []

    def endless() -> Iterator[bytes]:
        for _ in range(100_000):
            sent.append(1)
            yield b"a" * 100_000

    with server.client() as client:
        answer = client.post("/v1/completions", content=endless())
    assert answer.status_code == 413
    assert len(sent) < 1000


def test_a_prompt_longer_than_allowed_is_refused(server: Running) -> None:
    with server.client() as client:
        several = {"model": "small", "prompt": ["a" * 20_000] * 2}
        assert client.post("/v1/completions", json=several).status_code == 413
        for address, field in (("completions", "prompt"), ("score", "text"), ("states", "prompt")):
            answer = client.post(f"/v1/{address}", json={"model": "small", field: "a" * 32_769})
            assert answer.status_code == 413
            assert error(answer)["message"] == f"{field} has 32,769 characters, expected 32,768 at most"


def test_a_body_that_does_not_arrive_is_given_up(model: LanguageModel) -> None:
    with running({"small": model}, Limits(body_seconds=0.3)) as server, server.connection() as client:
        client.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
        assert client.recv(1000).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", "Basic secret", "Bearer Señor".encode("latin-1")]
)
def test_without_the_key_nothing_below_v1_is_served(model: LanguageModel, header: str | bytes | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    with running({"small": model}, Limits(), "secret") as server, server.client() as client:
        for method, address in (("GET", "models"), ("POST", "completions"), ("GET", "nothing")):
            answer = client.request(method, f"/v1/{address}", headers=headers)
            assert answer.status_code == 401
            assert error(answer)["code"] == "invalid_api_key"
        assert client.get("/health").status_code == 200
        right = client.get("/v1/models", headers={"Authorization": "Bearer secret"})
        assert right.status_code == 200


def test_no_page_of_another_origin_may_read(server: Running) -> None:
    with server.client(Origin="https://elsewhere.example") as client:
        asked = client.options("/v1/completions", headers={"Access-Control-Request-Method": "POST"})
        assert asked.status_code == 405
        answers = [asked, client.get("/v1/models"), client.post("/v1/completions", json={"model": "small"})]
        assert not any(name.startswith("access-control") for answer in answers for name in answer.headers)
        plain = client.post("/v1/completions", content='{"model": "small"}')  # what a page sends unasked
        assert plain.status_code == 400
        assert error(plain)["message"].startswith("the content type is missing, expected")


def test_a_model_that_fails_says_so_and_the_server_goes_on(
    slow: LanguageModel, caplog: pytest.LogCaptureFixture
) -> None:
    step = slow.engine.step

    def fail(ids: Ids, state: State) -> tuple[Logits, State]:
        slow.engine.step = step
        raise ValueError("out of order")

    with running({"slow": slow}, Limits()) as server, server.client() as client:
        slow.engine.step = fail
        failed = client.post("/v1/completions", json={"model": "slow", "max_tokens": 5})
        assert failed.status_code == 500
        assert error(failed)["message"] == "the model failed"
        assert "out of order" in caplog.text
        assert client.post("/v1/completions", json={"model": "slow", "max_tokens": 5}).status_code == 200
