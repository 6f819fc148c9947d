"""A conversation is an id and some kilobytes: made, forked, gone on from, deleted, by its owner alone."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import pytest

from elman import LanguageModel
from elman.generation import Sampling, StreamState
from elman.serve import Limits
from elman.serve.states import States

from .conftest import Running, running


@pytest.fixture
def client(server: Running) -> Iterator[httpx2.Client]:
    with server.client() as client:
        yield client


def made(client: httpx2.Client, owner: str | None = None, **asked: Any) -> dict[str, Any]:
    headers = {"Elman-Owner": owner} if owner else {}
    answer = client.post("/v1/states", json={"model": "small", **asked}, headers=headers)
    assert answer.status_code == 201, answer.text
    state: dict[str, Any] = answer.json()
    return state


def text(client: httpx2.Client, owner: str, **asked: Any) -> str:
    answer = client.post("/v1/completions", json={"model": "small", **asked}, headers={"Elman-Owner": owner})
    assert answer.status_code == 200, answer.text
    written: str = answer.json()["choices"][0]["text"]
    return written


def test_a_state_goes_on_as_the_library_does(client: httpx2.Client, model: LanguageModel) -> None:
    state = made(client, prompt="the cat sat")
    assert state["bytes"] == sum(part.nbytes for part in model.engine.initial_state(1))
    owner = state["owner"]
    expected = model.generate("the cat sat", 90, seed=6)
    assert text(client, owner, state=state["id"], max_tokens=90, seed=6) == expected
    assert text(client, owner, state=state["id"], max_tokens=90, seed=6) == expected  # it stayed where it was
    after = text(client, owner, state=state["id"], prompt=" on a mat", max_tokens=90, seed=6)
    assert after == model.generate("the cat sat on a mat", 90, seed=6)


@pytest.mark.parametrize("stream", [False, True])
def test_a_state_that_advances_stands_where_the_text_ended(
    client: httpx2.Client, model: LanguageModel, stream: bool
) -> None:
    state = made(client, prompt="a dog")
    stream_alone = model.start("a dog")
    for turn in range(3):
        asked = {"model": "small", "state": state["id"], "advance": True, "max_tokens": 40, "seed": turn}
        answer = client.post(
            "/v1/completions", json={**asked, "stream": stream}, headers={"Elman-Owner": state["owner"]}
        )
        assert answer.status_code == 200
        expected = "".join(stream_alone.text(40, Sampling(), turn))
        if not stream:
            assert answer.json()["choices"][0]["text"] == expected


def test_penalties_and_stops_go_on_over_a_state(client: httpx2.Client, model: LanguageModel) -> None:
    state = made(client, prompt="the red door")
    asked = {"state": state["id"], "advance": True, "seed": 1, "repetition_penalty": 1.8}
    first = text(client, state["owner"], max_tokens=30, stop="x", **asked)
    second = text(client, state["owner"], max_tokens=100, **asked)
    alone, how = model.start("the red door"), Sampling(repetition_penalty=1.8)
    assert first == "".join(alone.text(30, how, 1, ["x"]))
    assert second == "".join(alone.text(100, how, 1))


@pytest.mark.parametrize("stop", ["at", "og", "e", "at on", ["mat ", "dog r", "ain."]])
@pytest.mark.parametrize("stream", [False, True])
def test_after_a_stop_string_a_state_stands_where_the_sent_text_ends(
    client: httpx2.Client, model: LanguageModel, stop: str | list[str], stream: bool
) -> None:
    state, sent = made(client, prompt="the red door"), "the red door"
    asked = {"model": "small", "state": state["id"], "advance": True, "max_tokens": 400, "stop": stop}
    for seed in range(4):
        answer = client.post(
            "/v1/completions",
            json={**asked, "seed": seed, "stream": stream},
            headers={"Elman-Owner": state["owner"]},
        )
        parts = re.findall(r'"text": ?("(?:[^"\\]|\\.)*")', answer.text)
        sent += "".join(json.loads(part) for part in parts)
    assert text(client, state["owner"], state=state["id"], max_tokens=90, seed=7) == model.generate(
        sent, 90, seed=7
    )


def test_what_the_model_does_not_know_is_told_where_a_state_is_made(client: httpx2.Client) -> None:
    assert made(client, prompt="a @ b @")["unknown"] == ["@"]
    assert "unknown" not in made(client, prompt="the cat")


def test_who_names_no_owner_is_told_the_header(client: httpx2.Client) -> None:
    state = made(client, prompt="the")
    answer = client.post("/v1/completions", json={"model": "small", "state": state["id"]})
    assert answer.json()["error"]["message"] == (
        f'there is no state "{state["id"]}" of the owner in the header Elman-Owner; '
        "make one with POST /v1/states and send its owner"
    )
    long = client.get("/v1/states", headers={"Elman-Owner": "a" * 201})
    assert long.status_code == 400
    expected = "Elman-Owner has 201 characters, expected 200 at most"
    assert long.json()["error"]["message"] == expected


def test_a_fork_leaves_the_first_as_it_was(client: httpx2.Client, model: LanguageModel) -> None:
    state = made(client, prompt="one dog")
    owner = state["owner"]
    fork = made(client, owner, state=state["id"], prompt=" saw")
    assert (fork["owner"], fork["bytes"]) == (owner, state["bytes"])
    assert fork["id"] != state["id"]
    assert text(client, owner, state=fork["id"], max_tokens=50, seed=3) == model.generate(
        "one dog saw", 50, 3
    )
    assert text(client, owner, state=state["id"], max_tokens=50, seed=3) == model.generate("one dog", 50, 3)
    headers = {"Elman-Owner": owner}
    listed = client.get("/v1/states", headers=headers).json()["data"]
    assert [one["id"] for one in listed] == [state["id"], fork["id"]]
    gone = client.delete(f"/v1/states/{state['id']}", headers=headers).json()
    assert gone == {"id": state["id"], "object": "state", "deleted": True}
    assert client.get(f"/v1/states/{state['id']}", headers=headers).status_code == 404
    assert client.get(f"/v1/states/{fork['id']}", headers=headers).json()["model"] == "small"


def test_rated_tokens_after_a_state_begin_with_the_first(client: httpx2.Client, model: LanguageModel) -> None:
    state = made(client, prompt="the ")
    answer = client.post(
        "/v1/completions",
        json={
            "model": "small",
            "state": state["id"],
            "prompt": "cat",
            "echo": True,
            "logprobs": 0,
            "max_tokens": 0,
        },
        headers={"Elman-Owner": state["owner"]},
    )
    scored = model.score("the cat")[4:]
    assert answer.json()["choices"][0]["logprobs"]["token_logprobs"] == pytest.approx(
        [-score.nats for score in scored], abs=1e-4
    )


@pytest.mark.parametrize("stranger", [None, "", "somebody", "Señor".encode("latin-1")])
def test_a_state_is_its_owners_alone(client: httpx2.Client, stranger: str | bytes | None) -> None:
    state = made(client, prompt="mine")
    headers = {} if stranger is None else {"Elman-Owner": stranger}
    address = f"/v1/states/{state['id']}"
    answers = [
        client.get(address, headers=headers),
        client.delete(address, headers=headers),
        client.post("/v1/completions", json={"model": "small", "state": state["id"]}, headers=headers),
        client.post("/v1/states", json={"model": "small", "state": state["id"]}, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert {answer.json()["error"]["code"] for answer in answers} == {"state_not_found"}
    assert client.get("/v1/states", headers=headers).json()["data"] == []


def test_a_state_of_another_model_is_refused(client: httpx2.Client) -> None:
    state = made(client, prompt="the")
    answer = client.post(
        "/v1/completions",
        json={"model": "small8", "state": state["id"]},
        headers={"Elman-Owner": state["owner"]},
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "the state is one of 'small', expected one of 'small8'"


def test_who_has_the_key_owns_all_states_and_their_number_is_bounded(model: LanguageModel) -> None:
    with running({"small": model}, Limits(states=2), "secret") as server:
        with server.client(Authorization="Bearer secret") as client:
            states = [made(client, prompt="a") for _ in range(2)]
            assert "owner" not in states[0]
            full = client.post("/v1/states", json={"model": "small", "prompt": "a"})
            assert full.status_code == 429
            assert client.delete(f"/v1/states/{states[0]['id']}").status_code == 200
            made(client, prompt="a")
            assert len(client.get("/v1/states").json()["data"]) == 2
        with server.client() as stranger:
            assert stranger.get("/v1/states").status_code == 401


def test_a_state_that_nobody_uses_is_forgotten() -> None:
    now = [0.0]
    states = States(10, 60, lambda: now[0])
    state = StreamState((np.zeros((1, 4), dtype=np.float32),), (1,))
    used, unused = states.add("m", "me", state), states.add("m", "me", state)
    for now[0] in (30, 59):
        assert states.find(used.name, "me") is used
    now[0] = 61
    assert states.find(unused.name, "me") is None
    assert len(states) == 1
    assert states.of("me") == [used]
    now[0] = 120
    assert states.of("me") == []
