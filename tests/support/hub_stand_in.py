"""A server on this machine that takes uploads as the Hugging Face Hub does, as far as `huggingface_hub` asks it."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hub:
    """What was uploaded: name -> bytes; and who asked, by the header."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    repositories: list[dict[str, Any]] = field(default_factory=list)
    authorizations: set[str | None] = field(default_factory=set)
    refuses: bool = False


@contextmanager
def running() -> Iterator[Hub]:
    """A server of an unused port, until the block ends."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.daemon_threads = True
    hub = Hub(f"http://127.0.0.1:{http.server_port}")
    http.hub = hub  # type: ignore[attr-defined]
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield hub
    finally:
        http.shutdown()
        http.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # noqa: N802  (the name that http.server calls)
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        body = self._body()
        hub.authorizations.add(self.headers["Authorization"])
        if hub.refuses:
            return self._answer(401, {"error": "Invalid credentials"})
        if self.path == "/api/repos/create":
            hub.repositories.append(json.loads(body))
            return self._answer(200, {"url": f"{hub.address}/datasets/owner/name", "name": "owner/name"})
        if self.path == "/api/validate-yaml":
            return self._answer(200, {"errors": [], "warnings": []})
        if "/preupload/" in self.path:
            named = [{"path": each["path"]} for each in json.loads(body)["files"]]
            regular = {"uploadMode": "regular", "shouldIgnore": False}
            return self._answer(200, {"files": [{**each, **regular} for each in named]})
        if "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    hub.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            address = f"{hub.address}/datasets/owner/name/commit/{'0' * 40}"
            return self._answer(200, {"commitUrl": address, "commitOid": "0" * 40, "success": True})
        return self._answer(404, {})

    def do_GET(self) -> None:  # noqa: N802
        if self.path.startswith("/api/datasets/"):
            return self._answer(200, {"id": "owner/name", "sha": "0" * 40, "siblings": []})
        return self._answer(404, {})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status: int, values: object) -> None:
        data = json.dumps(values).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
