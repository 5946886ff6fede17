"""The promises that every codec keeps, each judged on what was measured."""

from collections.abc import Callable

from codec_wrappers.codec import Gain
from codec_wrappers.contract.measurements import ANY_RATE, Difference, Measurements

MOST_FRAMES = 0.01  # share whose codes may hang on the last bits of floats, which change with batch size and threads
LEAST_SNR_DB = 60.0  # of outputs from equal codes
MOST_LEVEL_ERROR_DB = 0.01
HALF_STEP = 0.5 / 32768  # of 16 bit: below it, a sample is written as zero
LEAST_WINDOWS_SNR_DB = 6.0  # of codecs with norms over time, which differ with every window; others reach 100 dB
LEAST_SAVED = 0.5  # by windows, as a share of what the seconds that are never there at once take
MOST_BYTES_PER_SAMPLE = 100  # of a codec without windows: recordings, codes and results, but nothing that widens them
MOST_SURPLUS = 2  # pieces: one to end the last, one that an inexact decoder gives to cover it


class ContractError(RuntimeError):
    """A codec breaks a promise."""


def broken(found: Measurements) -> list[str]:
    """One line a broken promise: codec, promise, and what was found."""
    return [f"{found.codec}: {name}: {fault}" for name, check in PROMISES.items() for fault in check(found)]


def _results(found: Measurements) -> list[str]:
    return [f"{trial.num_samples} samples of {trial.signal}: {trial.fault}" for trial in found.trials if trial.fault]


def _length(found: Measurements) -> list[str]:
    fewest, most = found.surplus
    if fewest <= -found.hop_length:
        return [f"{-fewest} samples are missing at the end of what it decodes, a frame or more"]
    if most > MOST_SURPLUS * found.piece:
        return [f"it decodes {most} samples more than it encoded, more than {MOST_SURPLUS} times {found.piece}"]
    return []


def _repeat(found: Measurements) -> list[str]:
    if found.consistency is None or found.consistency.repeat.none:
        return []
    return [f"the same recording again gives another result ({_words(found.consistency.repeat)})"]


def _rows(found: Measurements) -> list[str]:
    if found.consistency is None or found.consistency.neighbors.none:
        return []
    return [f"other recordings in its batch change a recording's result ({_words(found.consistency.neighbors)})"]


def _batch(found: Measurements) -> list[str]:
    if found.consistency is None or _nearly_equal(found.consistency.batch):
        return []
    return [f"a recording gives another result in a batch than alone ({_words(found.consistency.batch)})"]


def _threads(found: Measurements) -> list[str]:
    if found.consistency is None or _nearly_equal(found.consistency.threads):
        return []
    return [f"two threads give another result than one ({_words(found.consistency.threads)})"]


def _level(found: Measurements) -> list[str]:
    if found.levels is None or found.gain is Gain.NONE or abs(found.levels.quiet_error_db) <= MOST_LEVEL_ERROR_DB:
        return []
    return [f"input at -20 dB comes back {found.levels.quiet_error_db:+.2f} dB off, though its level is set and undone"]


def _silence(found: Measurements) -> list[str]:
    if found.levels is None or found.gain is not Gain.UNIT_RMS or found.levels.silence_peak < HALF_STEP:
        return []
    return [f"silence comes back with a peak of {found.levels.silence_peak:.2g}, though its level is set and undone"]


def _variants(found: Measurements) -> list[str]:
    if found.consistency is None or _nearly_equal(found.consistency.variants):
        return []
    return [f"decoded together with fewer codebooks, all give another result ({_words(found.consistency.variants)})"]


def _windows(found: Measurements) -> list[str]:
    if found.long is None or found.long.snr_db >= LEAST_WINDOWS_SNR_DB:
        return []
    return [f"windows of a long recording give another result than the whole (SNR {found.long.snr_db:.0f} dB)"]


def _memory(found: Measurements) -> list[str]:
    if found.bytes_per_second is None or found.piece > found.hop_length:
        return []
    if found.long is None:
        per_sample = found.bytes_per_second / (found.sample_rate or ANY_RATE)
        fault = f"{per_sample:.0f} bytes more for each sample of a recording, which is not cut into windows"
        return [fault] if per_sample > MOST_BYTES_PER_SAMPLE else []
    saved = found.long.bytes_in_one - found.long.bytes_in_windows
    expected = found.bytes_per_second * (found.long.duration - found.long.piece_duration)
    fault = f"windows of a long recording save {saved:.3g} bytes, where {expected:.3g} are expected"
    return [fault] if saved < LEAST_SAVED * expected else []


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
    """Codes may differ in few frames; where none does, outputs must be equal but for float noise."""
    if difference.frames:
        return difference.frames <= MOST_FRAMES
    return difference.snr_db >= LEAST_SNR_DB


def _words(difference: Difference) -> str:
    return f"codes differ in {difference.frames:.1%} of the frames, SNR {difference.snr_db:.0f} dB"
