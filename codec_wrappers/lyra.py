"""Lyra v2, the SoundStream of its authors (Zeghidour et al. 2021), with LiteRT: 16 kHz, 46 codebooks of 16 entries.

20 codebooks are 4 kbit/s. The three `.tflite` models are published weights and cannot be trained.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from codec_wrappers.codec import Codec
from codec_wrappers.settings import LyraSettings
from codec_wrappers.weights.loading import WeightsError

NUM_QUANTIZERS = LyraSettings.num_quantizers
ABSENT = -1  # index that the dequantizer skips
MODELS = ("soundstream_encoder", "quantizer", "lyragan")


class Lyra(Codec):
    sample_rate = LyraSettings.sample_rate
    hop_length = LyraSettings.hop_length
    num_quantizers = NUM_QUANTIZERS
    bits_per_code = LyraSettings.bits_per_code
    context_duration = None  # works frame by frame

    def __init__(self, folder: Path) -> None:
        self._models = {name: _read_model(folder / f"{name}.tflite") for name in MODELS}
        self._quantize = _runner(self._models["quantizer"], "encode")
        self._dequantize = _runner(self._models["quantizer"], "decode")

    def encode(self, wav: Tensor) -> Tensor:
        return torch.stack([self._encode_one(row) for row in wav.cpu().numpy()]).to(wav.device)

    def decode(self, codes: Tensor) -> Tensor:
        return torch.stack([self._decode_one(row) for row in codes.cpu().numpy()]).to(codes.device)

    def _encode_one(self, wav: np.ndarray) -> Tensor:
        # Encoder and decoder keep their state between frames and cannot be reset, so each utterance gets new ones.
        analyze = _runner(self._models["soundstream_encoder"], "serving_default")
        codes = []
        for frame in wav.astype(np.float32).reshape(-1, 1, self.hop_length):
            features = analyze(input_audio=frame)["output_0"]
            indices = self._quantize(input_frames=features, num_quantizers=np.int32(NUM_QUANTIZERS))["output_0"]
            codes.append(indices.reshape(NUM_QUANTIZERS))
        return torch.from_numpy(np.stack(codes, axis=1)).long()

    def _decode_one(self, codes: np.ndarray) -> Tensor:
        synthesize = _runner(self._models["lyragan"], "serving_default")
        indices = np.full((NUM_QUANTIZERS, codes.shape[1]), ABSENT, dtype=np.int32)
        indices[: len(codes)] = codes
        frames = []
        for frame in indices.T.reshape(-1, NUM_QUANTIZERS, 1, 1):
            features = self._dequantize(encoding_indices=frame)["output_0"]
            frames.append(synthesize(input_audio=features)["output_0"].reshape(self.hop_length))
        return torch.from_numpy(np.concatenate(frames))


def build(settings: LyraSettings) -> Lyra:
    """Always raises WeightsError: Lyra is published as compiled models, so fresh weights do not exist."""
    raise WeightsError("lyra cannot be built with fresh weights or trained; load its published .tflite models")


def load(settings: LyraSettings, weights: Path | None) -> Lyra:
    """The codec from a folder with the three published models."""
    if weights is None:
        raise WeightsError(f"lyra: found no weights; give the folder with {', '.join(MODELS)} (.tflite)")
    return Lyra(weights)


def _read_model(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror}); fetch the Lyra models again") from error


def _runner(model: bytes, signature: str) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_content=model, num_threads=1).get_signature_runner(signature)
