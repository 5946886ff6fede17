"""Corpora as users have them: in every folder, good recordings among damaged files, odd names and odd tables.

Each builder writes one corpus and returns what must become of every path that its reader meets: the sound that is kept,
or a part of the reason for its rejection. What a reader must not even mention is not returned.
"""

import os
import shutil
import struct
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from bad_audio import BAD_AUDIO
from odd_audio import encoded, id3, mp3, pages, with_data_size
from odd_places import endless, pipe
from places import SHARED

RATE = 16_000
SPEAKERS = ("p225", "p226", "p227", "p228", "p229")
APPLE_DOUBLE = b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(4000)


@dataclass(frozen=True)
class Kept:
    num_samples: int
    sample_rate: int = RATE
    channels: int = 1


Outcome = Kept | str  # str: a part of a reason
Outcomes = dict[str, Outcome]


def speech(seed: int, num_samples: int = 8_000, rate: int = RATE, channels: int = 1) -> np.ndarray:
    """Harmonics of a gliding pitch, `[T, C]`; the channels differ in level."""
    rng = np.random.default_rng(seed)
    time = np.arange(num_samples)[:, None] / rate
    phase = 2 * np.pi * (rng.uniform(90, 250) * time + 10 * np.sin(3 * time))
    tone = sum(np.sin(number * phase + rng.uniform(0, 6)) / number for number in range(1, 12))
    return 0.1 * (tone + 0.05 * rng.standard_normal(tone.shape)) * np.linspace(1, 0.5, channels)


