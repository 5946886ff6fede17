"""The measurements as a page of Markdown: what is promised, a table, what every codec does of itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from codec_wrappers.codec import Gain
from codec_wrappers.contract.forms import PUBLISHED
from codec_wrappers.contract.measurements import Consistency, Difference, Measurements
from codec_wrappers.contract.promises import LEAST_SNR_DB, MOST_FRAMES, MOST_LEVEL_ERROR_DB, broken
from codecfake import __version__

UNKNOWN = "–"


@dataclass(frozen=True)
class Made:
    """How the measurements were made, for the reader."""

    command: str
    date: str
    device: str
    versions: str
    sizes: str


def made(arguments: str, date: str, device: torch.device, paper_size: bool) -> Made:
    """Of the command line's `arguments`; `date` as the reader is to see it."""
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    versions = f"codecfake {__version__} and torch {torch.__version__}"
    sizes = "networks of their published sizes" if paper_size else "small networks of the published shapes"
    return Made(f"python -m codec_wrappers {arguments}", date, where, versions, sizes)


def page(measured: Sequence[Measurements], how: Made) -> str:
    """The whole page."""
    parts = [
        _INTRODUCTION,
        _how(measured, how),
        _table(_COLUMNS, measured),
        _faults(measured),
        _LEGEND,
        "## What each codec does of itself, and what becomes of it\n",
        _table(_HABITS, measured),
        _NOTES,
    ]
    return "\n".join(parts)


def _how(measured: Sequence[Measurements], how: Made) -> str:
    absent = [name for name in PUBLISHED if name not in {found.codec for found in measured}]
    missing = f" Not measured: {', '.join(absent)}." if absent else ""
    trained = ", ".join(found.codec for found in measured if found.trained) or "none"
    return (
        f"## Measured\n\n`{how.command}`, on {how.date}, on {how.device}, with {how.versions}; {how.sizes}. "
        f"Weights that were trained: {trained}; all others are random, with codebooks taken from latents.{missing}\n"
    )


def _faults(measured: Sequence[Measurements]) -> str:
    lines = [f"- {line}" for found in measured for line in broken(found)]
    return "\n".join(["**Broken promises:**\n", *lines, ""]) if lines else "No promise is broken.\n"


