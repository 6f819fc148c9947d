"""A stand-in for the Hugging Face hub, of HTTP only: repositories in memory, small files in commits."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "a" * 40


class Hub:
    """What it holds, and where it listens."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}  # models/me/book -> name -> content
        self.asked: list[str] = []
        self.address = ""


@contextmanager
def hub_stand_in() -> Iterator[Hub]:
    """Serve on a free port of this machine."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            hub.asked.append(f"POST {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != "Bearer hf_right":
                self._answer({"error": "Invalid username or password."}, 401)
            elif self.path == "/api/repos/create":
                name = json.loads(body)["name"]
                owner = json.loads(body).get("organization") or "me"
                hub.files.setdefault(f"models/{owner}/{name}", {})
                self._answer({"url": f"{hub.address}/{owner}/{name}", "id": f"{owner}/{name}"})
            elif self.path == "/api/validate-yaml":
                self._answer({"errors": [], "warnings": []})
            elif "/preupload/" in self.path:
                files = [
                    {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for file in json.loads(body)["files"]
                ]
                self._answer({"files": files})
            elif "/commit/" in self.path:
                repository = self.path.removeprefix("/api/").partition("/commit/")[0]
                for line in body.splitlines():
                    row = json.loads(line)
                    if row["key"] == "file":
                        value = row["value"]
                        hub.files[repository][value["path"]] = base64.b64decode(value["content"])
                place = repository.removeprefix("models/")
                address = f"{hub.address}/{place}/commit/{COMMIT}"
                self._answer({"commitUrl": address, "commitOid": COMMIT})
            else:
                self._answer({"error": "not here"}, 404)

        def do_HEAD(self) -> None:
            self._serve()

        def do_GET(self) -> None:
            self._serve()

        def _serve(self) -> None:
            path = self.path.partition("?")[0]
            hub.asked.append(f"{self.command} {path}")
            if path.startswith("/api/whoami"):
                self._answer({"name": "me", "orgs": [], "type": "user", "auth": {"type": "access_token"}})
                return
            if path.startswith("/api/"):
                repository, _, rest = path.removeprefix("/api/").partition("/tree/")
                repository = repository.partition("/revision/")[0]
                if repository not in hub.files:
                    self._answer({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
                    return
                files = hub.files[repository]
                if rest:
                    self._answer([_entry(name, content) for name, content in files.items()])
                    return
                siblings = [{"rfilename": name} for name in files]
                name = repository.partition("/")[2]
                self._answer({"id": name, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []})
                return
            place, _, rest = path.strip("/").partition("/resolve/")
            kind = "" if place.startswith("datasets/") else "models/"
            content = hub.files.get(kind + place, {}).get(rest.partition("/")[2])
            if content is None:
                self._answer({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
                return
            self._send(
                content, 200, {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha1(content).hexdigest()}"'}
            )

        def _answer(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
            self._send(
                json.dumps(value).encode(), status, {"Content-Type": "application/json", **(headers or {})}
            )

        def _send(self, content: bytes, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

    return Handler


def _entry(name: str, content: bytes) -> dict[str, object]:
    return {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
