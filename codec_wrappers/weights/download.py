"""Downloads published files. A download can resume; a file gets its name only when it is complete and correct.

If one address fails, the next one is tried.
"""

import logging
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import requests

from codec_wrappers.weights import responses
from codec_wrappers.weights.checkpoints import UNKNOWN, PublishedFile
from codec_wrappers.weights.partial_file import Part, Source, claim
from codec_wrappers.weights.responses import OK, RANGE_NOT_SATISFIABLE, BrokenOffError, RefusedError
from codecfake.base import files
from codecfake.base.progress import progress

MOST_BYTES = 8 << 30  # of a file whose size is not published
SIZE_TOLERANCE = 0.05  # of sizes published as rounded megabytes
HEAD_BYTES = 512
PAGES = (b"<!doctype", b"<html", b"<?xml", b"version https://git-lfs")  # beginnings of texts that replace a file

log = logging.getLogger("codecfake.weights")


class DownloadError(RuntimeError):
    """The file could not be downloaded from any address. `faults` has the reason for each address."""

    def __init__(self, name: str, faults: dict[str, str]) -> None:
        lines = "".join(f"\n  {address}: {fault}" for address, fault in faults.items())
        super().__init__(f"{name}: could not be downloaded{lines}")
        self.faults = faults


@dataclass(frozen=True)
class Patience:
    """How long to try one address."""

    attempts: int = 4
    backoff_seconds: float = 2.0  # before the second attempt; doubles for each further one
    timeout_seconds: float = 30.0  # for a connection, and for the next bytes
    answer_seconds: float = 120.0  # for all headers, and redirects
    speed_seconds: float = 60.0  # during which a transfer may be very slow


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
    if size == 0 and entry.bytes != 0:
        return "is empty"
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
        except RefusedError as error:
            faults[address] = str(error)
            log.warning("%s: %s", address, error)
    raise DownloadError(entry.name, faults)


def _from_address(address: str, entry: PublishedFile, part: Part, patience: Patience) -> None:
    for attempt in range(1, patience.attempts + 1):
        try:
            _receive(address, entry, part, patience)
            break
        except BrokenOffError as error:
            if attempt == patience.attempts:
                raise RefusedError(f"{error}, at attempt {attempt} of {patience.attempts}") from error
            log.info("%s: %s; trying again", address, error)
            time.sleep(patience.backoff_seconds * 2 ** (attempt - 1))
    source = part.source
    wrong = fault(part.path, entry, source.sha256 if source else None)
    if wrong:
        part.start()
        raise RefusedError(wrong)


def _receive(address: str, entry: PublishedFile, part: Part, patience: Patience) -> None:
    """Make one request: for the rest of the file if the server can identify the part, else for all of it."""
    source = _resumable_source(part, address)
    if source is not None and part.num_bytes == source.num_bytes:
        return  # an earlier process died between the last byte and the check
    headers = {"Accept-Encoding": "identity"}
    if source is not None:
        headers |= {"Range": f"bytes={part.num_bytes}-", "If-Range": str(source.validator)}
    with responses.request(address, headers, patience.timeout_seconds, patience.answer_seconds) as response:
        if response.status_code == RANGE_NOT_SATISFIABLE:
            part.start()
            raise BrokenOffError("the file on the server is shorter than before; starting over")
        responses.refuse_status(response)
        responses.refuse_other_file(response, entry)
        if response.status_code == OK:
            part.start(responses.source_of(address, response))
        elif source is None or not responses.continues(response, source, part.num_bytes):
            part.start()
            raise BrokenOffError("the file has changed on the server; starting over")
        _copy(response, part, entry, patience.speed_seconds)


def _resumable_source(part: Part, address: str) -> Source | None:
    """The source of a part that can be continued: it has this address, and a validator detects later versions."""
    source = part.source
    if source is None or source.address != address or part.num_bytes == 0:
        return None
    return source if source.validator and source.num_bytes is not None else None


def _copy(response: requests.Response, part: Part, entry: PublishedFile, speed_seconds: float) -> None:
    source = part.source
    total = source.num_bytes if source else None
    limit = most_bytes(entry)
    with progress(None, entry.name, total, "B") as bar:
        bar.unit_scale = True
        bar.update(part.num_bytes)
        for chunk in responses.pieces(response, speed_seconds):
            part.write(chunk)
            bar.update(len(chunk))
            if part.num_bytes > limit:
                part.start()
                raise RefusedError(f"sent more than {limit} bytes, which is more than the file can have")
    if total is not None and part.num_bytes != total:
        raise BrokenOffError(f"the connection ended after {part.num_bytes} of {total} bytes")


def most_bytes(entry: PublishedFile) -> int:
    """The largest possible size of a published file."""
    if entry.bytes is not None:
        return entry.bytes
    return MOST_BYTES if entry.about_mb is None else int(entry.about_mb * 1e6 * (1 + SIZE_TOLERANCE))
