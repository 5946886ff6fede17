"""NIST SPHERE: lines of text that describe the samples, then the samples.

Source: NIST, SPeech HEader REsources 2.6.
"""

import re

from codecfake.audio.containers.content import AudioError, Content, frames, require_nothing_more

MAGIC = (b"NIST_1A\n",)
NAME = "NIST SPHERE"
FORMATS = ("NIST",)

SIZE_LINE = re.compile(rb"NIST_1A\r?\n *(\d{1,7})\r?\n")
NUMBER = rb"^%b -i (\d{1,12})\s*$"
CODING = re.compile(rb"^sample_coding -s\d+ (\S+)", re.MULTILINE)
BYTES = (b"ulaw", b"mu-law", b"alaw")  # one of each sample
EXACT = (b"pcm", b"pcm-2", b"linear", *BYTES)


def measure(data: bytes) -> Content:
    """Raises AudioError if the file is truncated, or its samples are compressed."""
    first = SIZE_LINE.match(data)
    if first is None:
        raise AudioError("truncated, or damaged: its first lines are not those of a NIST SPHERE file")
    start = int(first[1])
    header = data[:start].partition(b"end_head")[0]
    coding = CODING.search(header)
    if coding and coding[1].lower() not in EXACT:
        name = coding[1].decode("latin-1")
        raise AudioError(f"its samples are compressed as {name!r}; convert it, e.g. `sph2pipe -f wav IN OUT.wav`")
    is_byte = coding is not None and coding[1].lower() in BYTES
    frame_bytes = _number(header, b"channel_count") * (1 if is_byte else _number(header, b"sample_n_bytes"))
    number = frames(data, start, _number(header, b"sample_count") * frame_bytes, frame_bytes)
    require_nothing_more(data, start, start + number * frame_bytes)
    return Content(number, data)


def _number(header: bytes, name: bytes) -> int:
    line = re.search(NUMBER % name, header, re.MULTILINE)
    if line is None:
        raise AudioError(f"its header has no {name.decode()}; convert it, e.g. `sph2pipe -f wav IN OUT.wav`")
    return int(line[1])
