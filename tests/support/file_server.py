"""A web server on this machine that misbehaves in the ways that servers of published weights do."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 1 << 14


@dataclass
class Served:
    """One file, and how it is served."""

    data: bytes
    etag: str | None = '"first"'
    last_modified: str | None = None
    content_type: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    heeds_if_range: bool = True
    says_length: bool = True
    statuses: list[int] = field(default_factory=list)  # of the first requests, in place of an answer
    redirect: str = ""  # to another path
    cuts: list[int] = field(default_factory=list)  # bytes after which the connection ends, of the first answers
    gate: threading.Event | None = None  # waited for before the last piece, and before a status
    most_of_range: int | None = None  # bytes that are sent at most of an asked range
    seconds_per_byte: float = 0.0  # of the body
    raw: bytes = b""  # in place of an answer, sent slowly as the body


@dataclass(frozen=True)
class Request:
    path: str
    range: str | None
    if_range: str | None
    authorization: str | None = None


class FileServer:
    """Files by path; what was asked for, and how many bytes of them were sent."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.files: dict[str, Served] = {}
        self.requests: list[Request] = []
        self.bytes_sent = 0

    def serve(self, path: str, data: bytes, **how: object) -> str:
        """Serve `data`; gives the address."""
        self.files[path] = Served(data, **how)  # type: ignore[arg-type]
        return self.address + path


@contextmanager
def running() -> Iterator[FileServer]:
    """A server of an unused port, until the block ends."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.daemon_threads = True
    server = FileServer(f"http://127.0.0.1:{http.server_port}/")
    http.file_server = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        for served in server.files.values():
            if served.gate is not None:
                served.gate.set()
        http.shutdown()
        http.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802  (the name that http.server calls)
        server: FileServer = self.server.file_server  # type: ignore[attr-defined]
        path = self.path.lstrip("/")
        server.requests.append(
            Request(path, self.headers["Range"], self.headers["If-Range"], self.headers["Authorization"])
        )
        served = server.files.get(path)
        if served is None:
            return self.send_error(404)
        if served.raw:
            return self._drip(served.raw, served.seconds_per_byte)
        if served.redirect:
            return self._redirect(served)
        if served.statuses:
            if served.gate is not None:
                served.gate.wait(timeout=60)
            return self.send_error(served.statuses.pop(0))
        return self._send(server, served, self._offset(served))

    def do_HEAD(self) -> None:  # noqa: N802
        served = self.server.file_server.files.get(self.path.lstrip("/"))  # type: ignore[attr-defined]
        if served is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(served.data)))
        return self._send_headers(served)

    def _offset(self, served: Served) -> int:
        range_, condition = self.headers["Range"], self.headers["If-Range"]
        if not range_ or not served.ranges:
            return 0
        if served.heeds_if_range and condition not in (None, served.etag, served.last_modified):
            return 0
        return int(range_.removeprefix("bytes=").rstrip("-"))

    def _redirect(self, served: Served) -> None:
        self.send_response(302)
        self.send_header("Location", served.redirect if ":" in served.redirect else "/" + served.redirect)
        self._send_headers(served)
        self.wfile.write(served.data)

    def _send(self, server: FileServer, served: Served, offset: int) -> None:
        size, cut = len(served.data), served.cuts.pop(0) if served.cuts else None
        end = min(size, offset + served.most_of_range) if offset and served.most_of_range else size
        self.send_response(206 if offset else 200)
        if offset:
            self.send_header("Content-Range", f"bytes {offset}-{end - 1}/{size}")
        if served.says_length:
            self.send_header("Content-Length", str(end - offset))
        self._send_headers(served)
        body = served.data[offset : end if cut is None else offset + cut]
        if served.seconds_per_byte:
            self._drip(body, served.seconds_per_byte)
            return
        for start in range(0, len(body), PIECE):
            if served.gate is not None and start + PIECE >= len(body):
                served.gate.wait(timeout=60)
            self.wfile.write(body[start : start + PIECE])
            server.bytes_sent += len(body[start : start + PIECE])

    def _drip(self, data: bytes, seconds_per_byte: float) -> None:
        for byte in data:
            self.wfile.write(bytes([byte]))
            time.sleep(seconds_per_byte)

    def _send_headers(self, served: Served) -> None:
        headers = {"ETag": served.etag, "Last-Modified": served.last_modified, "Content-Type": served.content_type}
        for name, value in (headers | served.headers).items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def handle(self) -> None:
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client was killed

    def log_message(self, *_: object) -> None:
        """Say nothing."""
