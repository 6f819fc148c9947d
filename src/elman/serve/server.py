"""An application on an address, until a signal: what runs is finished in bounded time, nothing new begins.

A service comes in. Knows nothing of what is served.
"""

import asyncio
import gc
import selectors
import socket
import sys
import threading
import time
from types import FrameType

import uvicorn

from elman.errors import RequestError

from .app import build
from .service import Service

# for which a thread keeps the interpreter while others wait; with Python's 0.005 answers wait for the model
SWITCH_SECONDS = 0.0005
LAST_SECONDS = 1.0  # to tell clients that the server ends, before their connections are cut


class Watch(selectors.DefaultSelector):
    """Waits for news of sockets, and tells others that it does."""

    def __init__(self, idle: threading.Event) -> None:
        super().__init__()
        self._idle = idle

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait; with a timeout of 0 the event loop has more to do, and is not idle."""
        if timeout == 0:
            return super().select(timeout)
        self._idle.set()
        try:
            return super().select(timeout)
        finally:
            self._idle.clear()


class Server(uvicorn.Server):
    """Serves until SIGTERM or Ctrl-C, then finishes what runs, in bounded time; a second signal ends it."""

    def __init__(self, service: Service, key: str | None) -> None:
        config = uvicorn.Config(
            build(service, key),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            http="h11",  # which bounds the head of a request; httptools, faster, reads on without end
            ws="none",
            timeout_graceful_shutdown=3,
        )
        super().__init__(config)
        self._service, self._stop_at = service, float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        seconds = 0.0 if self._service.draining else self._service.limits.drain_seconds
        self._service.draining = True
        self._stop_at = time.monotonic() + seconds

    async def on_tick(self, counter: int) -> bool:
        """Stop once nobody is answered any more."""
        if self._service.draining and (not self.server_state.tasks or time.monotonic() >= self._stop_at):
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell who is still answered that the server ends, and cut off who does not listen."""
        loop = asyncio.get_running_loop()
        self._service.stopped.set()
        closing = loop.run_in_executor(None, self._service.close)  # which waits for threads
        loop.call_later(LAST_SECONDS, self._cut)
        await super().shutdown(sockets)
        await closing

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            if connection.transport:
                connection.transport.abort()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is any free one.

    Raises:
        RequestError: the address is taken, or not one of this machine.
    """
    # with its protocol named, asyncio sends what is written at once, and does not gather it for 40 ms
    listening = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        reason = error.strerror or error
        raise RequestError(
            f"cannot listen on {host}:{port} ({reason}), expected a free address of this machine; "
            "choose another with --host and --port"
        ) from None
    return listening


def serve(service: Service, listening: socket.socket, key: str | None = None) -> None:
    """Serve until a signal."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()  # what is here now stays: to look through it for garbage would halt all clients for 0.1 s
    try:
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(Watch(service.idle))) as runner:
            runner.run(Server(service, key).serve(sockets=[listening]))
    finally:
        service.close()
