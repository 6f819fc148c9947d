"""Texts in, OpenAI's form of a completion out: whole, or as server-sent events while it grows."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from .messages import CompletionRequest
from .rating import Rated
from .refusal import RefusedError
from .service import Begun

GRACE = 1.0  # seconds in which a stream that took too long can still say so
Result = TypeVar("Result")


class Completion:
    """One answer; `end` is called when all its texts are whole."""

    def __init__(self, asked: CompletionRequest, begun: Begun, end: Callable[[], None]) -> None:
        self._asked, self._begun, self._end = asked, begun, end
        self._head = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": asked.model,
        }
        self._start = begun.prompt if asked.echo else ""

    async def whole(self) -> dict[str, Any]:
        """Return the answer once it is whole.

        Raises:
            RefusedError: it takes too long, or the model failed.
        """
        texts, count = self._begun.texts, self._asked.n
        parts, rated, reasons = [self._start] * count, [list[Rated]() for _ in range(count)], [""] * count
        async for grown in texts.growth():
            parts[grown.number] += grown.text
            rated[grown.number] += grown.rated
            reasons[grown.number] = grown.reason or ""
        self._end()
        choices = [self._choice(n, parts[n], rated[n], reasons[n]) for n in range(count)]
        written = sum(job.written for job in texts.jobs)
        read = self._begun.prompt_tokens
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        return {**self._head, "choices": choices, "usage": usage}

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the answer as it grows, each part as an event of its own."""
        started = set[int]()
        try:
            async for grown in self._begun.texts.growth():
                text = grown.text if grown.number in started else self._start + grown.text
                started.add(grown.number)
                choice = self._choice(grown.number, text, grown.rated, grown.reason)
                yield _event(json.dumps({**self._head, "choices": [choice]}, ensure_ascii=False))
            self._end()
        except RefusedError as refusal:
            yield _event(json.dumps(refusal.as_dict()))
        yield _event("[DONE]")

    def _choice(self, index: int, text: str, rated: list[Rated], reason: str | None) -> dict[str, Any]:
        return {
            "index": index,
            "text": text,
            "logprobs": None if self._asked.logprobs is None else self._listed(rated),
            "finish_reason": reason,
        }

    def _listed(self, rated: list[Rated]) -> dict[str, Any]:
        with_alternatives = [one.alternatives if one.logprob is not None else None for one in rated]
        return {
            "tokens": [one.piece for one in rated],
            "token_logprobs": [one.logprob for one in rated],
            "top_logprobs": with_alternatives if self._asked.logprobs else None,
            "text_offset": [one.offset for one in rated],
        }


class EventStream(StreamingResponse):
    """Server-sent events; `close` is called when they end, for whatever reason, after `seconds` at most."""

    def __init__(self, events: AsyncIterator[bytes], seconds: float, close: Callable[[], None]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._seconds, self._close = seconds, close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        try:
            async with asyncio.timeout(self._seconds + GRACE):  # a reader may stand still
                await super().__call__(scope, receive, send)
        except TimeoutError:
            pass
        finally:
            self._close()


async def unless_gone(request: Request, work: Awaitable[Result]) -> Result:
    """Return what work gives, unless the client goes away before.

    Raises:
        RefusedError: it does; nobody will read why.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise RefusedError(499, "the client went away")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


def _event(data: str) -> bytes:
    return f"data: {data}\n\n".encode()
