"""The promises of every codec, each as a check of its measurements."""

from collections.abc import Callable

from codec_wrappers.codec import Gain
from codec_wrappers.contract.measurements import ANY_RATE, Difference, Measurements

MOST_FRAMES = 0.01  # share whose codes may depend on the last bits of floats, which change with batch size and threads
LEAST_SNR_DB = 60.0  # of outputs from the same codes
MOST_LEVEL_ERROR_DB = 0.01
HALF_STEP = 0.5 / 32768  # of 16 bits: a smaller sample is written as zero
LEAST_WINDOWS_SNR_DB = 6.0  # of codecs with norms over time, which depend on the window; others reach 100 dB
LEAST_SAVED = 0.5  # by windows, as a share of the memory for the seconds outside one window
MOST_BYTES_PER_SAMPLE = 100  # of a codec without windows: for input, codes and output, but not for wide features
MOST_SURPLUS = 2  # pieces: one completes the last, an inexact decoder may add another


class ContractError(RuntimeError):
    """A codec breaks a promise."""


def broken_promises(row: Measurements) -> list[str]:
    """One line for each broken promise: codec, promise, measurement."""
    return [f"{row.codec}: {name}: {fault}" for name, check in PROMISES.items() for fault in check(row)]


def _results(row: Measurements) -> list[str]:
    return [f"{trial.num_samples} samples of {trial.signal}: {trial.fault}" for trial in row.trials if trial.fault]


def _length(row: Measurements) -> list[str]:
    fewest, most = row.surplus
    if fewest <= -row.hop_length:
        return [f"{-fewest} samples are missing at the end of its output, at least one frame"]
    if most > MOST_SURPLUS * row.piece:
        return [f"it decodes {most} samples more than it encoded; at most {MOST_SURPLUS} times {row.piece} are allowed"]
    return []


def _repeat(row: Measurements) -> list[str]:
    if row.consistency is None or row.consistency.repeat.none:
        return []
    return [f"the same recording again gives a different result ({_words(row.consistency.repeat)})"]


def _rows(row: Measurements) -> list[str]:
    if row.consistency is None or row.consistency.neighbors.none:
        return []
    return [f"other recordings in its batch change a recording's result ({_words(row.consistency.neighbors)})"]


def _batch(row: Measurements) -> list[str]:
    if row.consistency is None or _nearly_equal(row.consistency.batch):
        return []
    return [f"a recording gives a different result in a batch than alone ({_words(row.consistency.batch)})"]


def _threads(row: Measurements) -> list[str]:
    if row.consistency is None or _nearly_equal(row.consistency.threads):
        return []
    return [f"two threads give a different result than one ({_words(row.consistency.threads)})"]


def _level(row: Measurements) -> list[str]:
    if row.levels is None or row.gain is Gain.NONE or abs(row.levels.quiet_error_db) <= MOST_LEVEL_ERROR_DB:
        return []
    return [f"input at -20 dB comes back {row.levels.quiet_error_db:+.2f} dB off, although its level is set and undone"]


def _silence(row: Measurements) -> list[str]:
    if row.levels is None or row.gain is not Gain.UNIT_RMS or row.levels.silence_peak < HALF_STEP:
        return []
    return [f"silence comes back with a peak of {row.levels.silence_peak:.2g}, although the level is undone"]


def _variants(row: Measurements) -> list[str]:
    if row.consistency is None or _nearly_equal(row.consistency.variants):
        return []
    return [f"decoded together with fewer, all codebooks differ ({_words(row.consistency.variants)})"]


def _windows(row: Measurements) -> list[str]:
    if row.long is None or row.long.snr_db >= LEAST_WINDOWS_SNR_DB:
        return []
    return [f"windows of a long recording give a different result than the whole (SNR {row.long.snr_db:.0f} dB)"]


def _memory(row: Measurements) -> list[str]:
    if row.bytes_per_second is None or row.piece > row.hop_length:
        return []
    if row.long is None:
        per_sample = row.bytes_per_second / (row.sample_rate or ANY_RATE)
        fault = f"{per_sample:.0f} bytes more per sample of a recording, which is not cut into windows"
        return [fault] if per_sample > MOST_BYTES_PER_SAMPLE else []
    savings = row.long.bytes_in_one - row.long.bytes_in_windows
    limit = row.bytes_per_second * (row.long.duration - row.long.piece_duration)
    fault = f"windows of a long recording save {savings:.3g} of {limit:.3g} expected bytes"
    return [fault] if savings < LEAST_SAVED * limit else []


PROMISES: dict[str, Callable[[Measurements], list[str]]] = {
    "finite, and as long as the input": _results,
    "whole": _length,
    "repeatable": _repeat,
    "rows apart": _rows,
    "alone as in a batch": _batch,
    "any number of threads": _threads,
    "level": _level,
    "silence": _silence,
    "variants": _variants,
    "windows": _windows,
    "bounded memory": _memory,
}


def _nearly_equal(difference: Difference) -> bool:
    """Codes may differ in few frames; if none differs, outputs must be equal up to float noise."""
    if difference.frames:
        return difference.frames <= MOST_FRAMES
    return difference.snr_db >= LEAST_SNR_DB


def _words(difference: Difference) -> str:
    return f"codes differ in {difference.frames:.1%} of the frames, SNR {difference.snr_db:.0f} dB"
