"""What a client did wrong, or what the server cannot do now, in the form of OpenAI's errors."""

from typing import Any

TYPES = {401: "authentication_error", 429: "rate_limit_error", 500: "server_error", 503: "server_error"}


class RefusedError(Exception):
    """A request that is not served: the HTTP status, why, and which parameter is to be mended."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code

    @property
    def headers(self) -> dict[str, str]:
        """What the client's library reads."""
        if self.status == 401:
            return {"WWW-Authenticate": "Bearer"}
        return {"Retry-After": "1"} if self.status in (429, 503) else {}

    def as_dict(self) -> dict[str, Any]:
        """Return the body of the answer."""
        kind = TYPES.get(self.status, "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def stopping() -> RefusedError:
    """Return what is said to who asks, or still waits, when the server ends."""
    return RefusedError(503, "the server is stopping; ask again later", code="stopping")
