"""Vocoder spoofs without a trained vocoder: the magnitudes of a recording with new phases.

This is the algorithm of Griffin & Lim 1984 in the fast form of Perraudin et al. 2013, from linear or mel spectrograms.
As in ASVspoof 2019 LA, the attacks of evaluation differ from those of training. Levels are not adjusted.
"""

from dataclasses import dataclass

import numpy as np

from codecfake.base.librosa_cache import librosa

TINY = 1e-10  # avoids dividing by 0: bins below the first band and bands narrower than a bin have no weights


@dataclass(frozen=True)
class Attack:
    """One vocoder."""

    name: str
    window: int  # samples, also the length of the Fourier transform
    hop: int  # samples
    iterations: int
    mel_bands: int | None = None  # None: from linear magnitudes


# after few iterations, phases are still inconsistent: this is audible, and can be learned from a few hundred files
KNOWN_ATTACKS = (
    Attack("A01", window=512, hop=128, iterations=3),
    Attack("A02", window=1024, hop=256, iterations=4, mel_bands=40),
    Attack("A03", window=800, hop=200, iterations=1),
)
UNKNOWN_ATTACKS = (
    Attack("A07", window=1024, hop=256, iterations=2),
    Attack("A08", window=640, hop=160, iterations=4, mel_bands=48),
    Attack("A09", window=400, hop=100, iterations=3, mel_bands=32),
)


def copy_synthesis(wav: np.ndarray, sample_rate: int, attack: Attack, rng: np.random.Generator) -> np.ndarray:
    """A spoof `[T]` of the recording `wav`, `[T]`; the first phases are drawn from `rng`."""
    magnitude = np.abs(librosa().stft(wav.astype(np.float32), n_fft=attack.window, hop_length=attack.hop))
    if attack.mel_bands is not None:
        magnitude = _through_mel(magnitude, sample_rate, attack)
    return (
        librosa()
        .griffinlim(
            magnitude,
            n_iter=attack.iterations,
            n_fft=attack.window,
            hop_length=attack.hop,
            length=len(wav),
            random_state=rng,
        )
        .astype(np.float64)
    )


def _through_mel(magnitude: np.ndarray, sample_rate: int, attack: Attack) -> np.ndarray:
    """Magnitudes `[F, N]` reconstructed from their mel bands: each bin gets the mean of its bands."""
    # imported here: every process that reads the workflow imports this module, and SciPy loads slowly
    from scipy.sparse import csr_array

    bands = librosa().filters.mel(sr=sample_rate, n_fft=attack.window, n_mels=attack.mel_bands)
    # sparse products add in a fixed order; the order in BLAS depends on the number of threads
    analysis = csr_array(bands / np.maximum(bands.sum(axis=1, keepdims=True), TINY))
    synthesis = csr_array((bands / np.maximum(bands.sum(axis=0, keepdims=True), TINY)).T)
    return synthesis @ (analysis @ magnitude)
