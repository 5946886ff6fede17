"""Files from the net that are whole and right before they get their name: resumed, checked, from the next address."""

import logging
import re
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from codec_wrappers.weights.checkpoints import SHA256, UNKNOWN, Published
from codec_wrappers.weights.partial_file import Part, Source, claimed
from codecfake.base import files
from codecfake.base.progress import progress

CHUNK_BYTES = 1 << 16  # as much as one lost connection costs
MOST_BYTES = 8 << 30  # of a file whose size is not published
SIZE_TOLERANCE = 0.05  # of sizes published as rounded megabytes
HEAD_BYTES = 512
PAGES = (b"<!doctype", b"<html", b"<?xml", b"version https://git-lfs")  # what servers send in place of a file
PAGE_TYPES = ("text/html", "application/xhtml+xml")
MAY_PASS = {408, 425, 429, 500, 502, 503, 504}  # HTTP statuses that are worth another try
OK, PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 200, 206, 416
CONTENT_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<size>\d+)")
ANNOUNCED_SHA256 = "X-Linked-Etag"  # Hugging Face sends the sha256 of large files so, before it redirects

log = logging.getLogger("codecfake.weights")


class DownloadError(RuntimeError):
    """No address gave the file. `faults` says why, by address."""

    def __init__(self, name: str, faults: dict[str, str]) -> None:
        lines = "".join(f"\n  {address}: {fault}" for address, fault in faults.items())
        super().__init__(f"{name}: could not be downloaded{lines}")
        self.faults = faults


class _RefusedError(Exception):
    """This address does not give the file; asking again would not help."""


class _BrokenOffError(Exception):
    """This address may give the file, or the rest of it, another time."""


@dataclass(frozen=True)
class Patience:
    """How long to try one address."""

    attempts: int = 4
    backoff_seconds: float = 2.0  # before the second attempt; doubles for each further one
    timeout_seconds: float = 30.0  # for a connection, and for the next bytes


PATIENCE = Patience()


def download(published: Published, target: Path, patience: Patience = PATIENCE) -> None:
    """Make `target` from the first address that gives the right file, or wait for the process that does.

    Raises DownloadError if no address does, OSError if the folder cannot be written to.
    """
    with claimed(target) as part:
        if part is not None:
            _from_any_address(published, part, patience)
            part.finish(target)


