"""What stands before everything else: the key, and how large and how slow a request may be.

A request comes in from the network; it goes on whole and in bounds, or is answered here. Knows nothing of
what it asks.
"""

import asyncio
import secrets

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .limits import Limits
from .metrics import Metrics
from .refusal import RefusedError


class Guard:
    """Lets requests through to an application."""

    def __init__(self, app: ASGIApp, key: str | None, limits: Limits, metrics: Metrics) -> None:
        self._app, self._key, self._limits, self._metrics = app, key, limits, metrics
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.answers[message["status"]] += 1
            await send(message)

        if not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, counted)
            return
        try:
            headers = Headers(scope=scope)
            self._check_key(headers.get("authorization", ""))
            body = await self._body(int(headers.get("content-length", 0)), receive)
            if body is None:
                return
        except RefusedError as refusal:
            answer = JSONResponse(
                refusal.as_dict(), refusal.status, {**refusal.headers, "Connection": "close"}
            )
            await answer(scope, receive, counted)
            return
        async with self._turn:  # one begins in each turn of the loop, so that a crowd delays nobody else
            await asyncio.sleep(0)
        await self._app(scope, _replay(body, receive), counted)

    def _check_key(self, authorization: str) -> None:
        kind, _, given = authorization.partition(" ")
        if self._key is None:
            return
        if kind.lower() != "bearer" or not secrets.compare_digest(given.encode(), self._key.encode()):
            raise RefusedError(
                401,
                "the API key is missing or wrong, expected: Authorization: Bearer KEY",
                code="invalid_api_key",
            )

    async def _body(self, announced: int, receive: Receive) -> bytes | None:
        """Read the body, unless it is too large or too slow; None where the client left before its end."""
        limit, body, more = self._limits.body_bytes, bytearray(), True
        too_large = RefusedError(
            413, f"the request is larger than {limit:,} bytes; send less", code="too_large"
        )
        if announced > limit:
            raise too_large
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
                    if len(body) > limit:
                        raise too_large
        except TimeoutError:
            seconds = self._limits.body_seconds
            raise RefusedError(408, f"the request did not arrive whole within {seconds:g} seconds") from None
        return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a way to receive a body that was read, and after it what comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
