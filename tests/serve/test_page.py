"""The page at /: the built folder, or one line that says how to build it."""

import asyncio
from pathlib import Path

import pytest
from starlette.types import Message

from elman.serve import Limits, Service
from elman.serve.app import build


async def got(page: Path, path: str) -> tuple[int, bytes]:
    """Return status and body of one request, without a network."""
    sent: list[Message] = []
    given: list[Message] = [{"type": "http.request"}]

    async def receive() -> Message:
        if not given:
            await asyncio.sleep(60)  # the client stays
        return given.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": []}
    await build(Service({}, Limits()), page=page)({**scope, "query_string": b""}, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture
def page(tmp_path: Path) -> Path:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("the page")
    (folder / "script.js").write_text("the script")
    (tmp_path / "secret.txt").write_text("the secret")
    return folder


def answer(page: Path, path: str) -> tuple[int, bytes]:
    return asyncio.run(got(page, path))


def test_the_built_page_is_served(page: Path) -> None:
    assert answer(page, "/") == (200, b"the page")
    assert answer(page, "/script.js") == (200, b"the script")
    assert answer(page, "/health")[1] == b'{"status":"ok"}'


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/./../secret.txt", "//etc/passwd", "/nothing", "/a\x00b"]
)
def test_nothing_outside_the_page_is_served(page: Path, path: str) -> None:
    status, body = answer(page, path)
    assert status == 404
    assert b'"error"' in body


def test_where_no_page_is_built_one_line_says_how(tmp_path: Path) -> None:
    status, body = answer(tmp_path / "absent", "/")
    assert status == 404
    assert body == b"the page is not built, expected in src/elman/page; build it by: make web\n"
