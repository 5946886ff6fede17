"""AU of Sun and NeXT: a short header, then samples until the end."""

from codecfake.audio.containers.content import Content, compressed, frames, require_nothing_more, unpack

MAGIC = (b".snd", b"dns.")
NAME = "AU"
FORMATS = ("AU",)

UNKNOWN_SIZE = 0xFFFFFFFF  # of a file that was written to a pipe
SAMPLE_BYTES = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # mu-law, linear, float, double, A-law
CODINGS = {23: "G.721 ADPCM", 24: "G.722", 25: "G.723 ADPCM", 26: "G.723 ADPCM"}


def measure(data: bytes) -> Content:
    """Raises AudioError if the file is truncated, or its samples are compressed in blocks."""
    order = ">" if data.startswith(MAGIC[0]) else "<"
    start, size, coding, _, channels = unpack(f"{order}5I", data, 4)
    if coding not in SAMPLE_BYTES:
        raise compressed(CODINGS.get(coding, f"coding {coding}"), NAME)
    frame_bytes = channels * SAMPLE_BYTES[coding]
    if size == UNKNOWN_SIZE:
        size = max(0, len(data) - start)
    number = frames(data, start, size, frame_bytes)
    require_nothing_more(data, start, start + size)
    return Content(number, data)
