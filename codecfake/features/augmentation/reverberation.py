"""Reverberation by room impulse responses: `RIRS_NOISES/simulated_rirs`, or any folder."""

import numpy as np

from codecfake.audio import waveforms
from codecfake.detectors import SAMPLE_RATE
from codecfake.features.augmentation.augmentation import Augmentation
from codecfake.features.augmentation.fir import convolve
from codecfake.features.augmentation.folders import Folder
from codecfake.features.augmentation.settings import ReverberationSettings


class Reverberation(Augmentation):
    """A random channel of a random room, scaled to the power of the clip.

    The direct sound (the largest sample of the response) keeps the timing of the speech; the tail after the end is cut.
    """

    def __init__(self, settings: ReverberationSettings) -> None:
        self._folder = Folder(settings.folder, settings.pattern)

    def __call__(self, wav: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        path = self._folder.draw(rng)
        room = waveforms.read_channels(path)
        channel = room.samples[:, int(rng.integers(room.samples.shape[1]))]
        response = waveforms.resample(channel.astype(np.float64), room.sample_rate, SAMPLE_RATE)
        if not response.any():
            raise waveforms.AudioError(f"{path}: the room impulse response is all zeros; remove it from the folder")
        wet = convolve(wav, response, int(np.abs(response).argmax()))
        power = np.mean(wet**2)
        return wet * np.sqrt(np.mean(wav**2) / power) if power > 0 else wet

    def recordings(self) -> dict[str, str | int]:
        return self._folder.record
