"""The one way from the bytes of an audio file to its samples, which are all there or the file is refused.

The form is that of the content, whatever the name of the file. Its structure says how many samples it has
(`containers`), and as many must be decoded. Memory is bounded.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import soundfile

from codecfake.audio import containers, parquet_rows
from codecfake.audio.containers import AudioError, Content, flac
from codecfake.audio.settings import DETECTOR_RATE
from codecfake.base import regular_files

MOST_BYTES = 1 << 30  # of a file
MOST_SAMPLES = 1 << 28  # of all channels together, 1 GiB
MOST_SECONDS = MOST_SAMPLES / DETECTOR_RATE
LOWEST_RATE, HIGHEST_RATE = 1000, 768_000  # Hz; others are mistakes
BLOCK = 1 << 16  # samples whose digest is computed together


@dataclass(frozen=True)
class Recording:
    """A recording with all of its channels: `samples` is float32 `[T, C]`, full scale ±1."""

    samples: np.ndarray
    sample_rate: int
    subtype: str  # how the file stores samples, in libsndfile's words: PCM_16, FLOAT, …

    @property
    def mono(self) -> np.ndarray:
        """The mean of the channels, float32 `[T]`; no copy of a single one."""
        return self.samples[:, 0] if self.samples.shape[1] == 1 else self.samples.mean(axis=1)


class _Sequential(soundfile.SoundFile):
    """A file that is read once from its beginning.

    A seekable file is never read beyond the length that libsndfile assumes, and soundfile seeks after each read, which
    lossy decoders do not do exactly.
    """

    def seekable(self) -> bool:
        return False


def read_bytes(path: Path) -> bytes:
    """The content of an audio file, which can be a row of a parquet file (`parquet_rows`).

    Raises AudioError (without the path) if it cannot be read or is too large.
    """
    try:
        if parquet_rows.is_row(path) and not path.exists():
            return parquet_rows.read_bytes(path)
        return regular_files.read_bytes(path, MOST_BYTES)
    except OSError as error:
        raise AudioError(f"cannot be read ({error.strerror})") from error
    except MemoryError as error:
        raise AudioError("cannot be read (it does not fit in memory); divide it into shorter recordings") from error


def decode(data: bytes) -> Recording:
    """Decode the bytes of an audio file completely. Raises AudioError (without a name) if it is unusable."""
    if not data:
        raise AudioError("the file is empty")
    data = containers.without_tags(data)
    form = containers.form_of(data)
    content = form.measure(data) if form else Content(None, data)
    try:
        with _Sequential(io.BytesIO(content.data)) as file:
            _require_accepted(file, form)
            recording = _read(file, content)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"cannot be decoded ({error.error_string})") from error
    except MemoryError as error:
        raise AudioError("does not fit in memory; divide it into shorter recordings") from error
    if form is flac:
        _check_digest(data, recording)
    return recording


def _require_accepted(file: soundfile.SoundFile, form: ModuleType | None) -> None:
    if form is None or file.format not in form.FORMATS:
        raise AudioError(
            f"its form, {soundfile.available_formats().get(file.format, file.format)}, is not accepted, because its "
            f"length cannot be checked; convert it, e.g. `sox IN OUT.wav`, to one of {containers.names()}"
        )


def _read(file: soundfile.SoundFile, content: Content) -> Recording:
    num_frames = file.frames if content.num_frames is None else content.num_frames
    _require_bounded(num_frames, file.channels, file.samplerate)
    samples = file.read(num_frames, dtype="float32", always_2d=True)
    if len(samples) < num_frames:
        raise AudioError(f"its header promises {num_frames} samples, of which {len(samples)} are there")
    if not content.is_proven and len(file.read(1, always_2d=True)):
        raise AudioError(f"its header promises {num_frames} samples, but there are more; encode it again")
    return Recording(samples, file.samplerate, file.subtype)


def _require_bounded(num_frames: int, channels: int, sample_rate: int) -> None:
    """Memory is needed for all channels, and for the samples at the rate of detectors."""
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise AudioError(
            f"its header says that its sample rate is {sample_rate} Hz, and {LOWEST_RATE} to {HIGHEST_RATE} Hz can be "
            f"processed; repair the header, e.g. `sox -r RATE IN OUT.wav`, or resample it"
        )
    if num_frames * channels > MOST_SAMPLES or num_frames / sample_rate > MOST_SECONDS:
        raise AudioError(
            f"too long: its header promises {num_frames / sample_rate / 3600:.1f} hours ({num_frames} samples of "
            f"{channels} channels), and at most {MOST_SECONDS / 3600:.1f} hours and {MOST_SAMPLES} samples of all "
            f"channels can be decoded; divide it into shorter recordings"
        )


def _check_digest(data: bytes, recording: Recording) -> None:
    digest = flac.Digest(data)
    for start in range(0, len(recording.samples), BLOCK):
        digest.update(recording.samples[start : start + BLOCK])
    digest.check()