def fault(path: Path, published: Published, announced_sha256: str | None = None) -> str | None:
    """What tells the file at `path` from the published one: a web page, a size, a hash; None if nothing does."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    size = path.stat().st_size
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES):
        return f"is a text that begins {head[:40].decode(errors='replace')!r}, not the published file"
    if published.bytes is not None and size != published.bytes:
        return f"has {size} bytes; the published file has {published.bytes}"
    if published.about_mb is not None and abs(size / 1e6 / published.about_mb - 1) > SIZE_TOLERANCE:
        return f"has {size / 1e6:.1f} MB; the published file has about {published.about_mb:g} MB"
    if head.startswith(b"PK\x03\x04") and not zipfile.is_zipfile(path):
        return f"is cut short: {size} bytes of a zip file without its end"
    expected = announced_sha256 if published.sha256 == UNKNOWN else published.sha256
    found = files.sha256(path) if expected else None
    return f"has the sha256 {found}; the published file has {expected}" if found != expected else None


def _from_any_address(published: Published, part: Part, patience: Patience) -> None:
    faults = {}
    for address in published.addresses:
        try:
            return _from_address(address, published, part, patience)
        except _RefusedError as error:
            faults[address] = str(error)
            log.warning("%s: %s", address, error)
    raise DownloadError(published.name, faults)


def _from_address(address: str, published: Published, part: Part, patience: Patience) -> None:
    for attempt in range(1, patience.attempts + 1):
        try:
            _receive(address, published, part, patience.timeout_seconds)
            break
        except _BrokenOffError as error:
            if attempt == patience.attempts:
                raise _RefusedError(f"{error}, at attempt {attempt} of {patience.attempts}") from error
            log.info("%s: %s; trying again", address, error)
            time.sleep(patience.backoff_seconds * 2 ** (attempt - 1))
    source = part.source
    wrong = fault(part.path, published, source.sha256 if source else None)
    if wrong:
        part.start()
        raise _RefusedError(wrong)


def _receive(address: str, published: Published, part: Part, timeout_seconds: float) -> None:
    """Ask once, for the rest of the file if its beginning is there and can be told from other versions."""
    begun = _begun(part, address)
    if begun is not None and part.num_bytes == begun.num_bytes:
        return  # a process died between the last byte and the check
    headers = {"Accept-Encoding": "identity"}
    if begun is not None:
        headers |= {"Range": f"bytes={part.num_bytes}-", "If-Range": str(begun.validator)}
    try:
        with requests.get(address, headers=headers, stream=True, timeout=timeout_seconds) as response:
            _refuse_status(response, part)
            _refuse_other_file(address, response, published)
            if response.status_code == OK:
                part.start(_source(address, response))
            elif begun is None or not _continues(response, begun, part.num_bytes):
                part.start()
                raise _BrokenOffError("the file has changed on the server; starting over")
            _copy(response, part, published)
    except requests.RequestException as error:
        raise _BrokenOffError(_root(error)) from error


def _begun(part: Part, address: str) -> Source | None:
    """What a part can be continued from: a file of that address which the server can tell from later versions."""
    source = part.source
    if source is None or source.address != address or part.num_bytes == 0:
        return None
    return source if source.validator and source.num_bytes is not None else None


def _refuse_status(response: requests.Response, part: Part) -> None:
    status = response.status_code
    if status == RANGE_NOT_SATISFIABLE:
        part.start()
        raise _BrokenOffError("the file on the server is shorter than before; starting over")
    if status in MAY_PASS:
        raise _BrokenOffError(f"HTTP status {status} {response.reason}")
    if status not in (OK, PARTIAL_CONTENT):
        raise _RefusedError(f"HTTP status {status} {response.reason}")


def _refuse_other_file(address: str, response: requests.Response, published: Published) -> None:
    for hop in (*response.history, response):
        if address.startswith("https:") and not hop.url.startswith("https:"):
            raise _RefusedError(f"leads over {hop.url}, which anybody on the way could change")
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type in PAGE_TYPES:
        raise _RefusedError(f"gave a web page ({content_type}), not the file")
    length = response.headers.get("Content-Length", "")
    if response.status_code == OK and published.bytes is not None and length not in ("", str(published.bytes)):
        raise _RefusedError(f"offers {length} bytes; the published file has {published.bytes}")


def _continues(response: requests.Response, source: Source, offset: int) -> bool:
    """Whether an answer with partial content starts at `offset` of this very file."""
    span = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if span is None or (int(span["start"]), int(span["size"])) != (offset, source.num_bytes):
        return False
    told = {"ETag": source.etag, "Last-Modified": source.last_modified}
    return all(response.headers.get(name, known) == known for name, known in told.items())


def _source(address: str, response: requests.Response) -> Source:
    headers = response.headers
    length = headers.get("Content-Length", "")
    return Source(
        address,
        headers.get("ETag"),
        headers.get("Last-Modified"),
        int(length) if length.isdecimal() else None,
        _announced_sha256(response),
    )


def _announced_sha256(response: requests.Response) -> str | None:
    for answer in (response, *response.history):
        announced = answer.headers.get(ANNOUNCED_SHA256, "").strip('"')
        if SHA256.fullmatch(announced):
            return announced
    return None


def _copy(response: requests.Response, part: Part, published: Published) -> None:
    source = part.source
    total = source.num_bytes if source else None
    limit = most_bytes(published)
    with progress(None, published.name, total, "B") as bar:
        bar.unit_scale = True
        bar.update(part.num_bytes)
        for chunk in response.iter_content(CHUNK_BYTES):
            part.write(chunk)
            bar.update(len(chunk))
            if part.num_bytes > limit:
                part.start()
                raise _RefusedError(f"sends more than {limit} bytes, more than the file can have")
    if total is not None and part.num_bytes != total:
        raise _BrokenOffError(f"the connection ended after {part.num_bytes} of {total} bytes")


def most_bytes(published: Published) -> int:
    """The most bytes that a published file can have."""
    if published.bytes is not None:
        return published.bytes
    return MOST_BYTES if published.about_mb is None else int(published.about_mb * 1e6 * (1 + SIZE_TOLERANCE))


def _root(error: BaseException) -> str:
    """The first cause of an error of requests, which wraps it three times."""
    cause: Any = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__
    return str(cause) or type(cause).__name__
