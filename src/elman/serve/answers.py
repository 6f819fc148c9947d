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
from .refusal import RefusedError, stopping
from .service import Begun

GRACE = 1.0  # seconds in which a stream that took too long can still say so
DONE = b"data: [DONE]\n\n"
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
        self._unknown = {"unknown": begun.unknown} if begun.unknown else {}
        self._count = len(begun.texts.jobs)

    async def whole(self) -> dict[str, Any]:
        """Return the answer once it is whole.

        Raises:
            RefusedError: it takes too long, the model failed, or the server stops.
        """
        numbers, reasons = range(self._count), [""] * self._count
        parts, rated = [self._start(n) for n in numbers], [list[Rated]() for _ in numbers]
        async for grown in self._begun.texts.growth():
            parts[grown.number] += grown.text
            rated[grown.number] += grown.rated
            reasons[grown.number] = grown.reason or ""
        self._end()
        choices = [self._choice(n, parts[n], rated[n], reasons[n]) for n in numbers]
        return {**self._head, "choices": choices, "usage": self._usage(), **self._unknown}

    async def events(self) -> AsyncIterator[bytes]:
        """Yield the answer as it grows, each part as an event of its own; the last names unknown pieces."""
        started, open_, with_usage = set[int](), self._count, self._asked.stream_options.include_usage
        head = {**self._head, "usage": None} if with_usage else self._head
        try:
            async for grown in self._begun.texts.growth():
                text = grown.text if grown.number in started else self._start(grown.number) + grown.text
                started.add(grown.number)
                open_ -= grown.reason is not None
                choice = self._choice(grown.number, text, grown.rated, grown.reason)
                yield _event({**head, "choices": [choice], **({} if open_ or with_usage else self._unknown)})
            self._end()
            if with_usage:
                yield _event({**head, "choices": [], "usage": self._usage(), **self._unknown})
        except RefusedError as refusal:
            yield _event(refusal.as_dict())
        yield DONE

    def _start(self, number: int) -> str:
        """Return what a text begins with."""
        return self._begun.prompts[number // self._asked.n] if self._asked.echo else ""

    def _usage(self) -> dict[str, int]:
        read, written = self._begun.prompt_tokens, sum(job.written for job in self._begun.texts.jobs)
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}

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


async def unless_gone(request: Request, stopped: asyncio.Event, work: Awaitable[Result]) -> Result:
    """Return what work gives, unless the client goes away before, or the server stops.

    Raises:
        RefusedError: one of them does.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(request.receive())
    ending = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait({working, leaving, ending}, return_when=asyncio.FIRST_COMPLETED)
        if working.done() and not working.cancelled():
            return working.result()
        raise stopping() if ending.done() else RefusedError(499, "the client went away")
    finally:
        for one in (working, leaving, ending):
            one.cancel()


def _event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
