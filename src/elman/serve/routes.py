"""The addresses below /v1: a checked request in, an answer in OpenAI's form out."""

import math
import secrets
import time
from typing import Any

from fastapi import APIRouter, Request, Response

from .answers import Completion, EventStream, unless_gone
from .messages import CompletionRequest, ScoreRequest, StateRequest
from .reading import read, shown
from .refusal import RefusedError
from .service import Served, Service
from .states import Kept

OWNER = "Elman-Owner"  # the header with the token of who owns a state
OWNER_CHARACTERS = 200


def routes(service: Service, key: str | None) -> APIRouter:
    """Return the addresses of a service; who has the key owns all states, else each owner has a token."""
    router = APIRouter(prefix="/v1")

    def owner(request: Request) -> str:
        given = key or request.headers.get(OWNER, "")
        if key is None and len(given) > OWNER_CHARACTERS:
            raise RefusedError(
                400, f"{OWNER} has {len(given):,} characters, expected {OWNER_CHARACTERS} at most", OWNER
            )
        return given

    def find(name: str, request: Request) -> Kept:
        kept = service.states.find(name, owner(request))
        if kept is None:
            of, send = ("", "") if key else (f" of the owner in the header {OWNER}", " and send its owner")
            raise RefusedError(
                404,
                f"there is no state {shown(name)}{of}; make one with POST /v1/states{send}",
                "state",
                "state_not_found",
            )
        return kept

    @router.get("/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [_model(served) for served in service.models.values()]}

    @router.get("/models/{name}")
    async def model(name: str) -> dict[str, Any]:
        return _model(service.find(name))

    @router.post("/completions", response_model=None)
    async def completions(request: Request) -> dict[str, Any] | Response:
        asked = await read(request, CompletionRequest)
        kept = None if asked.state is None else find(asked.state, request)
        start, begun = time.monotonic(), service.complete(asked, kept)

        def end() -> None:
            service.metrics.seconds.add(time.monotonic() - start)
            if kept is not None and asked.advance:
                kept.state = begun.texts.jobs[0].state

        completion = Completion(asked, begun, end)
        if asked.stream:
            return EventStream(completion.events(), service.limits.seconds, begun.texts.close)
        try:
            return await unless_gone(request, service.stopped, completion.whole())
        finally:
            begun.texts.close()

    @router.post("/score")
    async def score(request: Request) -> dict[str, Any]:
        asked = await read(request, ScoreRequest)
        served = service.find_for_work(asked.model)
        service.check_text(asked.text, "text")
        scored = await unless_gone(request, service.stopped, served.score(asked.text))
        bits = [one.nats / math.log(2) for one in scored]
        tokens = [{"text": one.piece, "bits": each} for one, each in zip(scored, bits, strict=True)]
        return {
            "object": "score",
            "model": asked.model,
            "bits": sum(bits),
            "bits_per_character": sum(bits) / len(asked.text),
            "tokens": tokens,
        }

    @router.post("/states", status_code=201)
    async def make_state(request: Request) -> dict[str, Any]:
        asked = await read(request, StateRequest)
        kept = None if asked.state is None else find(asked.state, request)
        begun = service.read(asked.model, asked.prompt, kept)
        try:
            await unless_gone(request, service.stopped, begun.texts.read())
        finally:
            begun.texts.close()
        if service.states.full:
            raise RefusedError(
                429, "no more states can be kept; delete one, or wait until one ages", code="states"
            )
        made = service.states.add(
            asked.model, owner(request) or secrets.token_urlsafe(24), begun.texts.jobs[0].state
        )
        return {
            **_state(made),
            **({} if key else {"owner": made.owner}),
            **({"unknown": begun.unknown} if begun.unknown else {}),
        }

    @router.get("/states")
    async def states(request: Request) -> dict[str, Any]:
        found = service.states.of(owner(request))
        return {"object": "list", "data": [_state(kept) for kept in found]}

    @router.get("/states/{name}")
    async def state(name: str, request: Request) -> dict[str, Any]:
        return _state(find(name, request))

    @router.delete("/states/{name}")
    async def delete_state(name: str, request: Request) -> dict[str, Any]:
        service.states.delete(find(name, request))
        return {"id": name, "object": "state", "deleted": True}

    return router


def _model(served: Served) -> dict[str, Any]:
    return {"id": served.name, "object": "model", "created": served.created, "owned_by": "elman"}


def _state(kept: Kept) -> dict[str, Any]:
    return {
        "id": kept.name,
        "object": "state",
        "model": kept.model,
        "created": int(kept.created),
        "expires": int(kept.expires),
        "bytes": kept.bytes,
    }
