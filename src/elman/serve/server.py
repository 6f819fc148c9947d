"""An application on an address, until a signal: what runs is finished, and nothing new begins.

A service comes in. Knows nothing of what is served.
"""

import gc
import socket
import sys
import time
from types import FrameType

import uvicorn

from elman.errors import RequestError

from .app import build
from .service import Service

# for which a thread keeps the interpreter while others wait; with Python's 0.005 answers wait for the model
SWITCH_SECONDS = 0.0005


class Server(uvicorn.Server):
    """Serves until SIGTERM or Ctrl-C, then finishes what runs; at the second signal it stops at once."""

    def __init__(self, service: Service, key: str | None) -> None:
        config = uvicorn.Config(
            build(service, key),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=5,
        )
        super().__init__(config)
        self._service, self._stop_at = service, float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        if self._service.draining:
            self.should_exit = self.force_exit = True
        self._service.draining = True
        self._stop_at = time.monotonic() + self._service.limits.drain_seconds

    async def on_tick(self, counter: int) -> bool:
        """Stop once nothing runs any more."""
        if self._service.draining and (self._service.idle or time.monotonic() >= self._stop_at):
            self.should_exit = True
        return await super().on_tick(counter)


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
        Server(service, key).run(sockets=[listening])
    finally:
        service.close()
