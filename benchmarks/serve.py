"""Many readers of one server against one reader: tokens a second in all, and how long the first one takes.

The server is a process of its own. Readers ask for streams, all at the same time.
"""

import asyncio
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from elman import LanguageModel

from .report import REPEATS, Table, spread

READERS = 64
TOKENS = 500
PROMPTS = ("ROMEO:\n", "The ", "What is the ", "It was", "for x in range(", "A list of all that ")


class Read(NamedTuple):
    """What one reader saw."""

    first: float  # seconds until the first character
    seconds: float  # until the end


async def read(port: int, body: bytes) -> Read:
    """Read one stream to its end."""
    start, first = time.perf_counter(), 0.0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nConnection: close\r\n\r\n".encode() + body)
    last = b""
    while part := await reader.read(65536):
        if not first and b"data: " in part:
            first = time.perf_counter() - start
        last = (last + part)[-40:]
    writer.close()
    assert b"data: [DONE]" in last, last
    return Read(first, time.perf_counter() - start)


async def read_together(port: int, name: str, readers: int) -> tuple[float, list[Read]]:
    """Return tokens a second of all readers together, and what each saw."""
    bodies = [
        json.dumps(
            {
                "model": name,
                "prompt": random.Random(seed).choice(PROMPTS),
                "max_tokens": TOKENS,
                "seed": seed,
                "stream": True,
            }
        ).encode()
        for seed in range(readers)
    ]
    start = time.perf_counter()
    seen = await asyncio.gather(*(read(port, body) for body in bodies))
    return readers * TOKENS / (time.perf_counter() - start), seen


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[int]:
    """Run a server and give its port."""
    command = [sys.executable, "-m", "elman", "serve", str(folder), "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", said)
        assert found, said
        try:
            yield int(found[1])
        finally:
            process.terminate()


def compare(folder: Path, name: str, *options: str) -> list[str]:
    """Return one row: speeds of one reader and of many, their ratio, the wait for the first character."""
    one, many, ratios, waits = [], [], [], []
    with serving(folder, *options) as port:
        for turn in range(REPEATS + 1):
            alone, _ = asyncio.run(read_together(port, folder.name, 1))
            together, seen = asyncio.run(read_together(port, folder.name, READERS))
            if turn:  # the first is not counted
                one, many, ratios = [*one, alone], [*many, together], [*ratios, together / alone]
                waits.append(1000 * statistics.quantiles([each.first for each in seen], n=20)[-1])
    return [name, spread(one, 0), spread(many, 0), spread(ratios), spread(waits, 0)]


def measure(folder: Path | None = None) -> Table:
    """Serve an LSTM of 512 units in 32 and in 8 bits."""
    with tempfile.TemporaryDirectory() as temporary:
        if folder is None:
            folder = Path(temporary) / "model"
            LanguageModel.train(out=folder, steps=20, settings={"model.hidden_size": 512}).export(int8=True)
        rows = [compare(folder, "32 bits"), compare(folder, "8 bits", "--int8")]
    return Table(
        "Serving",
        "python -m benchmarks.serve",
        [
            "LSTM 1x512",
            "1 reader, tokens/s",
            f"{READERS} readers, tokens/s",
            "ratio",
            "first character, 95 %, ms",
        ],
        rows,
        f"{TOKENS} tokens a reader; all begin at the same time, and the wait for the first character is that "
        "which one reader in twenty exceeds.",
    )


if __name__ == "__main__":
    print(measure(Path(sys.argv[1]) if len(sys.argv) > 1 else None).markdown())
