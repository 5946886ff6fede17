"""Forms of files that are not accepted, by their first bytes."""

NAMES = {
    b"\x1a\x45\xdf\xa3": "a Matroska or WebM file",
    b"\x30\x26\xb2\x75": "a WMA (ASF) file",
    b"#!AMR": "an AMR file",
    b"wvpk": "a WavPack file",
    b"MAC ": "a Monkey's Audio file",
    b"ajkg": "a Shorten file",
    b"TTA1": "a TTA file",
    b"DSD ": "a DSD file",
    b"FRM8": "a DSDIFF file",
    b"BW64": "a BW64 file",
    b"\xff\xf1": "an AAC file",
    b"\xff\xf9": "an AAC file",
    b"\x0b\x77": "an AC-3 file",
    b"FLV": "a Flash video",
    b"MThd": "a MIDI file",
}
NO_AUDIO = {
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip file",
    b"\xfd7zXZ": "an XZ file",
    b"BZh": "a bzip2 file",
    b"\x93NUMPY": "an array of NumPy",
    b"\x89HDF": "an HDF5 file",
    b"version https://git-lfs": "a pointer of Git LFS; fetch the file, e.g. with `git lfs pull`",
    b"<!DOCTYPE": "a web page; fetch the file again",
    b"<html": "a web page; fetch the file again",
}
CONVERT = "convert it, e.g. `ffmpeg -i IN -c:a pcm_s16le OUT.wav`"


def refusal(data: bytes) -> str | None:
    """Why a file cannot be used that has such a form, and how to convert it; None for any other file."""
    if data[4:8] == b"ftyp":
        return f"an MP4 file (such as M4A), which cannot be read; {CONVERT}"
    for magic, name in NAMES.items():
        if data.startswith(magic):
            return f"{name}, which cannot be read; {CONVERT}"
    return next((f"no audio: {name}" for magic, name in NO_AUDIO.items() if data.startswith(magic)), None)
