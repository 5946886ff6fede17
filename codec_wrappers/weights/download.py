"""Downloads published files. A download can resume; a file gets its name only when it is complete and correct.

If one address fails, the next one is tried.
"""

import logging
import re
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from codec_wrappers.weights.checkpoints import SHA256, UNKNOWN, PublishedFile
from codec_wrappers.weights.partial_file import Part, Source, claim
from codecfake.base import files
from codecfake.base.progress import progress

CHUNK_BYTES = 1 << 16  # the most that a lost connection costs
MOST_BYTES = 8 << 30  # of a file whose size is not published
SIZE_TOLERANCE = 0.05  # of sizes published as rounded megabytes
HEAD_BYTES = 512
PAGES = (b"<!doctype", b"<html", b"<?xml", b"version https://git-lfs")  # beginnings of texts that replace a file
PAGE_TYPES = ("text/html", "application/xhtml+xml")
TEMPORARY = {408, 425, 429, 500, 502, 503, 504}  # HTTP statuses after which another attempt can succeed
OK, PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 200, 206, 416
CONTENT_RANGE = re.compile(r"bytes (?P<start>\d+)-\d+/(?P<size>\d+)")
ANNOUNCED_SHA256 = "X-Linked-Etag"  # in this header of its redirects, Hugging Face sends the sha256 of large files

log = logging.getLogger("codecfake.weights")


class DownloadError(RuntimeError):
    """The file could not be downloaded from any address. `faults` has the reason for each address."""

    def __init__(self, name: str, faults: dict[str, str]) -> None:
        lines = "".join(f"\n  {address}: {fault}" for address, fault in faults.items())
        super().__init__(f"{name}: could not be downloaded{lines}")
        self.faults = faults


class _RefusedError(Exception):
    """This address does not provide the file; another attempt would not help."""


class _BrokenOffError(Exception):
    """The transfer failed, but another attempt may get the file, or the rest of it."""


@dataclass(frozen=True)
class Patience:
    """How long to try one address."""

    attempts: int = 4
    backoff_seconds: float = 2.0  # before the second attempt; doubles for each further one
    timeout_seconds: float = 30.0  # for a connection, and for the next bytes


PATIENCE = Patience()


def download(entry: PublishedFile, target: Path, patience: Patience = PATIENCE) -> None:
    """Download `target` from the first address with the correct file, or wait for another process that does so.

    Raises DownloadError if all addresses fail, and OSError if the folder cannot be written to.
    """
    with claim(target) as part:
        if part is not None:
            _from_any_address(entry, part, patience)
            part.finish(target)


