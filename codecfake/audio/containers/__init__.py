"""The forms of audio files that are accepted: how each is recognized, and how its length is measured.

The form is that of the content, whatever the name. A form offers `MAGIC`, how its files begin, `NAME`, `FORMATS`,
libsndfile's names of it, and `measure`, which reads the structure of a file: it raises AudioError if a part is missing,
or if something follows that may be a part of it. Decoders do not notice either.
"""

from types import ModuleType

from codecfake.audio.containers import aiff, au, caf, flac, foreign, mpeg, nist, ogg, riff, w64
from codecfake.audio.containers.content import AudioError, Content

ACCEPTED: tuple[ModuleType, ...] = (riff, w64, flac, aiff, au, nist, caf, ogg, mpeg)
# Of audio files in a folder, accepted or not: one that cannot be used must be reported.
SUFFIXES = (
    ".3ga", ".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".au", ".avi", ".awb", ".bwf", ".caf",
    ".dff", ".dsf", ".dss", ".flac", ".gsm", ".m4a", ".m4b", ".mka", ".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpc",
    ".mpga", ".nist", ".oga", ".ogg", ".opus", ".pcm", ".ra", ".raw", ".rf64", ".snd", ".sph", ".spx", ".tta", ".voc",
    ".vox", ".w64", ".wav", ".wave", ".weba", ".webm", ".wma", ".wv",
)  # fmt: skip
ID3_HEADER, ID3_FOOTER = 10, 0x10

__all__ = ["ACCEPTED", "SUFFIXES", "AudioError", "Content", "form_of", "names", "without_tags"]


def form_of(data: bytes) -> ModuleType | None:
    """The accepted form of a file without tags before it; None if a decoder has to tell what it is.

    Raises AudioError, naming it, for a known form that is not accepted.
    """
    for form in ACCEPTED:
        if data.startswith(form.MAGIC):
            return form
    refusal = foreign.refusal(data)
    if refusal:
        raise AudioError(refusal)
    return mpeg if mpeg.recognizes(data) else None


def names() -> str:
    """The names of the accepted forms, for messages."""
    return ", ".join(form.NAME for form in ACCEPTED)


def without_tags(data: bytes) -> bytes:
    """The file without the ID3v2 tags before it, which shift what libsndfile reads of some forms."""
    start = 0
    while data.startswith(b"ID3", start) and start + ID3_HEADER <= len(data):
        flags, size = data[start + 5], data[start + 6 : start + 10]
        number = sum((byte & 0x7F) << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))
        start += ID3_HEADER + number + (ID3_HEADER if flags & ID3_FOOTER else 0)
    return data[start:] if start else data
