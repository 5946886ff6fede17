"""AAC, as phones and video sites use it: the low-complexity profile, with FFmpeg's encoder and decoder."""

import io
from types import ModuleType

import numpy as np

from codecfake.audio import waveforms
from codecfake.detectors import SAMPLE_RATE

FRAME = 1_024  # samples: a frame of AAC, and how much the encoder puts before the speech


def aac(wav: np.ndarray, recording: np.ndarray, value: int, rng: np.random.Generator) -> np.ndarray:
    """`[T]` through AAC at about `value` kbps, which vary with the speech. Raises RuntimeError without `av`."""
    av = _library()
    peak = max(1.0, np.abs(wav).max(initial=0.0))
    decoded = _decode(av, _encode(av, (wav / peak).astype(np.float32), value))
    return waveforms.fit(decoded[FRAME:], len(wav)).astype(np.float64) * peak


def _library() -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise RuntimeError("AAC needs the package av; run `pip install 'codecfake[aac]'`") from error
    return av


def _encode(av: ModuleType, wav: np.ndarray, kbps: int) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="adts") as file:
        stream = file.add_stream("aac", rate=SAMPLE_RATE, layout="mono", bit_rate=1_000 * kbps)
        for start in range(0, len(wav), FRAME):
            samples = np.ascontiguousarray(wav[None, start : start + FRAME])
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def _decode(av: ModuleType, data: bytes) -> np.ndarray:
    with av.open(io.BytesIO(data)) as file:
        return np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
