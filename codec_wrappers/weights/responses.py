"""One request to a server, and what its answer must be like: the published file, or the rest of it.

Nothing that a server sends is trusted: its lengths, texts and encodings are checked, and it must answer in time.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any
from urllib.parse import urljoin

import requests

from codec_wrappers.weights.checkpoints import SHA256, PublishedFile
from codec_wrappers.weights.partial_file import Source
from codecfake.base.printing import excerpt

CHUNK_BYTES = 1 << 16  # the most that a lost connection costs
LEAST_SPEED = 1000  # bytes per second
MOST_REDIRECTS = 10
MOST_REASON = 1000  # characters of a message; addresses can be long
PAGE_TYPES = ("text/html", "application/xhtml+xml")
TEMPORARY = {408, 425, 429, 500, 502, 503, 504}  # HTTP statuses after which another attempt can succeed
OK, PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 200, 206, 416
NUMBER = re.compile(r"[0-9]{1,18}")
CONTENT_RANGE = re.compile(r"bytes (?P<start>[0-9]{1,18})-[0-9]{1,18}/(?P<size>[0-9]{1,18})")
ANNOUNCED_SHA256 = "X-Linked-Etag"  # in this header of its redirects, Hugging Face sends the sha256 of large files
NETWORK_ERRORS = (requests.RequestException, requests.exceptions.BaseHTTPError, HTTPException, OSError, ValueError)


class _AddressError(Exception):
    def __str__(self) -> str:
        return excerpt(super().__str__(), MOST_REASON)


class RefusedError(_AddressError):
    """This address does not provide the file; another attempt would not help."""


class BrokenOffError(_AddressError):
    """The transfer failed, but another attempt may get the file, or the rest of it."""


class _Session(requests.Session):
    """Uses the proxies of the environment, but no passwords of ~/.netrc, which are not meant for these addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.auth = _without_password

    def get_redirect_target(self, _: requests.Response) -> None:
        """None: `_get` follows redirects, without reading their bodies, which can be endless."""


def _without_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


@contextmanager
def request(
    address: str, headers: Mapping[str, str], timeout_seconds: float, answer_seconds: float
) -> Iterator[requests.Response]:
    """The response of a server, whose body has not been read yet.

    `timeout_seconds` is for a connection and for the next bytes, `answer_seconds` for all headers and redirects.

    Raises BrokenOffError without an answer in time, and RefusedError for a redirect to an address that is not safe.
    """
    with _Session() as session:

        def ask() -> requests.Response:
            return _get(session, address, headers, timeout_seconds)

        with _in_time(ask, answer_seconds) as response:
            yield response


def _in_time(ask: Callable[[], requests.Response], answer_seconds: float) -> requests.Response:
    """Waits for another thread, since a server can send its headers byte by byte without end."""
    results: list[requests.Response | Exception] = []

    def run() -> None:
        try:
            results.append(ask())
        except (_AddressError, *NETWORK_ERRORS) as error:
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(answer_seconds)
    result = results[0] if results else BrokenOffError(f"no answer within {answer_seconds:g} s")
    if isinstance(result, requests.Response):
        return result
    raise result if isinstance(result, _AddressError) else BrokenOffError(_root(result)) from result


def _get(
    session: requests.Session, address: str, headers: Mapping[str, str], timeout_seconds: float
) -> requests.Response:
    hops: list[requests.Response] = []
    while True:
        response = session.get(address, headers=dict(headers), stream=True, timeout=timeout_seconds)
        if not response.is_redirect:
            response.history = hops
            return response
        response.close()
        hops.append(response)
        if len(hops) > MOST_REDIRECTS:
            raise RefusedError(f"redirects more than {MOST_REDIRECTS} times")
        address = _target(response)


def _target(response: requests.Response) -> str:
    """The address of a redirect."""
    location = response.headers["Location"].encode("latin-1").decode("utf-8", "replace")
    target = urljoin(response.url, location)
    if not target.startswith(("https:", "http:")):
        raise RefusedError(f"redirects to {target}, which is not an address of the web")
    if response.url.startswith("https:") and not target.startswith("https:"):
        raise RefusedError(f"redirects to {target}, which is not encrypted: anyone on the network could change it")
    return target


def pieces(response: requests.Response, speed_seconds: float) -> Iterator[bytes]:
    """The body as it arrives, not decoded. Raises BrokenOffError if it is slower than LEAST_SPEED for that long."""
    start, num_bytes = time.monotonic(), 0
    while piece := _piece(response):
        yield piece
        num_bytes += len(piece)
        if time.monotonic() - start > speed_seconds:
            if num_bytes < LEAST_SPEED * speed_seconds:
                raise BrokenOffError(f"slower than {LEAST_SPEED} bytes per second for {speed_seconds:g} s")
            start, num_bytes = time.monotonic(), 0


def _piece(response: requests.Response) -> bytes:
    read = getattr(response.raw, "read1", response.raw.read)  # urllib3 before 2.1 waits for whole pieces
    try:
        return read(CHUNK_BYTES, decode_content=False)
    except NETWORK_ERRORS as error:
        raise BrokenOffError(_root(error)) from error


def refuse_status(response: requests.Response) -> None:
    """Raise one of the two errors unless the response has the file."""
    status = response.status_code
    if status in TEMPORARY:
        raise BrokenOffError(f"HTTP status {status} {response.reason}")
    if status not in (OK, PARTIAL_CONTENT):
        raise RefusedError(f"HTTP status {status} {response.reason}")


def refuse_other_file(response: requests.Response, entry: PublishedFile) -> None:
    """Raise RefusedError if the response is a web page, packed, or of another size."""
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type in PAGE_TYPES:
        raise RefusedError(f"returned a web page ({content_type}), not the file")
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity"):
        raise RefusedError(f"sent the file packed ({encoding}), though it was asked for as it is")
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and not NUMBER.fullmatch(length):
        raise RefusedError(f"announces a length of {len(length)} digits")
    if response.status_code == OK and entry.bytes is not None and length not in ("", str(entry.bytes)):
        raise RefusedError(f"offers {length} bytes; the published file has {entry.bytes}")


def continues(response: requests.Response, source: Source, offset: int) -> bool:
    """Whether a response with partial content continues the same file at `offset`.

    It must repeat the validator of the request: a server that ignores it could send the rest of another file.
    """
    span = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if span is None or (int(span["start"]), int(span["size"])) != (offset, source.num_bytes):
        return False
    now, before = response.headers, {"ETag": source.etag, "Last-Modified": source.last_modified}
    validator = "ETag" if source.validator == source.etag else "Last-Modified"
    return now.get(validator) == source.validator and all(
        now.get(name, value) == value for name, value in before.items()
    )


def source_of(address: str, response: requests.Response) -> Source:
    """The server's description of the file that it sends."""
    headers = response.headers
    length = headers.get("Content-Length", "")
    return Source(
        address,
        headers.get("ETag"),
        headers.get("Last-Modified"),
        int(length) if NUMBER.fullmatch(length) else None,
        _announced_sha256(response),
    )


def _announced_sha256(response: requests.Response) -> str | None:
    for answer in (response, *response.history):
        announced = answer.headers.get(ANNOUNCED_SHA256, "").strip('"')
        if SHA256.fullmatch(announced):
            return announced
    return None


def _root(error: BaseException) -> str:
    """The first cause of an error: requests wraps it three times."""
    cause: Any = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__
    return str(cause) or type(cause).__name__
