"""Golden vectors: the wrappers give what the official code gave, stage by stage, with the recipe's weights.

Limits are those of the vectors' README: latents 1e-4, outputs 2e-4 of their standard deviation, codes equal.
"""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from codec_wrappers import funcodec, wrapper
from codec_wrappers.codec import Codec

CODECS: dict[str, tuple[str, dict[str, Any]]] = {
    "encodec_24k": ("encodec", {}),
    "speechtokenizer_16k": ("speechtokenizer", {}),
    "funcodec_ds320": ("funcodec", {"architecture": "ds320"}),
    "funcodec_ds640": ("funcodec", {"architecture": "ds640"}),
    "freqcodec_gr1": ("funcodec", {"architecture": "freqcodec_gr1"}),
    "freqcodec_gr8": ("funcodec", {"architecture": "freqcodec_gr8"}),
    "dac_16k": ("dac", {"sample_rate": 16_000}),
    "dac_24k": ("dac", {"sample_rate": 24_000}),
    "dac_44k": ("dac", {}),
}
HEAVY = ("dac_24k", "dac_44k")
FUNCODEC = [name for name, (wrapper_name, _) in CODECS.items() if wrapper_name == "funcodec"]
CLIPS = ("a", "b")  # of a length that is a multiple of the hop, and of one that is not
LATENT_LIMIT, OUTPUT_LIMIT, FREQCODEC_LIMIT = 1e-4, 2e-4, 5e-4
# Outputs stored by number of quantizers
OUTPUTS = {
    "encodec_24k": {"out_6kbps": 8, "out_24kbps": 32},
    "speechtokenizer_16k": {"out": 8},
    "dac_16k": {"out": 12},
    "dac_24k": {"out": 32},
    "dac_44k": {"out": 9},
}


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def marked(names: list[str]) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.slow) if name in HEAVY else name for name in names]


@pytest.fixture(scope="module")
def official(golden: Path, request: pytest.FixtureRequest) -> tuple[str, Codec, Any]:
    """The name of a golden file, the wrapper with the recipe's weights, the arrays."""
    name = request.param
    about = json.loads((golden / f"{name}.json").read_text())
    recipe = _recipe(golden)
    wrapper_name, model = CODECS[name]
    codec = wrapper(wrapper_name).build(model)
    arrays = recipe.fill(about["state_dict"]["model"], about["seed"])
    assert recipe.digest(arrays) == about["weights_sha256"]["model"]
    codec.network.load_state_dict({key: torch.from_numpy(array) for key, array in arrays.items()}, strict=True)
    return name, codec, np.load(golden / f"{name}.npz")


@pytest.mark.parametrize("official", marked(list(CODECS)), indirect=True)
@pytest.mark.parametrize("clip", CLIPS)
def test_golden_latents_are_those_of_the_official_encoder(official: tuple[str, Codec, Any], clip: str) -> None:
    name, codec, stored = official
    assert_close(latent(codec, name, leveled(codec, wav_of(stored, clip))), stored[f"{clip}_latent"], LATENT_LIMIT)


@pytest.mark.parametrize("official", marked(list(CODECS)), indirect=True)
@pytest.mark.parametrize("clip", CLIPS)
def test_golden_codes_are_those_of_the_official_codec(official: tuple[str, Codec, Any], clip: str) -> None:
    _, codec, stored = official
    codes = codec.encode(leveled(codec, wav_of(stored, clip)))
    np.testing.assert_array_equal(codes[0].numpy(), stored[f"{clip}_codes"])


@pytest.mark.parametrize("official", marked(list(OUTPUTS)), indirect=True)
@pytest.mark.parametrize("clip", CLIPS)
def test_golden_codes_decode_to_the_official_waveform(official: tuple[str, Codec, Any], clip: str) -> None:
    name, codec, stored = official
    for output, quantizers in OUTPUTS[name].items():
        decoded = codec.decode(codes_of(stored, f"{clip}_codes")[:, :quantizers])
        assert_close(decoded[0], stored[f"{clip}_{output}"], OUTPUT_LIMIT)


@pytest.mark.parametrize("official", FUNCODEC, indirect=True)
@pytest.mark.parametrize("clip", CLIPS)
def test_golden_funcodec_restores_the_level_that_the_workflow_took_away(
    official: tuple[str, Codec, Any], clip: str, golden: Path
) -> None:
    name, codec, stored = official
    limit = FREQCODEC_LIMIT if name.startswith("freqcodec") else OUTPUT_LIMIT
    codes = codes_of(stored, f"{clip}_codes")
    wav = wav_of(stored, clip)
    assert_close(codec.decode(codes)[0], stored[f"{clip}_out_decode"], limit)
    assert_close((codec.decode(codes) * level(wav))[0, : wav.shape[1]], stored[f"{clip}_out"], limit)
    for bit_width, quantizers in json.loads((golden / f"{name}.json").read_text())["quantizers_per_bit_width"].items():
        if f"{clip}_out_bw{bit_width}" in stored:
            decoded = codec.decode(codes[:, :quantizers]) * level(wav)
            assert_close(decoded[0, : wav.shape[1]], stored[f"{clip}_out_bw{bit_width}"], limit)


@pytest.mark.parametrize("clip", CLIPS)
def test_golden_lyra_gives_the_official_indices_and_waveforms_at_every_rate(
    golden: Path, shared: Path, clip: str
) -> None:
    stored = np.load(golden / "lyra.npz")
    codec = wrapper("lyra").load({}, shared / "weights" / "lyra")
    wav = wav_of(stored, clip)
    codes = codec.encode(torch.nn.functional.pad(wav, (0, -wav.shape[1] % codec.hop_length)))
    np.testing.assert_array_equal(codes[0].numpy(), stored[f"{clip}_indices"])
    for quantizers in (16, 20, 30, 46):
        decoded = codec.decode(codes_of(stored, f"{clip}_indices")[:, :quantizers])
        assert_close(decoded[0], stored[f"{clip}_out_q{quantizers}"], OUTPUT_LIMIT)


def latent(codec: Codec, name: str, wav: Tensor) -> Tensor:
    """What the encoder gives before the quantizer, `[D, F]`."""
    assert codec.network is not None
    if isinstance(codec, funcodec.Funcodec):
        return codec.network.encoder(codec._analyze(wav))[0].T
    if name.startswith("dac"):
        padded = codec.network.preprocess(wav[:, None], codec.sample_rate)  # type: ignore[operator]
        return codec.network.encoder(padded)[0, ::4]  # type: ignore[operator]
    return codec.network.encoder(wav[:, None])[0]  # type: ignore[operator]


def leveled(codec: Codec, wav: Tensor) -> Tensor:
    return wav / level(wav) if isinstance(codec, funcodec.Funcodec) else wav


def level(wav: Tensor) -> Tensor:
    """FunCodec's measure of level, `[B, 1]`."""
    return wav.square().mean(dim=1, keepdim=True).sqrt() + 1e-8


def wav_of(stored: Any, clip: str) -> Tensor:
    return torch.from_numpy(stored[f"{clip}_wav"])[None]


def codes_of(stored: Any, key: str) -> Tensor:
    return torch.from_numpy(stored[key].astype(np.int64))[None]


def assert_close(found: Tensor, expected: np.ndarray, limit: float) -> None:
    assert tuple(found.shape) == expected.shape
    assert np.abs(found.numpy() - expected).max() <= limit * expected.std()


def _recipe(golden: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("deterministic_weights", golden / "deterministic_weights.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
