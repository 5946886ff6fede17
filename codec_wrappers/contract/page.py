"""The measurements as a Markdown page: the promises, a table, and the habits of every codec."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from codec_wrappers.codec import Gain
from codec_wrappers.contract.forms import FORMS
from codec_wrappers.contract.measurements import Consistency, Difference, Measurements
from codec_wrappers.contract.promises import LEAST_SNR_DB, MOST_FRAMES, MOST_LEVEL_ERROR_DB, broken_promises
from codecfake import __version__

UNKNOWN = "–"


@dataclass(frozen=True)
class Method:
    """How the measurements were made, for the reader."""

    command: str
    date: str
    device: str
    versions: str
    sizes: str


def method(arguments: str, date: str, device: torch.device, paper_size: bool) -> Method:
    """The method of a run with these command-line `arguments`; `date` in the form for the reader."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    versions = f"codecfake {__version__} and torch {torch.__version__}"
    sizes = "networks of their published sizes" if paper_size else "small networks of the published shapes"
    return Method(f"python -m codec_wrappers {arguments}", date, name, versions, sizes)


def page(rows: Sequence[Measurements], how: Method) -> str:
    """The whole page."""
    parts = [
        _INTRODUCTION,
        _how(rows, how),
        _table(_COLUMNS, rows),
        _faults(rows),
        _LEGEND,
        _ON_A_GPU,
        "## What each codec does, and how the workflow corrects it\n",
        _table(_HABITS, rows),
        _NOTES,
    ]
    return "\n".join(parts)


def _how(rows: Sequence[Measurements], how: Method) -> str:
    absent = [name for name in FORMS if name not in {row.codec for row in rows}]
    not_measured = f" Not measured: {', '.join(absent)}." if absent else ""
    names = ", ".join(row.codec for row in rows if row.is_trained) or "none"
    return (
        f"## Measured\n\n`{how.command}`, on {how.date}, on {how.device}, with {how.versions}; {how.sizes}. "
        f"Trained weights: {names}; all others are random, with codebooks from latents.{not_measured}\n"
    )


def _faults(rows: Sequence[Measurements]) -> str:
    lines = [f"- {line}" for row in rows for line in broken_promises(row)]
    return "\n".join(["**Broken promises:**\n", *lines, ""]) if lines else "No promise is broken.\n"


