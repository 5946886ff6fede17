"""The vocoder WORLD (Morise et al. 2016), by pyworld-prebuilt, which is pyworld with wheels for every platform."""

from dataclasses import dataclass

import numpy as np

from codecfake.demo.attacks import framing, pitch

MARGIN_SECONDS = 0.05  # WORLD stops up to a frame before the last sample; its ends are cut off


@dataclass(frozen=True)
class World:
    """F0, a smooth spectral envelope (CheapTrick) and aperiodicity (D4C), and minimum-phase pulses and noise.

    WORLD draws its noise from its own generator, which starts over with each waveform, so `rng` is not used.
    """

    name: str
    frame_ms: int
    envelope_dimensions: int | None = None  # cosine coefficients of the log envelope over mel; None: in full

    def spoof(self, wav: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """A spoof `[T]` of the recording `wav`, `[T]`."""
        import pyworld

        margin = round(MARGIN_SECONDS * sample_rate)
        padded = np.pad(wav, margin, mode="symmetric")
        hop = framing.samples(self.frame_ms, sample_rate)
        f0 = pitch.f0(padded, sample_rate, hop)
        seconds = np.arange(len(f0)) * hop / sample_rate
        envelope = pyworld.cheaptrick(padded, f0, seconds, sample_rate, f0_floor=pitch.LOWEST_F0)
        size = 2 * (envelope.shape[1] - 1)
        aperiodicity = pyworld.d4c(padded, f0, seconds, sample_rate, fft_size=size)
        if self.envelope_dimensions is not None:
            code = pyworld.code_spectral_envelope(envelope, sample_rate, self.envelope_dimensions)
            envelope = pyworld.decode_spectral_envelope(code, sample_rate, size)
        spoof = pyworld.synthesize(f0, envelope, aperiodicity, sample_rate, 1000 * hop / sample_rate)
        return spoof[margin : margin + len(wav)]
