"""Inspects a file: its content, if it is a complete recording, or the reason why it is unusable."""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from codecfake.audio import decoding, silence
from codecfake.audio.decoding import AudioError, Recording
from codecfake.audio.settings import DETECTOR_RATE
from codecfake.audio.waveforms import FULL_SCALE, Audio


@dataclass(frozen=True)
class Inspection:
    """The content of a complete and usable file; `sha256` is the digest of its bytes."""

    sample_rate: int
    channels: int
    num_samples: int
    sha256: str


def inspect_below(root: Path, path: str, min_duration: float) -> Inspection:
    """`inspect` for a path of a corpus at `root`. Raises AudioError if the path could lead out of it.

    It is in this module, which needs no pandas, so that the processes of ingest start quickly.
    """
    if ".." in PurePosixPath(path).parts:
        raise AudioError("its path has `..`, which can lead out of the corpus; write the path without it")
    return inspect(root / path, min_duration)


def inspect(path: Path, min_duration: float) -> Inspection:
    """Read and decode a complete file. Raises AudioError with a reason (without the path) if it is unusable."""
    data = decoding.read_bytes(path)
    recording = _usable(data, min_duration)
    num_samples, channels = recording.samples.shape
    return Inspection(recording.sample_rate, channels, num_samples, hashlib.sha256(data).hexdigest())


def read_usable(path: Path, min_duration: float) -> Audio:
    """A file with averaged channels. Raises AudioError as `inspect`."""
    recording = _usable(decoding.read_bytes(path), min_duration)
    return Audio(recording.mono, recording.sample_rate)


def _usable(data: bytes, min_duration: float) -> Recording:
    try:
        recording = decoding.decode(data)
        _check_samples(recording, min_duration)
    except MemoryError as error:
        raise AudioError("does not fit in memory; divide it into shorter recordings") from error
    return recording


def _check_samples(recording: Recording, min_duration: float) -> None:
    """Checks the mean of the channels, which the workflow uses."""
    wav, channels = recording.mono, recording.samples.shape[1]
    if len(wav) == 0:
        raise AudioError("it holds no samples")
    duration = len(wav) / recording.sample_rate
    if duration < min_duration:
        raise AudioError(f"too short: {duration:.4f} s, at least {min_duration:g} s are needed")
    if not np.isfinite(wav).all():
        raise AudioError(f"{np.count_nonzero(~np.isfinite(wav))} of {len(wav)} samples are not finite")
    averaged = f" of the mean of its {channels} channels" if channels > 1 else ""
    if wav.min() == wav.max():
        raise AudioError(f"digital silence: every sample{averaged} is {wav[0]:g}")
    _check_range(wav, recording.subtype)
    _check_written(wav, recording.sample_rate, averaged)


def _check_written(wav: np.ndarray, sample_rate: int, averaged: str) -> None:
    """Shards hold 16-bit samples; those that detectors hear are at their rate."""
    if silence.is_constant_when_rounded(wav):
        remedy = "keep one of them, e.g. `sox IN OUT.wav remix 1`, or " if averaged else ""
        raise AudioError(
            f"digital silence once rounded to 16 bit: every sample{averaged} is {round(float(wav[0]) * FULL_SCALE)} "
            f"(peak {np.abs(wav).max():.2g} of full scale); {remedy}raise its level, e.g. `sox --norm=-3 IN OUT.wav`"
        )
    if silence.is_constant_for_detectors(wav, sample_rate):
        raise AudioError(
            f"digital silence at {DETECTOR_RATE} Hz, the rate of detectors: all of its sound is above "
            f"{DETECTOR_RATE // 2} Hz; it is no speech, or has a wrong sample rate in its header ({sample_rate} Hz)"
        )


def _check_range(wav: np.ndarray, subtype: str) -> None:
    """Lossy decoders can overshoot ±1; a file with stored floats beyond ±1 was written that way."""
    peak = float(max(wav.max(), -wav.min()))
    if subtype in ("FLOAT", "DOUBLE") and peak > 1:
        raise AudioError(f"float samples exceed ±1 (peak {peak:.4g}), which 16 bit would clip; rescale the file")
