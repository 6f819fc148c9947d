"""How much one server does at a time, keeps, and takes from a client. Knows nothing of models or HTTP."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The bounds of a server; those of streams hold for each model."""

    streams: int = 64  # that run together
    queue: int = 1000  # that wait or are paused
    prompt: int = 32_768  # characters of a prompt, or of a text to score
    tokens: int = 32_768  # of one text
    seconds: float = 300.0  # that one request may take
    states: int = 1000  # that are kept
    state_seconds: float = 3600.0  # that a state is kept unused
    body_bytes: int = 10_000_000
    body_seconds: float = 30.0  # for a request to arrive whole
    drain_seconds: float = 8.0  # for what runs to finish, once the server is told to stop