def _table(columns: dict[str, Callable[[Measurements], str]], rows: Sequence[Measurements]) -> str:
    lines = [list(columns), ["---"] * len(columns), *([cell(row) for cell in columns.values()] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _lengths(row: Measurements) -> str:
    passes = sum(not trial.fault for trial in row.trials)
    return f"{passes} of {len(row.trials)}"


def _filled(row: Measurements) -> str:
    return str(max(0, -row.surplus[0]))


def _of(part: Callable[[Consistency], Difference]) -> Callable[[Measurements], str]:
    def cell(row: Measurements) -> str:
        return UNKNOWN if row.consistency is None else _difference(part(row.consistency))

    return cell


def _difference(difference: Difference) -> str:
    if difference.none:
        return "equal"
    frames = "equal codes" if difference.frames == 0 else f"{difference.frames:.2%} of frames"
    return f"{frames}, {difference.snr_db:.0f} dB"


def _level(row: Measurements) -> str:
    if row.levels is None or not (row.is_trained or row.gain is not Gain.NONE):
        return UNKNOWN
    return f"{round(row.levels.quiet_error_db, 2) + 0.0:+.2f} dB"  # + 0.0: no -0.00


def _silence(row: Measurements) -> str:
    return UNKNOWN if row.levels is None else f"{row.levels.silence_peak:.1g}"


def _memory(row: Measurements) -> str:
    return UNKNOWN if row.bytes_per_second is None else f"{max(0.0, row.bytes_per_second) / 1e6:.0f} MB"


def _windows(row: Measurements) -> str:
    if row.long is None:
        return UNKNOWN
    in_windows, in_one = row.long.bytes_in_windows / 1e6, row.long.bytes_in_one / 1e6
    return f"{_decibels(row.long.snr_db)}, {in_windows:.0f} of {in_one:.0f} MB"


def _decibels(snr_db: float) -> str:
    return "equal" if snr_db == float("inf") else f"{snr_db:.0f} dB"


def _reduced(row: Measurements) -> str:
    return UNKNOWN if row.reduced_snr_db is None else _decibels(row.reduced_snr_db)


_GAINS = {
    Gain.NONE: "own",
    Gain.UNIT_RMS: "RMS 1, undone",
    Gain.PEAK_095: "peak 0.95, undone",
    Gain.LUFS_16: "-16 LUFS, undone",
    Gain.DBFS_25: "-25 dBFS, undone",
}

_COLUMNS: dict[str, Callable[[Measurements], str]] = {
    "codec": lambda row: row.codec,
    "rate": lambda row: UNKNOWN if row.sample_rate is None else str(row.sample_rate),
    "hop": lambda row: str(row.hop_length),
    "signals kept": _lengths,
    "filled": _filled,
    "repeated": _of(lambda consistency: consistency.repeat),
    "other neighbors": _of(lambda consistency: consistency.neighbors),
    "batch": _of(lambda consistency: consistency.batch),
    "2 threads": _of(lambda consistency: consistency.threads),
    "variants": _of(lambda consistency: consistency.variants),
    "level": lambda row: _GAINS[row.gain],
    "at -20 dB": _level,
    "of silence": _silence,
    "a second": _memory,
    "in windows": _windows,
    "bfloat16": _reduced,
}

_HABITS: dict[str, Callable[[Measurements], str]] = {
    "codec": lambda row: row.codec,
    "habit": lambda row: FORMS[row.codec].habit if row.codec in FORMS else UNKNOWN,
    "what the workflow does": lambda row: FORMS[row.codec].answer if row.codec in FORMS else UNKNOWN,
}

_INTRODUCTION = f"""# The contract of codecs

A spoof must differ from its bona fide twin only by the codec. Therefore every codec, whatever its habits, promises:

- **Length.** The output has as many samples as the input, for any length from one sample on. A codec's own output may
  be too short by less than a frame, which is filled with zeros, or slightly too long, which is cut.
- **Finite.** No input gives samples that are not finite: silence, clipping, an offset, an impulse, a whisper below
  one step of 16 bits.
- **Repeatable.** The same recording gives the same bits, whatever was resynthesized before it.
- **Rows apart.** Other recordings in a batch do not matter: with different ones, every bit stays the same.
- **Batches and threads.** Their number changes the last bits of floats, and rarely a code that depends on them:
  in at most {MOST_FRAMES:.0%} of the frames. If no code differs, outputs agree to {LEAST_SNR_DB:.0f} dB or better.
  So do those of a codec with continuous latents, which has no codes.
- **Memory.** A window of 30 s bounds it, whatever the length of a recording.
- **Level.** It is preserved. If a codec needs its input at a certain level, the workflow scales the input and undoes
  that in the output: input at -20 dB then comes back at -20 dB, to within {MOST_LEVEL_ERROR_DB:g} dB. What any
  other codec does with levels is left as its authors published it.
"""

_LEGEND = """- **rate, hop**: Hz, and samples per frame; a codec without a rate takes recordings at their own rate.
- **signals kept**: how many test signals came back finite and with their length: speech of 1, 2, hop - 1, hop,
  hop + 1, 2 hop - 1, … samples, of 0.1 s and of 1 s; silence, a whisper, clipping, a square wave at full scale,
  an offset, an impulse.
- **filled**: the largest number of missing samples at the end that the workflow filled with zeros; a detector may
  recognize the codec by them.
- **repeated**: the same recording again, after others. **other neighbors**: in a batch of the same size with other
  recordings. **batch**: in a batch, compared with alone. **2 threads**: compared with one. Each shows whether all bits
  are equal; if not, whether the codes are equal or in what share of the frames they differ, and the SNR between the
  two outputs. **variants**: all codebooks decoded together with the first half of them (as for several sources of one
  codec), compared with alone.
- **level**: `own`: the codec gets recordings at their own level; otherwise the level that it gets, which is undone
  afterwards.
- **at -20 dB**: the error of the output's level for input lowered by 20 dB. Random codebooks represent one level only,
  so for codecs with `own` level, it is shown only for trained weights.
- **of silence**: the largest output sample for silence. Codecs with `own` level turn it into some noise.
- **a second**: peak memory of tensors for each second of a recording in one piece, without the weights.
- **in windows**: a recording of more than 30 s goes through a codec in overlapping windows, so that memory does not
  grow with its length. The column shows the SNR of the result compared with one piece, and the memory of both. The
  test uses windows as long as their context, and a recording of three windows, so that two thirds of it are in memory
  at once. If a frame depends on no more than the context, nothing is lost. Norms over time depend on the whole
  recording, so windows are an approximation for them, and possibly for LSTMs with a long memory. A codec without an
  entry needs no windows: it works frame by frame, or cuts its own pieces. No utterance of VCTK or AISHELL-3 is longer
  than a minute.
- **bfloat16**: SNR of a decoder in bfloat16 compared with float32, measured on CUDA only. Outside training, a decoder
  runs in reduced precision only if `decoder_precision` is set. Encoders and quantizers never do: they would choose
  different codes.
"""

_ON_A_GPU = f"""## On a GPU

- **Codes.** Encoders and quantizers compute in float32, without TF32, as on a CPU. A GPU's codes may differ from a
  CPU's as those of a batch differ from those of one recording: in at most {MOST_FRAMES:.0%} of the frames.
- **Repeatable.** With the same model of GPU, driver and torch, a resynthesis job gives the same bytes each time, in any
  order of recordings: cuDNN and cuBLAS use deterministic algorithms, and nothing is compiled while a job runs.
- **Training** uses deterministic algorithms where torch has them. The gradients of padding by reflection and of
  two-dimensional max pooling have none; torch warns of them in the job's log. Two trainings that need them agree up to
  rounding, which grows with the number of steps; only on a CPU are they equal to the last byte.
- **Batches** hold recordings of similar length: zeros follow the shorter ones, at most a tenth of a row. Every layer is
  told where recordings end, so that it computes what it gives for each alone: a convolution sees zeros or the mirror
  image there, a norm averages over the recording, and an LSTM that reads backwards starts there. AudioDec is causal and
  DAC's chunks are separate, so they need not be told. Codes are equal; in double precision, samples are, to 1e-12.
  Recordings of up to 1 s share batches only with those of equal length, except in AudioDec. So do all of FreqCodec,
  whose padding *before* a recording depends on its length, and all of the codecs that are not in Xie et al. or Wu et
  al. On a CPU, a batch is one recording: more would not be faster, and kernels for other shapes change the last bits of
  floats.
- **Waits.** While a shard is resynthesized, the CPU waits for the GPU only at its end, with these exceptions: the
  inverse STFT of FreqCodec and Vocos checks its window; the spectrograms of X-Codec2 and NeuCodec and the noise of SNAC
  are computed on the CPU; and transformers computes the padding of convolutions of EnCodec, Mimi and Pocket TTS on the
  GPU.

No GPU has confirmed this yet: `make test-gpu` does. On a CPU, tests rehearse it with a pretended device.
"""

_NOTES = """
The channels of a recording are averaged first, for bona fide and spoof alike. If its rate differs from the codec's, the
workflow's only resampler converts it to that rate and back; the result has as many samples as the bona fide twin.
Samples beyond full scale are clipped when 16-bit samples are written, and counted.
"""
