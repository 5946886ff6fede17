"""Curves, spectrograms and sound of a codec in training, for TensorBoard; no result is computed from them."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from codecfake.base.curves import Curves

NUM_EXAMPLES = 3  # utterances with sound and spectrogram
LONGEST = 10.0  # seconds of a recording in the spectrogram and in the sound
WINDOW, HOP = 1024, 256
DECIBELS = 80.0  # from the loudest bin (white) to black


class CodecCurves(Curves):
    """Curves with sound and pictures. Events that an earlier attempt wrote after `step` are discarded."""

    def __init__(self, folder: Path | None, step: int, sample_rate: int) -> None:
        super().__init__(folder, step + 1)
        self._sample_rate = sample_rate

    def show_examples(self, recorded: Sequence[Tensor], coded: Sequence[Tensor], step: int) -> None:
        """Add some utterances `[1, T]`; as they were recorded, before the first step only."""
        for number, (wav, output) in enumerate(zip(recorded, coded, strict=True), 1):
            if number <= NUM_EXAMPLES:
                self.show(f"{number} coded", output, step)
            if number <= NUM_EXAMPLES and step == 0:
                self.show(f"{number} recorded", wav, step)

    def show(self, name: str, wav: Tensor, step: int) -> None:
        """Add the sound and the spectrogram of a waveform `[1, T]`."""
        if self._writer is not None:
            excerpt = wav[:, : round(LONGEST * self._sample_rate)].cpu()
            self._writer.add_audio(name, excerpt.clamp(-1, 1), step, sample_rate=self._sample_rate)
            self._writer.add_image(name, spectrogram(excerpt), step)


def spectrogram(wav: Tensor) -> Tensor:
    """A gray picture `[1, height, width]` in [0, 1] of wav `[1, T]`, low frequencies at the bottom."""
    padded = torch.nn.functional.pad(wav, (0, max(0, WINDOW - wav.shape[1])))
    spectrum = torch.stft(padded, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True).abs()
    decibels = 20 * torch.log10(spectrum / spectrum.amax().clamp(min=1e-9) + 1e-9)
    return (1 + decibels / DECIBELS).clamp(0, 1).flip(1)
