"""A thousand clients that say nothing, read slowly or leave in the middle; and a few good ones."""

import asyncio
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from elman import LanguageModel

CROWD = 1000
GOOD = 20
TOKENS = 150


def request(seed: int, tokens: int, stream: bool) -> bytes:
    asked = {"model": "small", "prompt": "the", "max_tokens": tokens, "seed": seed, "stream": stream}
    body = json.dumps(asked).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: application/json\r\nConnection: close\r\n\r\n".encode() + body


async def stranger(port: int, number: int) -> None:
    """Connect, and behave badly for some seconds."""
    choose = random.Random(number)
    await asyncio.sleep(choose.uniform(0, 1))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    kind = number % 4
    if kind:
        writer.write(request(number, 400, stream=kind != 3))
    end = time.monotonic() + choose.uniform(0.1, 1.5)
    while time.monotonic() < end:
        if kind == 1:
            await reader.read(10)
        await asyncio.sleep(0.3)
    writer.transport.abort()


async def good(port: int, seed: int) -> str:
    """Return the text of one request, asked for again while the server is full."""
    await asyncio.sleep(seed / 15)
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(seed, TOKENS, stream=False))
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        if not head.startswith(b"HTTP/1.1 429"):
            assert head.startswith(b"HTTP/1.1 200"), head
            text: str = json.loads(body)["choices"][0]["text"]
            return text
        await asyncio.sleep(0.2)


async def crowd(port: int) -> list[str]:
    strangers = [stranger(port, number) for number in range(CROWD)]
    texts = asyncio.gather(*(good(port, seed) for seed in range(GOOD)))
    await asyncio.gather(*strangers)
    return await texts


@contextmanager
def health(port: int, waits: list[float]) -> Iterator[None]:
    """Ask all the time whether the server is well, and keep how long each answer took."""
    command = [sys.executable, Path(__file__).parent / "health.py", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield
        finally:
            waits += json.loads(process.communicate()[0])


def resident(process: subprocess.Popen[str]) -> int:
    """Return the memory of a process in bytes."""
    pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="needs /proc to read the memory of a process"
)
@pytest.mark.alone
def test_a_thousand_clients_leave_the_server_as_it_was(folder: Path, model: LanguageModel) -> None:
    command = [sys.executable, "-m", "elman", "serve", str(folder), "--port", "0", "--queue", "300"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            port = int(re.search(r"127\.0\.0\.1:(\d+)", process.stderr.readline())[1])
            expected = [model.generate("the", TOKENS, seed=n) for n in range(GOOD)]
            sizes, waits = list[int](), list[float]()
            for _ in range(3):
                with health(port, waits):
                    assert asyncio.run(crowd(port)) == expected
                sizes.append(resident(process))
        finally:
            process.terminate()
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
    assert sizes[-1] < 1.05 * sizes[0], sizes
    assert statistics.quantiles(waits, n=20)[-1] < 0.05, sorted(waits)
