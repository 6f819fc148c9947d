"""The addresses below /v1: a checked request in, an answer in OpenAI's form out."""

import math
import secrets
import time
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response

from .answers import Completion, EventStream, unless_gone
from .messages import CompletionRequest, ScoreRequest, StateRequest
from .refusal import RefusedError
from .service import Served, Service
from .states import Kept

Owner = Annotated[str | None, Header(alias="Elman-Owner", max_length=200)]


def routes(service: Service, key: str | None) -> APIRouter:
    """Return the addresses of a service; who has the key owns all states, else each owner has a token."""
    router = APIRouter(prefix="/v1")

    def named(owner: str | None) -> str:
        return key or owner or ""

    @router.get("/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [_model(served) for served in service.models.values()]}

    @router.get("/models/{name}")
    async def model(name: str) -> dict[str, Any]:
        return _model(service.find(name))

    @router.post("/completions", response_model=None)
    async def completions(
        asked: CompletionRequest, request: Request, owner: Owner = None
    ) -> dict[str, Any] | Response:
        kept = None if asked.state is None else service.find_state(asked.state, named(owner))
        start, begun = time.monotonic(), service.complete(asked, kept)

        def end() -> None:
            service.metrics.seconds.add(time.monotonic() - start)
            if kept is not None and asked.advance:
                kept.state = begun.texts.jobs[0].state

        completion = Completion(asked, begun, end)
        if asked.stream:
            return EventStream(completion.events(), service.limits.seconds, begun.texts.close)
        try:
            return await unless_gone(request, completion.whole())
        finally:
            begun.texts.close()

    @router.post("/score")
    async def score(asked: ScoreRequest, request: Request) -> dict[str, Any]:
        served = service.find_for_work(asked.model)
        service.check_text(asked.text, "text")
        scored = await unless_gone(request, served.score(asked.text))
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
    async def make_state(asked: StateRequest, request: Request, owner: Owner = None) -> dict[str, Any]:
        kept = None if asked.state is None else service.find_state(asked.state, named(owner))
        texts = service.read(asked.model, asked.prompt, kept)
        try:
            await unless_gone(request, texts.read())
        finally:
            texts.close()
        if service.states.full:
            raise RefusedError(
                429, "no more states can be kept; delete one, or wait until one ages", code="states"
            )
        return _state(
            service.states.add(asked.model, named(owner) or secrets.token_urlsafe(24), texts.jobs[0].state),
            with_owner=key is None,
        )

    @router.get("/states")
    async def states(owner: Owner = None) -> dict[str, Any]:
        found = service.states.of(named(owner))
        return {"object": "list", "data": [_state(kept) for kept in found]}

    @router.get("/states/{name}")
    async def state(name: str, owner: Owner = None) -> dict[str, Any]:
        return _state(service.find_state(name, named(owner)))

    @router.delete("/states/{name}")
    async def delete_state(name: str, owner: Owner = None) -> dict[str, Any]:
        service.states.delete(service.find_state(name, named(owner)))
        return {"id": name, "object": "state", "deleted": True}

    return router


def _model(served: Served) -> dict[str, Any]:
    return {"id": served.name, "object": "model", "created": served.created, "owned_by": "elman"}


def _state(kept: Kept, with_owner: bool = False) -> dict[str, Any]:
    return {
        "id": kept.name,
        "object": "state",
        "model": kept.model,
        "created": int(kept.created),
        "expires": int(kept.expires),
        "bytes": kept.bytes,
        **({"owner": kept.owner} if with_owner else {}),
    }
