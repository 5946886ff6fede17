"""Ogg: pages with numbers and checksums, the first and the last of which are marked.

Decoders leave out damaged pages, and stop after the first of several recordings, without a word. So the pages are
checked here. Source: RFC 3533.
"""

import zlib
from dataclasses import dataclass

from codecfake.audio.containers.content import TAGS, AudioError, Content, unpack

MAGIC = (b"OggS",)
NAME = "Ogg"
FORMATS = ("OGG",)

HEADER = 27  # bytes, then the sizes of the segments
CHECKSUM = slice(22, 26)
FIRST, LAST = 2, 4
REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
CONVERT = "convert it, e.g. `ffmpeg -i IN OUT.flac`, and check its length"


@dataclass(frozen=True)
class Page:
    """A page of one stream."""

    start: int
    end: int
    flags: int
    stream: int
    number: int


def measure(data: bytes) -> Content:
    """Raises AudioError if a page is missing or damaged, or if there is more than one stream."""
    page = first = _page(data, 0)
    while page.end < len(data) and not data.startswith(TAGS, page.end) and any(data[page.end : page.end + 4096]):
        following = _page(data, page.end)
        _require_more(page)
        _require_next(first, page, following)
        page = following
    if not page.flags & LAST:
        raise AudioError(f"truncated: its last page is not marked as the last of the recording; {CONVERT}")
    return Content(None, data[: page.end])  # libsndfile takes what follows for a damaged page


def _page(data: bytes, start: int) -> Page:
    if not data.startswith(MAGIC, start):
        raise AudioError(f"damaged: no page of Ogg begins at byte {start}; {CONVERT}")
    _, flags, _, stream, number, _, segments = unpack("<BBqIIIB", data, start + 4)
    end = start + HEADER + segments + sum(data[start + HEADER : start + HEADER + segments])
    if end > len(data) or start + HEADER + segments > len(data):
        raise AudioError(f"truncated: it ends within the page of Ogg that begins at byte {start}")
    if checksum(data[start:end]) != unpack("<I", data, start + CHECKSUM.start)[0]:
        raise AudioError(f"damaged: the page of Ogg at byte {start} has another checksum; restore the file")
    return Page(start, end, flags, stream, number)


def _require_more(page: Page) -> None:
    if page.flags & LAST:
        raise AudioError(
            f"another recording begins at byte {page.end} (a chained Ogg file); divide it, or join the parts in one "
            f"recording, e.g. `ffmpeg -i IN OUT.flac`"
        )


def _require_next(first: Page, page: Page, following: Page) -> None:
    if following.stream != first.stream or following.flags & FIRST:
        raise AudioError(
            f"more than one stream: another begins at byte {following.start}; extract the recording, e.g. "
            f"`ffmpeg -i IN OUT.flac`"
        )
    if following.number != (page.number + 1) % 2**32:
        raise AudioError(f"damaged: pages are missing before byte {following.start}; restore the file")


def checksum(page: bytes) -> int:
    """CRC-32 of a page, with zeros instead of its checksum: zlib's, but with the bits of each byte in reverse order."""
    content = page[: CHECKSUM.start] + bytes(4) + page[CHECKSUM.stop :]
    reflected = zlib.crc32(content.translate(REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
