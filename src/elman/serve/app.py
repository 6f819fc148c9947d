"""The server as an ASGI application: addresses, errors in one form, the page.

A service comes in. Knows nothing of sockets, signals or the command line.
"""

from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.routing import Match

from elman.errors import RequestError
from elman.site import PAGE

from .guard import Guard
from .metrics import Sample, family
from .reading import cut
from .refusal import RefusedError
from .routes import routes
from .service import Service

METHODS = ("GET", "HEAD", "POST", "DELETE")
NO_PAGE = "the page is not built, expected in src/elman/page; build it by: make web\n"


def build(service: Service, key: str | None = None, page: Path = PAGE) -> FastAPI:
    """Return the application; with a key, only who has it is served below /v1."""
    app = FastAPI(title="elman", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(Guard, key=key, limits=service.limits, metrics=service.metrics)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestError, _unusable)
    app.add_exception_handler(HTTPException, _unserved)
    app.add_exception_handler(Exception, _broken)
    app.include_router(routes(service, key))

    @app.api_route("/health", methods=["GET", "HEAD"])
    async def health() -> JSONResponse:
        status = "stopping" if service.draining else "ok"
        return JSONResponse({"status": status}, 503 if service.draining else 200)

    @app.get("/metrics")
    async def metrics() -> PlainTextResponse:
        return PlainTextResponse(_metrics(service), media_type="text/plain; version=0.0.4")

    if page.is_dir():
        app.router.default = StaticFiles(directory=page, html=True)
    else:

        @app.get("/")
        async def no_page() -> PlainTextResponse:
            return PlainTextResponse(NO_PAGE, 404)

    return app


def _metrics(service: Service) -> str:
    def of_each(name: str) -> list[Sample]:
        return [
            ("", {"model": served.name}, getattr(served.batcher, name)) for served in service.models.values()
        ]

    lines = [
        *family("elman_streams_running", "gauge", "Streams that have a place.", of_each("running")),
        *family("elman_streams_waiting", "gauge", "Streams that wait for one.", of_each("waiting")),
        *family("elman_tokens_read_total", "counter", "Tokens of prompts.", of_each("tokens_read")),
        *family("elman_tokens_written_total", "counter", "Tokens written.", of_each("tokens_written")),
        *family("elman_states", "gauge", "States that are kept.", [("", {}, len(service.states))]),
        *service.metrics.lines(),
    ]
    return "\n".join([*lines, ""])


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusedError)
    return JSONResponse(error.as_dict(), error.status, error.headers)


async def _unusable(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse(RefusedError(400, str(error)).as_dict(), 400)


async def _unserved(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    phrase, headers = HTTPStatus(error.status_code).phrase.lower(), {}
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"Allow": ", ".join(_allowed(request)) or "GET, HEAD"}  # of the page
        phrase += f", expected {headers['Allow']}"
    refusal = RefusedError(error.status_code, f"{request.method} {cut(request.url.path)}: {phrase}")
    return JSONResponse(refusal.as_dict(), error.status_code, headers)


def _allowed(request: Request) -> list[str]:
    """Return the methods that an address has."""
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


async def _broken(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse(
        RefusedError(500, "something went wrong in the server; its log says what").as_dict(), 500
    )
