"""`elman serve` as a process: what it says, what it refuses, how it stops."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from elman import LanguageModel

from .conftest import soon

START = (
    r"serving small on (http://127\.0\.0\.1:\d+); 64 streams a model and 1000 in the queue, "
    r"prompts of 32,768 characters, texts of 32,768 tokens, 300 s a request, 1,000 states of 60 min; "
    r"stop with Ctrl-C\n"
)


@contextmanager
def command(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "elman", "serve", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_stop_finishes_what_runs(
    folder: Path, model: LanguageModel, told: signal.Signals
) -> None:
    with command(str(folder), "--port", "0") as process:
        assert process.stderr is not None
        said = re.fullmatch(START, process.stderr.readline())
        assert said
        asked = {"model": "small", "prompt": "the", "max_tokens": 8000, "seed": 0, "stream": True}
        text, last = "", ""
        with (
            httpx2.Client(base_url=said[1], trust_env=False, timeout=30) as client,
            client.stream("POST", "/v1/completions", json=asked) as answer,
        ):
            lines = (line for line in answer.iter_lines() if line)
            text += json.loads(next(lines).removeprefix("data: "))["choices"][0]["text"]
            process.send_signal(told)
            assert soon(lambda: client.get("/health").status_code == 503)
            assert client.post("/v1/completions", json=asked).status_code == 503
            for last in lines:
                if last != "data: [DONE]":
                    text += json.loads(last.removeprefix("data: "))["choices"][0]["text"]
        assert last == "data: [DONE]"
        assert text == model.generate("the", 8000, seed=0)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("again", [False, True])
def test_what_is_not_done_in_time_ends_with_an_error_and_no_traceback(folder: Path, again: bool) -> None:
    seconds = "30" if again else "1"
    with command(str(folder), "--port", "0", "--drain-seconds", seconds) as process:
        assert process.stderr is not None
        said = re.match(START.removesuffix(r"\n"), process.stderr.readline())
        assert said
        long = {"model": "small", "max_tokens": 32_000, "n": 16, "seed": 0}
        with (
            httpx2.Client(base_url=said[1], trust_env=False, timeout=30) as client,
            client.stream("POST", "/v1/completions", json={**long, "stream": True}) as reading,
            client.stream("POST", "/v1/completions", json={**long, "stream": True, "logprobs": 10}),  # idle
            ThreadPoolExecutor() as pool,
        ):
            whole = pool.submit(client.post, "/v1/completions", json=long)
            lines = (line for line in reading.iter_lines() if line)
            next(lines)
            running = re.compile(r"elman_streams_running{.*} 4[0-9]\n")
            assert soon(lambda: running.search(client.get("/metrics").text) is not None)
            start = time.monotonic()
            process.send_signal(signal.SIGTERM)
            if again:
                assert soon(lambda: client.get("/health").status_code == 503)
                process.send_signal(signal.SIGTERM)
            *_, error, last = lines
            assert last == "data: [DONE]"
            assert json.loads(error.removeprefix("data: "))["error"]["code"] == "stopping"
            assert whole.result().status_code == 503
            assert whole.result().json()["error"]["code"] == "stopping"
            assert process.wait(10) == 0  # and the idle reader has not gone away
            assert time.monotonic() - start < 5
        assert process.stderr.read() == ""


def test_the_key_of_the_environment_is_used(folder: Path) -> None:
    with command(str(folder), "--port", "0", "--int8", ELMAN_API_KEY="secret") as process:
        assert process.stderr is not None
        said = re.match(r"serving small in 8 bits on (\S+), with an API key; ", process.stderr.readline())
        assert said
        with httpx2.Client(base_url=said[1], trust_env=False) as client:
            assert client.get("/v1/models").status_code == 401
            right = client.get("/v1/models", headers={"Authorization": "Bearer secret"})
            assert right.json()["data"][0]["id"] == "small"


def refused(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "elman", "serve", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_what_cannot_be_served_is_said_in_one_line(folder: Path, tmp_path: Path) -> None:
    assert "has no config.json" in refused(str(tmp_path))
    assert refused(str(folder), f"{folder}/").startswith("elman: two models have the same name")
    assert refused(str(folder), "--api-key", "").startswith("elman: the API key is empty")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refused(str(folder), "--port", port)
    assert line == (
        f"elman: cannot listen on 127.0.0.1:{port} (Address already in use), expected a free address of this "
        "machine; choose another with --host and --port"
    )


def test_a_model_that_cannot_be_served_is_refused_before_anything_is_said(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("".join(f"{n} and then {n + 1}.\n" for n in range(300)))
    settings = {"model.hidden_size": 8, "model.embedding_size": 4, "train.batch_size": 4, "train.window": 16}
    LanguageModel.train(
        tmp_path / "text.txt", recipe="fill", out=tmp_path / "gaps", steps=2, settings=settings
    )
    assert "fills gaps, expected a model that writes on" in refused(str(tmp_path / "gaps"), "--port", "0")


def test_serving_imports_no_torch(folder: Path) -> None:
    script = (
        "import sys\n"
        "from elman import LanguageModel\n"
        "from elman.serve import Limits, Service, listen\n"
        f"service = Service({{'small': LanguageModel.load({str(folder)!r})}}, Limits())\n"
        "from elman.serve.app import build\n"
        "build(service)\n"
        "service.close()\n"
        "print('fastapi' in sys.modules, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout == "True False\n", done.stderr