def fault(path: Path, entry: PublishedFile, announced_sha256: str | None = None) -> str | None:
    """How the file at `path` differs from the published one (a web page, a size, a hash); None if it does not."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    size = path.stat().st_size
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES):
        return f"is a text that begins {head[:40].decode(errors='replace')!r}, not the published file"
    if entry.bytes is not None and size != entry.bytes:
        return f"has {size} bytes; the published file has {entry.bytes}"
    if entry.about_mb is not None and abs(size / 1e6 / entry.about_mb - 1) > SIZE_TOLERANCE:
        return f"has {size / 1e6:.1f} MB; the published file has about {entry.about_mb:g} MB"
    if head.startswith(b"PK\x03\x04") and not zipfile.is_zipfile(path):
        return f"is cut short: {size} bytes of a zip file without its end"
    sha256 = announced_sha256 if entry.sha256 == UNKNOWN else entry.sha256
    actual = None if sha256 is None else files.sha256(path)
    return f"has the sha256 {actual}; the published file has {sha256}" if actual != sha256 else None


def _from_any_address(entry: PublishedFile, part: Part, patience: Patience) -> None:
    faults = {}
    for address in entry.addresses:
        try:
            return _from_address(address, entry, part, patience)
        except _RefusedError as error:
            faults[address] = str(error)
            log.warning("%s: %s", address, error)
    raise DownloadError(entry.name, faults)


def _from_address(address: str, entry: PublishedFile, part: Part, patience: Patience) -> None:
    for attempt in range(1, patience.attempts + 1):
        try:
            _receive(address, entry, part, patience.timeout_seconds)
            break
        except _BrokenOffError as error:
            if attempt == patience.attempts:
                raise _RefusedError(f"{error}, at attempt {attempt} of {patience.attempts}") from error
            log.info("%s: %s; trying again", address, error)
            time.sleep(patience.backoff_seconds * 2 ** (attempt - 1))
    source = part.source
    wrong = fault(part.path, entry, source.sha256 if source else None)
    if wrong:
        part.start()
        raise _RefusedError(wrong)


def _receive(address: str, entry: PublishedFile, part: Part, timeout_seconds: float) -> None:
    """Make one request: for the rest of the file if the server can identify the part, else for all of it."""
    source = _resumable_source(part, address)
    if source is not None and part.num_bytes == source.num_bytes:
        return  # an earlier process died between the last byte and the check
    headers = {"Accept-Encoding": "identity"}
    if source is not None:
        headers |= {"Range": f"bytes={part.num_bytes}-", "If-Range": str(source.validator)}
    try:
        with requests.get(address, headers=headers, stream=True, timeout=timeout_seconds) as response:
            _refuse_status(response, part)
            _refuse_other_file(address, response, entry)
            if response.status_code == OK:
                part.start(_source(address, response))
            elif source is None or not _continues(response, source, part.num_bytes):
                part.start()
                raise _BrokenOffError("the file has changed on the server; starting over")
            _copy(response, part, entry)
    except requests.RequestException as error:
        raise _BrokenOffError(_root(error)) from error


def _resumable_source(part: Part, address: str) -> Source | None:
    """The source of a part that can be continued: it has this address, and a validator detects later versions."""
    source = part.source
    if source is None or source.address != address or part.num_bytes == 0:
        return None
    return source if source.validator and source.num_bytes is not None else None


def _refuse_status(response: requests.Response, part: Part) -> None:
    status = response.status_code
    if status == RANGE_NOT_SATISFIABLE:
        part.start()
        raise _BrokenOffError("the file on the server is shorter than before; starting over")
    if status in TEMPORARY:
        raise _BrokenOffError(f"HTTP status {status} {response.reason}")
    if status not in (OK, PARTIAL_CONTENT):
        raise _RefusedError(f"HTTP status {status} {response.reason}")


def _refuse_other_file(address: str, response: requests.Response, entry: PublishedFile) -> None:
    for hop in (*response.history, response):
        if address.startswith("https:") and not hop.url.startswith("https:"):
            raise _RefusedError(
                f"redirects to {hop.url}, which is not encrypted: anyone on the network could change it"
            )
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type in PAGE_TYPES:
        raise _RefusedError(f"returned a web page ({content_type}), not the file")
    length = response.headers.get("Content-Length", "")
    if response.status_code == OK and entry.bytes is not None and length not in ("", str(entry.bytes)):
        raise _RefusedError(f"offers {length} bytes; the published file has {entry.bytes}")


def _continues(response: requests.Response, source: Source, offset: int) -> bool:
    """Whether a response with partial content continues the same file at `offset`."""
    span = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if span is None or (int(span["start"]), int(span["size"])) != (offset, source.num_bytes):
        return False
    validators = {"ETag": source.etag, "Last-Modified": source.last_modified}
    return all(response.headers.get(name, value) == value for name, value in validators.items())


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


def _copy(response: requests.Response, part: Part, entry: PublishedFile) -> None:
    source = part.source
    total = source.num_bytes if source else None
    limit = most_bytes(entry)
    with progress(None, entry.name, total, "B") as bar:
        bar.unit_scale = True
        bar.update(part.num_bytes)
        for chunk in response.iter_content(CHUNK_BYTES):
            part.write(chunk)
            bar.update(len(chunk))
            if part.num_bytes > limit:
                part.start()
                raise _RefusedError(f"sent more than {limit} bytes, which is more than the file can have")
    if total is not None and part.num_bytes != total:
        raise _BrokenOffError(f"the connection ended after {part.num_bytes} of {total} bytes")


def most_bytes(entry: PublishedFile) -> int:
    """The largest possible size of a published file."""
    if entry.bytes is not None:
        return entry.bytes
    return MOST_BYTES if entry.about_mb is None else int(entry.about_mb * 1e6 * (1 + SIZE_TOLERANCE))


def _root(error: BaseException) -> str:
    """The first cause of an error: requests wraps it three times."""
    cause: Any = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__
    return str(cause) or type(cause).__name__