def fake(seed: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal((8_000, 1)).clip(-4, 4)


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def litter(folder: Path) -> None:
    """What systems leave beside recordings."""
    for name in ("._p225_001_mic2.wav", ".nfs00000000012.wav", "__MACOSX/p225/._p225_002_mic2.wav", "@eaDir/a.wav"):
        write(folder / name, APPLE_DOUBLE)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        write(folder / name, "no recording")


def vctk(root: Path) -> Outcomes:
    """Release 0.92 as WAV in the folder of 0.80, for `microphones: [mic2]`; one speaker is on another disk."""
    folder = root / "wav48"
    (root.parent / "disk").mkdir(parents=True)
    folder.mkdir(parents=True)
    (folder / "p227").symlink_to(root.parent / "disk")
    files: dict[str, tuple[bytes, Outcome]] = {
        "p225_001_mic2.wav": (encoded(speech(1)), Kept(8_000)),
        "p225_002_mic2.wav": (encoded(speech(2), "FLAC"), Kept(8_000)),
        "p225_003_mic2.WAV": (encoded(speech(3), "WAVEX", "PCM_24"), Kept(8_000)),
        "p226_001_mic2.wav": (encoded(speech(4, 4_001, 8_000), rate=8_000), Kept(4_001, 8_000)),
        "p226_002_mic2.wav": (encoded(speech(5, 48_001, 96_000), rate=96_000), Kept(48_001, 96_000)),
        "p226_003_mic1.wav": (encoded(speech(6)), "no mic2 recording of p226_003 (only mic1)"),
        "p227_001_mic2.wav": (encoded(speech(7, channels=2)), Kept(8_000, channels=2)),
        "p227_002_mic2.wav": (encoded(speech(8, channels=6)), Kept(8_000, channels=6)),
        "p227_003_mic2.wav": (encoded(speech(9), coding="ULAW"), Kept(8_000)),
        "p228_001_mic2.wav": (encoded(speech(10), "RF64"), Kept(8_000)),
        "p228_002_mic2.w64": (encoded(speech(11), "W64"), Kept(8_000)),
        "p228_003_mic2.wav": (id3(1_000) + encoded(speech(12)), Kept(8_000)),
        "p229_001_mic2.wav": (with_data_size(encoded(speech(13)), 2**32 - 1), Kept(8_000)),
        "p229_002_mic2.wav": (encoded(speech(14))[:9_000], "truncated: its header promises 16000 bytes of samples"),
        "p229_003_mic2.wav": (b"", "the file is empty"),
        "p280_001_mic1.wav": (encoded(speech(15)), "no mic2 recording of p280_001, as of all of p280"),
        "p376_295.raw": (speech(16).tobytes(), "samples without a header, not a WAV file"),
        "p225_001_mic2 (1).wav": (encoded(speech(1)), "not named as VCTK names its recordings"),
    }
    for name, (data, _) in files.items():
        write(folder / name[:4] / name, data)
    for speaker in SPEAKERS:
        litter(folder / speaker)
    write(root / "txt/p225/p225_001.txt", "\ufeffPlease call Stella.\r\n\r\n\r\n")
    write(root / "speaker-info.txt", "ID  AGE\np280 25 F France (mic2 files unavailable)\ns5 25 M BritishEnglish\n")
    return {f"wav48/{name[:4]}/{name}": outcome for name, (_, outcome) in files.items()}


def own(root: Path) -> Outcomes:
    """Fakes of VCTK's speakers and own recordings, in a table with tabs; and the reference material, if it is there."""
    files = {**_fakes(), **_whole(), **_damaged()}
    for name, (data, _) in files.items():
        write(root / unicodedata.normalize("NFD", name), data)
    outcomes = {unicodedata.normalize("NFD", name): outcome for name, (_, outcome) in files.items()}
    outcomes |= _special(root)
    if SHARED.is_dir():
        outcomes |= _reference(root)
    litter(root)
    _write_table(root / "list.tsv", [unicodedata.normalize("NFC", name) for name in outcomes])
    return outcomes


def _fakes() -> dict[str, tuple[bytes, Outcome]]:
    names = [f"fakes/{speaker} fake {number}.wav" for speaker in SPEAKERS for number in (1, 2)]
    return {name: (encoded(fake(number)), Kept(8_000)) for number, name in enumerate(names, start=100)}


def _whole() -> dict[str, tuple[bytes, Outcome]]:
    """Odd, and yet whole."""
    tag, *frames = mp3(speech(20, 44_100, 44_100))
    ogg = encoded(speech(21), "OGG", "VORBIS")
    return {
        "Jürgen.wav": (encoded(speech(22)), Kept(8_000)),
        "语音 1.wav": (encoded(speech(23), coding="FLOAT"), Kept(8_000)),
        "vbr.mp3": (b"".join(frames), Kept(1_152 * len(frames), 44_100)),
        "tagged.mp3": (b"".join([tag, *frames]), Kept(44_100, 44_100)),
        "mp3_named.wav": (encoded(speech(24), "MP3", "MPEG_LAYER_III"), Kept(8_000)),
        "a.aiff": (encoded(speech(25), "AIFF", "PCM_24"), Kept(8_000)),
        "a.au": (encoded(speech(26), "AU", "ALAW"), Kept(8_000)),
        "a.caf": (encoded(speech(27), "CAF"), Kept(8_000)),
        "a.sph": (encoded(speech(28), "NIST"), Kept(8_000)),
        "a.ogg": (ogg, Kept(8_000)),
        "a.opus": (encoded(speech(29, 8_001), "OGG", "OPUS"), Kept(8_001)),
        "again.aiff": (encoded(speech(25), "AIFF", "PCM_24"), Kept(8_000)),
    }


def _damaged() -> dict[str, tuple[bytes, Outcome]]:
    wav, flac, chain = encoded(speech(30)), encoded(speech(31), "FLAC"), encoded(speech(32), "OGG", "VORBIS")
    with_nan = speech(33)
    with_nan[7] = np.nan
    cut = {
        f"cut.{form.lower()}": (encoded(speech(34), form)[:9_000], "truncated")
        for form in ("RF64", "W64", "AIFF", "AU", "CAF")
    }
    return {
        **cut,
        "cut.sph": (encoded(speech(35), "NIST")[:9_000], "truncated"),
        "cut.flac": (flac[: len(flac) // 2], "cannot be decoded"),
        "cut.ogg": (b"".join(pages(chain)[:-1]), "truncated"),
        "cut.mp3": (b"".join(mp3(speech(36, 44_100, 44_100)))[:-9], "truncated: its last frame lacks 9 bytes"),
        "chained.ogg": (chain + chain, "another recording begins at byte"),
        "long.flac": (_with_total_samples(flac, 2**35), "too long: its header promises"),
        "quiet.wav": (encoded(speech(37) * 3e-5, coding="PCM_24"), "digital silence once rounded to 16 bit"),
        "antiphase.wav": (encoded(speech(38) * [[1, -1]]), "digital silence"),
        "silent.wav": (encoded(np.zeros(8_000)), "digital silence: every sample is 0"),
        "gsm.wav": (encoded(speech(39), coding="GSM610"), "compressed as GSM 6.10"),
        "adpcm.wav": (encoded(speech(40), coding="IMA_ADPCM"), "compressed as IMA ADPCM"),
        "zero.wav": (with_data_size(wav, 0), "its header promises 0 bytes of samples, but 16000 bytes follow"),
        "nan.wav": (encoded(with_nan, coding="FLOAT"), "1 of 8000 samples are not finite"),
        "loud.wav": (encoded(speech(41) * 20, coding="FLOAT"), "float samples exceed ±1"),
        "short.wav": (encoded(speech(42, 800)), "too short: 0.0500 s"),
        "none.wav": (encoded(np.zeros(0)), "it holds no samples"),
        "text.wav": (b"a text", "cannot be decoded (Format not recognised.)"),
        "page.wav": (b"<!DOCTYPE html><html>404", "no audio: a web page"),
        "pointer.flac": (b"version https://git-lfs.github.com/spec/v1\n", "no audio: a pointer of Git LFS"),
        "phone.m4a": (struct.pack(">I", 32) + b"ftypM4A " + bytes(99), "an MP4 file (such as M4A)"),
        "bell.wav": (wav, "text 'Ring \\x07' contains U+0007"),
    }


def _with_total_samples(flac: bytes, total: int) -> bytes:
    """A FLAC file whose header promises another number of samples."""
    number = int.from_bytes(flac[18:26], "big") >> 36 << 36 | total
    return flac[:18] + number.to_bytes(8, "big") + flac[26:]


def _special(root: Path) -> Outcomes:
    """What is no regular file of the folder."""
    pipe(write(root / "pipe.wav", ""))
    endless(write(root / "endless.wav", ""))
    with write(root / "sparse.wav", "").open("r+b") as file:
        file.truncate(2**42)
    (root / "folder.wav").mkdir()
    (root / "circle.wav").symlink_to("circle.wav")
    (root / "gone.wav").symlink_to("nowhere.wav")
    return {
        "pipe.wav": "cannot be read (it is a named pipe (FIFO), not a regular file",
        "endless.wav": "cannot be read (it is a device, not a regular file",
        "sparse.wav": "cannot be read (it has 4398046511104 bytes, and at most",
        "folder.wav": "cannot be read (it is a folder, not a regular file",
        "circle.wav": "it is a link that leads nowhere",
        "gone.wav": "it is a link that leads nowhere",
        "never.wav": "listed in list.tsv but the file is absent",
        "fakes/../a.aiff": "its path has `..`",
        "._p225_001_mic2.wav": "listed in list.tsv, but a hidden file is no recording",
    }


def _reference(root: Path) -> Outcomes:
    shutil.copytree(SHARED / "data/bad_audio", root / "reference")
    outcomes: Outcomes = {}
    for name, reason in BAD_AUDIO.items():
        path = root / "reference" / name
        sound = soundfile.info(path) if reason is None else None
        outcomes[f"reference/{name}"] = reason or Kept(sound.frames, sound.samplerate, sound.channels)
    return outcomes


def _write_table(path: Path, names: list[str]) -> None:
    """With a byte order mark, CR LF, a quotation mark that is not closed, and rows of nothing at the end."""
    rows = ["path\tspeaker\tlabel\tlanguage\tutterance_id\ttext"]
    for number, name in enumerate(names):
        is_fake = name.startswith("fakes/p")
        speaker, label = (name[6:10], "Fake") if is_fake else (f"own {number % 3}", "real")
        text = "Ring \x07" if name == "bell.wav" else '"And then, she left' if number % 2 else 'She said, yes"'
        rows.append(f"{name}\t{speaker}\t{label}\ten\town {number}\t{text}")
    write(path, "\ufeff" + "\r\n".join([*rows, "\t\t\t\t\t", "", " ", ""]) + "\r\n")


def in_the_wild(root: Path) -> Outcomes:
    """Both keys, in a table with quoted cells; fakes of one speaker have a name with a comma."""
    sounds = [speech(50), fake(51), speech(52), fake(53)]
    labels = ["bona-fide", "spoof", "bona-fide", "spoof"]
    speakers = ['"Doe, Jane ""JD"""', '"Doe, Jane ""JD"""', "Zoë", "'t Hooft"]
    folder = root / "release_in_the_wild"
    rows = ['"file","speaker","label"', *(f"{n}.wav,{speakers[n]},{labels[n]}" for n in range(4)), "9.wav,Zoë,spoof"]
    write(folder / "meta.csv", "\ufeff" + "\r\n".join([*rows, ",,", "", ""]))
    for number, samples in enumerate(sounds):
        write(folder / f"{number}.wav", encoded(samples))
    write(folder / "7.wav", encoded(speech(57)))
    litter(folder)
    return {
        **{f"release_in_the_wild/{number}.wav": Kept(8_000) for number in range(4)},
        "release_in_the_wild/7.wav": "not listed in meta.csv, so its key is not known",
        "release_in_the_wild/9.wav": "listed in meta.csv but the file is absent",
    }


def loose(root: Path) -> Outcomes:
    """A folder without a table."""
    for number, name in enumerate((b"caf\xe9.wav", b"line\nbreak.wav", b"\x1b[31mred.wav", b"a b.WAV", b"c.flac")):
        path = write(root / f"{number}.wav", encoded(speech(60 + number), "FLAC" if name.endswith(b"flac") else "WAV"))
        path.rename(root / os.fsdecode(name))
    soundfile.write(root / "=1+1.wav", speech(65), RATE)
    litter(root)
    return {
        "=1+1.wav": Kept(8_000),
        "a b.WAV": Kept(8_000),
        "c.flac": Kept(8_000),
        "caf\\udce9.wav": "the name of the file is not UTF-8; rename it",
        "line\\nbreak.wav": "utterance_id 'line\\nbreak' contains U+000A",
        "\\x1b[31mred.wav": "utterance_id '\\x1b[31mred' contains U+001B",
    }


def aishell3(root: Path) -> Outcomes:
    """A list with a byte order mark, lines that end in CR alone or hold nothing, and a text without audio."""
    names = [f"SSB{speaker:04d}{number:04d}" for speaker in (5, 9, 11) for number in (1, 2)]
    for number, name in enumerate(names):
        part = "test" if name.startswith("SSB0011") else "train"
        write(root / part / "wav" / name[:7] / f"{name}.wav", encoded(speech(70 + number), rate=RATE))
    lines = [f"{name}.wav\t广 guang3\u2028 州 zhou1" for name in ("SSB00050001", "SSB00090003")]
    write(root / "train/content.txt", "\ufeff" + "\r".join([*lines, "", " ", ""]))
    litter(root / "train/wav/SSB0005")
    paths = [str(path.relative_to(root)) for path in sorted(root.glob("t*/wav/SSB*/SSB*.wav"))]
    absent = "train/wav/SSB0009/SSB00090003.wav"
    return {**dict.fromkeys(paths, Kept(8_000)), absent: "listed in train/content.txt but absent"}
