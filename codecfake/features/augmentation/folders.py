"""The user's recordings that are mixed with speech: noise and room impulse responses."""

import hashlib
from functools import cached_property
from pathlib import Path

import numpy as np
import soundfile

from codecfake.audio import waveforms
from codecfake.base.hidden_files import is_hidden
from codecfake.base.home import expanded
from codecfake.base.regular_files import require_regular
from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.settings import AugmentationError

SUFFIXES = (".wav", ".flac")


class Folder:
    """All .wav and .flac files below a folder, sorted by name, so that a draw is the same on every machine.

    Raises AugmentationError if the folder has no such files.
    """

    def __init__(self, folder: str, pattern: str) -> None:
        self._folder = Path(expanded(folder))
        files = (path.relative_to(self._folder) for path in self._folder.glob(f"**/{pattern}"))
        paths = [path for path in files if path.suffix.lower() in SUFFIXES and not is_hidden(path)]
        self._paths = sorted(path.as_posix() for path in paths)
        if not self._paths:
            raise AugmentationError(
                f"{folder}: no {' or '.join(SUFFIXES)} file named {pattern} below it; give the folder of an unpacked "
                f"corpus, such as musan/noise or RIRS_NOISES/simulated_rirs"
            )

    @property
    def names(self) -> list[str]:
        """The paths of its files, relative to the folder."""
        return self._paths

    def draw(self, rng: np.random.Generator) -> Path:
        """A random file; all are equally likely."""
        return self._folder / self._paths[int(rng.integers(len(self._paths)))]

    @cached_property
    def record(self) -> dict[str, str | int]:
        """Folder, number of files, and sha256 over their names and sizes."""
        sizes = (f"{path}\t{(self._folder / path).stat().st_size}\n" for path in self._paths)
        digest = hashlib.sha256("".join(sizes).encode()).hexdigest()
        return {"folder": str(self._folder), "files": len(self._paths), "sha256_of_listing": digest}


def random_segment(path: Path, num_samples: int, rng: np.random.Generator) -> np.ndarray:
    """`[num_samples]` at 16 kHz from a random position in a recording, repeated if it is too short; channels are
    averaged.

    Raises AudioError if the file cannot be decoded or is empty.
    """
    try:
        require_regular(path)
        about = soundfile.info(path)
    except OSError as error:
        raise waveforms.AudioError(f"{path}: cannot be read ({error.strerror})") from error
    except soundfile.LibsndfileError as error:
        raise waveforms.AudioError(f"{path}: cannot be decoded ({error.error_string})") from error
    if about.frames == 0:
        raise waveforms.AudioError(f"{path}: has no samples; take it out of its folder")
    num_frames = min(about.frames, waveforms.resampled_length(num_samples, SAMPLE_RATE, about.samplerate))
    wav = waveforms.read_segment(path, int(rng.integers(about.frames - num_frames + 1)), num_frames)
    return np.resize(waveforms.resample(wav.astype(np.float64), about.samplerate, SAMPLE_RATE), num_samples)
