"""The settings of the audio tokenizers of `transformers`, and the shape of the codes that follows from them.

A family is a class of `transformers`; `config` changes keys of its configuration. This module imports neither torch nor
transformers, so an experiment is checked without them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from codecfake.base.settings import fault
from codecfake.base.suggestions import unknown

# What the published models have, of the keys that define the shape of codes.
PUBLISHED: dict[str, dict[str, Any]] = {
    "encodec": {
        "sampling_rate": 24_000,
        "upsampling_ratios": [8, 5, 4, 2],
        "codebook_size": 1024,
        "target_bandwidths": [1.5, 3.0, 6.0, 12.0, 24.0],
    },
    "dac": {"sampling_rate": 44_100, "downsampling_ratios": [2, 4, 8, 8], "n_codebooks": 9, "codebook_size": 1024},
    "mimi": {
        "sampling_rate": 24_000,
        "upsampling_ratios": [8, 6, 5, 4],
        "num_quantizers": 32,
        "codebook_size": 2048,
    },
    "xcodec": {
        "sample_rate": 16_000,
        "acoustic_model_config": {"downsampling_ratios": [8, 5, 4, 2]},
        "codebook_size": 1024,
        "target_bandwidths": [0.5, 1, 1.5, 2, 4],
    },
    "higgs": {
        "sample_rate": 24_000,
        "acoustic_model_config": {"downsampling_ratios": [8, 5, 4, 2, 3], "upsampling_ratios": [8, 5, 4, 2, 3]},
        "codebook_size": 1024,
        "target_bandwidths": [0.5, 1, 1.5, 2],
    },
    "xcodec2": {
        "sampling_rate": 16_000,
        "downsampling_ratios": [2, 2, 4, 4, 5],
        "quantization_levels": [4, 4, 4, 4, 4, 4, 4, 4],
    },
    "neucodec": {
        "input_sampling_rate": 16_000,
        "output_sampling_rate": 24_000,
        "downsampling_ratios": [2, 2, 4, 4, 5],
        "quantization_levels": [4, 4, 4, 4, 4, 4, 4, 4],
    },
    "pockettts": {"sampling_rate": 24_000, "upsampling_ratios": [6, 5, 4], "latent_stride": 16},
    "vibevoice": {"downsampling_ratios": [2, 2, 4, 5, 5, 8]},
}
FAMILIES = tuple(PUBLISHED)
MIMI_STRIDE = 2  # of Mimi's codes, in frames of its convolutions
VIBEVOICE_RATE = 24_000  # Hz; its configuration does not have it
MONO = ("audio_channels", "channels")


@dataclass(frozen=True)
class CodeShape:
    """As `codec_wrappers.codec.Shape`."""

    sample_rate: int
    hop_length: int
    num_quantizers: int
    bits_per_code: float | None


@dataclass(frozen=True)
class TransformersSettings:
    family: str
    config: dict[str, Any] = field(default_factory=dict)  # keys whose values differ from the published ones
    seed: int | None = None  # of random weights, which are for tests

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise fault(unknown("family", self.family, FAMILIES), "family")
        for key in MONO:
            if self.config.get(key, 1) != 1:
                raise fault(f"{self.config[key]} channels; codecs get one, so give 1", "config", key)
        for key in ("normalize", "chunk_length_s"):
            if self.config.get(key):
                raise fault("stereo models alone cut and normalize; use one of one channel, without this key", "config")
        try:
            self.code_shape  # noqa: B018
        except (TypeError, ValueError, KeyError, ZeroDivisionError) as error:
            text = f"{type(error).__name__}: {error}; give the keys as in the model's config.json"
            raise fault(text, "config") from error

    @property
    def configuration(self) -> dict[str, Any]:
        """The published keys with those of `config` in their place; parts that are mappings are merged."""
        return merged(PUBLISHED[self.family], self.config)

    @property
    def code_shape(self) -> CodeShape:
        return _SHAPES[self.family](self.configuration)

    @property
    def sample_rate(self) -> int:
        return self.code_shape.sample_rate

    @property
    def hop_length(self) -> int:
        return self.code_shape.hop_length

    @property
    def num_quantizers(self) -> int:
        return self.code_shape.num_quantizers

    @property
    def bits_per_code(self) -> float | None:
        return self.code_shape.bits_per_code


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the changes in their place, down to the parts that are mappings in both."""
    both = {key: merged(values[key], new) for key, new in changes.items() if _is_part(new, values.get(key))}
    return {**values, **changes, **both}


def _is_part(new: Any, old: Any) -> bool:
    return isinstance(new, Mapping) and isinstance(old, Mapping)


def _encodec(config: Mapping[str, Any]) -> CodeShape:
    rate, hop = config["sampling_rate"], math.prod(config["upsampling_ratios"])
    return _by_bandwidth(config, rate, hop)


def _dac(config: Mapping[str, Any]) -> CodeShape:
    hop, bits = math.prod(config["downsampling_ratios"]), math.log2(config["codebook_size"])
    return CodeShape(config["sampling_rate"], hop, config["n_codebooks"], bits)


def _mimi(config: Mapping[str, Any]) -> CodeShape:
    hop, bits = MIMI_STRIDE * math.prod(config["upsampling_ratios"]), math.log2(config["codebook_size"])
    return CodeShape(config["sampling_rate"], hop, config["num_quantizers"], bits)


def _xcodec(config: Mapping[str, Any]) -> CodeShape:
    hop = math.prod(config["acoustic_model_config"]["downsampling_ratios"])
    return _by_bandwidth(config, config["sample_rate"], hop)


def _xcodec2(config: Mapping[str, Any]) -> CodeShape:
    bits = math.log2(math.prod(config["quantization_levels"]))
    return CodeShape(config["sampling_rate"], math.prod(config["downsampling_ratios"]), 1, bits)


def _neucodec(config: Mapping[str, Any]) -> CodeShape:
    # its encoder takes 16 kHz, and its decoder gives 24 kHz, which is the codec's rate here
    rate, at_input = config["output_sampling_rate"], math.prod(config["downsampling_ratios"])
    bits = math.log2(math.prod(config["quantization_levels"]))
    return CodeShape(rate, at_input * rate // config["input_sampling_rate"], 1, bits)


def _pockettts(config: Mapping[str, Any]) -> CodeShape:
    hop = math.prod(config["upsampling_ratios"]) * config["latent_stride"]
    return CodeShape(config["sampling_rate"], hop, 1, None)


def _vibevoice(config: Mapping[str, Any]) -> CodeShape:
    return CodeShape(VIBEVOICE_RATE, math.prod(config["downsampling_ratios"]), 1, None)


def _by_bandwidth(config: Mapping[str, Any], sample_rate: int, hop: int) -> CodeShape:
    """As many codebooks as the largest bandwidth (kbit/s) has room for, as transformers counts them."""
    bits, frame_rate = math.log2(config["codebook_size"]), math.ceil(sample_rate / hop)
    number = int(1000 * config["target_bandwidths"][-1] // (frame_rate * math.ceil(bits)))
    return CodeShape(sample_rate, hop, number, bits)


_SHAPES: dict[str, Callable[[Mapping[str, Any]], CodeShape]] = {
    "encodec": _encodec,
    "dac": _dac,
    "mimi": _mimi,
    "xcodec": _xcodec,
    "higgs": _xcodec,
    "xcodec2": _xcodec2,
    "neucodec": _neucodec,
    "pockettts": _pockettts,
    "vibevoice": _vibevoice,
}