def _table(columns: dict[str, Callable[[Measurements], str]], rows: Sequence[Measurements]) -> str:
    lines = [list(columns), ["---"] * len(columns), *([cell(row) for cell in columns.values()] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _lengths(found: Measurements) -> str:
    kept = sum(not trial.fault for trial in found.trials)
    return f"{kept} of {len(found.trials)}"


def _filled(found: Measurements) -> str:
    return str(max(0, -found.surplus[0]))


def _of(part: Callable[[Consistency], Difference]) -> Callable[[Measurements], str]:
    def cell(found: Measurements) -> str:
        return UNKNOWN if found.consistency is None else _difference(part(found.consistency))

    return cell


def _difference(difference: Difference) -> str:
    if difference.none:
        return "equal"
    frames = "equal codes" if difference.frames == 0 else f"{difference.frames:.2%} of frames"
    return f"{frames}, {difference.snr_db:.0f} dB"


def _level(found: Measurements) -> str:
    if found.levels is None or not (found.trained or found.gain is not Gain.NONE):
        return UNKNOWN
    return f"{round(found.levels.quiet_error_db, 2) + 0.0:+.2f} dB"  # + 0.0: no -0.00


def _silence(found: Measurements) -> str:
    return UNKNOWN if found.levels is None else f"{found.levels.silence_peak:.1g}"


def _memory(found: Measurements) -> str:
    return UNKNOWN if found.bytes_per_second is None else f"{max(0.0, found.bytes_per_second) / 1e6:.0f} MB"


def _windows(found: Measurements) -> str:
    if found.long is None:
        return UNKNOWN
    in_windows, in_one = found.long.bytes_in_windows / 1e6, found.long.bytes_in_one / 1e6
    return f"{_decibels(found.long.snr_db)}, {in_windows:.0f} of {in_one:.0f} MB"


def _decibels(snr_db: float) -> str:
    return "equal" if snr_db == float("inf") else f"{snr_db:.0f} dB"


def _reduced(found: Measurements) -> str:
    return UNKNOWN if found.reduced_snr_db is None else _decibels(found.reduced_snr_db)


_GAINS = {
    Gain.NONE: "own",
    Gain.UNIT_RMS: "RMS 1, undone",
    Gain.PEAK_095: "peak 0.95, undone",
    Gain.LUFS_16: "-16 LUFS, undone",
}

_COLUMNS: dict[str, Callable[[Measurements], str]] = {
    "codec": lambda found: found.codec,
    "rate": lambda found: UNKNOWN if found.sample_rate is None else str(found.sample_rate),
    "hop": lambda found: str(found.hop_length),
    "signals kept": _lengths,
    "filled": _filled,
    "repeated": _of(lambda consistency: consistency.repeat),
    "other neighbors": _of(lambda consistency: consistency.neighbors),
    "batch": _of(lambda consistency: consistency.batch),
    "2 threads": _of(lambda consistency: consistency.threads),
    "variants": _of(lambda consistency: consistency.variants),
    "level": lambda found: _GAINS[found.gain],
    "at -20 dB": _level,
    "of silence": _silence,
    "a second": _memory,
    "in windows": _windows,
    "bfloat16": _reduced,
}

_HABITS: dict[str, Callable[[Measurements], str]] = {
    "codec": lambda found: found.codec,
    "habit": lambda found: PUBLISHED[found.codec].habit if found.codec in PUBLISHED else UNKNOWN,
    "what the workflow does": lambda found: PUBLISHED[found.codec].answer if found.codec in PUBLISHED else UNKNOWN,
}

_INTRODUCTION = f"""# The contract of codecs

A spoof must differ from its bona fide twin by the codec alone. So every codec, whatever its habits, promises:

- **Length.** As many samples come back as went in, for any length from one sample on. Of itself a codec leaves less
  than a frame open at the end, which is filled with zeros, or gives a little too much, which is cut.
- **Finite.** No input makes samples that are not finite: silence, clipping, an offset, an impulse, a whisper below
  one step of 16 bit.
- **Repeatable.** The same recording gives the same bits, whatever was resynthesized before it.
- **Rows apart.** What else is in a batch does not matter: exchange it, and every bit stays.
- **Batches and threads.** Their number changes the last bits of floats, and now and then a code that hangs on them:
  in at most {MOST_FRAMES:.0%} of the frames. Where no code differs, outputs agree to {LEAST_SNR_DB:.0f} dB or better.
- **Memory.** It is bounded by a window of 30 s, whatever the length of a recording.
- **Level.** It is left alone. A codec that wants its input at one level is given it, and the result is multiplied by
  the same factor again: input at -20 dB then comes back at -20 dB, to {MOST_LEVEL_ERROR_DB:g} dB. What any other
  codec does with levels is its own, as its authors published it.
"""

_LEGEND = """- **rate, hop**: Hz, and samples a frame; a codec without a rate takes recordings at theirs.
- **signals kept**: how many of the signals tried came back finite and as long as they were: speech of 1, 2, hop - 1,
  hop, hop + 1, 2 hop - 1, … samples, of 0.1 s and of 1 s; silence, a whisper, clipping, a square wave at full scale,
  an offset, an impulse.
- **filled**: the most samples at the end that a codec left open and the workflow filled with zeros: a trace of the
  codec that a detector may find.
- **repeated**: the same recording again, after others. **other neighbors**: in a batch as large, with others in it.
  **batch**: alone, against in a batch. **2 threads**: against one. Each says whether all bits are equal; if not,
  whether codes are, or in what share of the frames they differ, and the SNR between the two outputs. **variants**: all
  codebooks decoded together with the first half of them, as sources of one codec are, against by themselves.
- **level**: `own`: the codec gets recordings as loud as they are; else what it gets, and that this is undone.
- **at -20 dB**: the error of the output's level for input lowered by 20 dB. Random codebooks know one level only,
  so for codecs at their own level it is shown for trained weights alone.
- **of silence**: the greatest sample that silence becomes. Codecs at their own level make some noise of it.
- **a second**: memory of tensors, at its peak, for each second of a recording in one piece, beyond the weights.
- **in windows**: what is longer than 30 s goes through a codec in overlapping windows, so that memory does not
  grow with it. The SNR of that against the same recording in one piece, and the memory of both; tried with windows
  that are as long as what they hear beyond their ends, and a recording of three of them, so that two thirds of it are
  there at once. Where no more than that is heard, nothing is lost; norms over time hear all of a recording, and their
  windows are an approximation, as those of LSTMs may be that are trained to remember. A codec without an entry needs
  none: it goes frame by frame, or by pieces of its own. No utterance of VCTK or AISHELL-3 is longer than a minute.
- **bfloat16**: SNR of a decoder in bfloat16 against float32, measured on CUDA only. Nothing in the workflow runs in
  reduced precision: encoders and quantizers would choose other codes.
"""

_NOTES = """
Recordings of several channels are averaged to one before anything else, for bona fide and spoof alike. Those of
another rate than the codec's are resampled to it and back by the one resampler of the workflow; the result has as many
samples as the bona fide twin. What exceeds full scale is clipped when 16-bit samples are written, and counted.
"""
