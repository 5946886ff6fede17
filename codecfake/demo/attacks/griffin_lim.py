"""Magnitudes of a recording with new phases: Griffin & Lim 1984, in the fast form of Perraudin et al. 2013."""

from dataclasses import dataclass

import numpy as np

from codecfake.base.librosa_cache import librosa

TINY = 1e-10  # avoids dividing by 0: bins below the first band and bands narrower than a bin have no weights


@dataclass(frozen=True)
class GriffinLim:
    """Phase reconstruction from linear or mel spectrograms; the first phases are random.

    After few iterations, phases are still inconsistent: this is audible, and can be learned from a few hundred files.
    """

    name: str
    window: int  # samples, also the length of the Fourier transform
    hop: int  # samples
    iterations: int
    mel_bands: int | None = None  # None: from linear magnitudes

    def spoof(self, wav: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """A spoof `[T]` of the recording `wav`, `[T]`."""
        magnitude = np.abs(librosa().stft(wav.astype(np.float32), n_fft=self.window, hop_length=self.hop))
        if self.mel_bands is not None:
            magnitude = _through_mel(magnitude, sample_rate, self.window, self.mel_bands)
        return (
            librosa()
            .griffinlim(
                magnitude,
                n_iter=self.iterations,
                n_fft=self.window,
                hop_length=self.hop,
                length=len(wav),
                random_state=rng,
            )
            .astype(np.float64)
        )


def _through_mel(magnitude: np.ndarray, sample_rate: int, window: int, mel_bands: int) -> np.ndarray:
    """Magnitudes `[bins, F]` reconstructed from their mel bands: each bin gets the mean of its bands."""
    # imported here: every process that reads the workflow imports this module, and SciPy loads slowly
    from scipy.sparse import csr_array

    bands = librosa().filters.mel(sr=sample_rate, n_fft=window, n_mels=mel_bands)
    # sparse products add in a fixed order; the order in BLAS depends on the number of threads
    analysis = csr_array(bands / np.maximum(bands.sum(axis=1, keepdims=True), TINY))
    synthesis = csr_array((bands / np.maximum(bands.sum(axis=0, keepdims=True), TINY)).T)
    return synthesis @ (analysis @ magnitude)
