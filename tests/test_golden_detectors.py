"""Golden vectors: front-ends and back-ends give what the official code gave, with the recipe's or released weights.

Limits are those of the vectors' README: features 1e-4 of their standard deviation, logits 1e-4 · (1 + |logit|).
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
from torch import Tensor, nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.aasist import Aasist, AasistSettings
from codecfake.detectors.lcnn import Lcnn, LcnnSettings
from codecfake.detectors.mel import Mel, MelSettings
from codecfake.detectors.sinc import Sinc, SincSettings
from codecfake.detectors.ssl import SslSettings, Wav2Vec2, WavLM

FEATURE_LIMIT, LOGIT_LIMIT = 1e-4, 1e-4
XLS_R = FeatureShape(num_frames=201, dimension=1024, frames_first=False)
RAW = {"projection": None, "block_pool": 3, "nodes": "max"}
RAW_AASIST = {
    "aasist": AasistSettings(**RAW, pool_ratios=(0.5, 0.7, 0.5)),
    "aasist_l": AasistSettings(**RAW, channels=(32, 24), graph_dims=(24, 32), pool_ratios=(0.4, 0.5, 0.7)),
}
RELEASED = {"aasist": "AASIST.pth", "aasist_l": "AASIST-L.pth"}


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def test_mel_is_the_published_one(golden: Path) -> None:
    wav = torch.from_numpy(_arrays(golden, "mel_lcnn")["wav"])
    wav = torch.cat((wav, np.float32(0.05) * wav[:1]))
    _assert_features(Mel(MelSettings())(wav), _arrays(golden, "mel_lcnn")["mel"])


def test_mel_lcnn_is_the_published_one(golden: Path) -> None:
    arrays = _arrays(golden, "mel_lcnn")
    mel = torch.from_numpy(arrays["mel"])
    back_end = _filled(Lcnn(Mel(MelSettings()).shape(64_600), LcnnSettings()), golden, "mel_lcnn", "mel_lcnn")
    assert _num_parameters(back_end) == 972_514
    _assert_features(back_end.embed(mel), arrays["embed"])
    _assert_logits(back_end(mel), arrays["logits"])


def test_w2v2_lcnn_is_the_published_one(golden: Path) -> None:
    arrays = _arrays(golden, "w2v2_backends")
    features = torch.from_numpy(arrays["features"]).float()
    back_end = Lcnn(XLS_R, LcnnSettings())
    _filled(back_end, golden, "w2v2_backends", "w2v2_lcnn")
    assert _num_parameters(back_end) == 4_111_074
    _assert_features(back_end.embed(features), arrays["lcnn_embed"])
    _assert_logits(back_end(features), arrays["lcnn_logits"])


def test_w2v2_aasist_is_the_published_one(golden: Path) -> None:
    arrays = _arrays(golden, "w2v2_backends")
    features = torch.from_numpy(arrays["features"]).float()
    back_end = Aasist(XLS_R, AasistSettings())
    _filled(back_end, golden, "w2v2_backends", "w2v2_aasist")
    assert _num_parameters(back_end) == 447_242
    _assert_features(back_end.embed(features), arrays["aasist_hidden"])
    _assert_logits(back_end(features), arrays["aasist_logits"])


@pytest.mark.parametrize(("name", "count"), [("aasist", 297_866), ("aasist_l", 85_306)])
def test_raw_waveform_aasist_is_the_published_one(golden: Path, name: str, count: int) -> None:
    arrays = _arrays(golden, "aasist")
    features = Sinc(SincSettings())(torch.from_numpy(arrays["wav"]))
    back_end = _filled(_raw_aasist(name), golden, "aasist", name)
    assert _num_parameters(back_end) == count
    _assert_features(back_end.embed(features), arrays[f"{name}_recipe_hidden"])
    _assert_logits(back_end(features), arrays[f"{name}_recipe_logits"])


@pytest.mark.parametrize("name", RELEASED)
def test_raw_waveform_aasist_reads_its_released_weights(golden: Path, shared: Path, name: str) -> None:
    arrays = _arrays(golden, "aasist")
    features = Sinc(SincSettings())(torch.from_numpy(arrays["wav"]))
    back_end = _raw_aasist(name)
    released = torch.load(shared / "weights" / "aasist" / RELEASED[name], map_location="cpu", weights_only=True)
    back_end.load_state_dict(released)
    _assert_features(back_end.embed(features), arrays[f"{name}_released_hidden"])
    _assert_logits(back_end(features), arrays[f"{name}_released_logits"])


@pytest.mark.parametrize(("file", "architecture"), [("ssl_wav2vec2_small", Wav2Vec2), ("ssl_wavlm_small", WavLM)])
def test_a_front_end_cut_after_block_five_is_hidden_state_five_of_the_whole(
    golden: Path, file: str, architecture: type[Wav2Vec2 | WavLM]
) -> None:
    about, wav = _about(golden, file), torch.from_numpy(_arrays(golden, "mel_lcnn")["wav"])
    front_end = architecture(SslSettings(weights="random", layer=5, config=about["config"])).eval()
    whole = _recipe(golden, about, "model")
    front_end.model.load_state_dict({name: whole[name] for name in front_end.model.state_dict()})
    features = front_end(wav)
    assert features.shape[1] == front_end.shape(64_600).num_frames == 201
    _assert_features(features, _arrays(golden, file)["hidden_5"])


def _raw_aasist(name: str) -> Aasist:
    return Aasist(Sinc(SincSettings()).shape(64_600), RAW_AASIST[name]).eval()


def _filled(module: Any, golden: Path, file: str, part: str) -> Any:
    module.load_state_dict(_recipe(golden, _about(golden, file), part))
    return module.eval()


def _recipe(golden: Path, about: dict[str, Any], part: str) -> dict[str, Tensor]:
    recipe = _recipe_module(golden)
    arrays = recipe.fill(about["state_dict"][part], about["seed"])
    assert recipe.digest(arrays) == about["weights_sha256"][part]
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _recipe_module(golden: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("deterministic_weights", golden / "deterministic_weights.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _about(golden: Path, file: str) -> dict[str, Any]:
    return json.loads((golden / f"{file}.json").read_text())


def _arrays(golden: Path, file: str) -> Any:
    return np.load(golden / f"{file}.npz")


def _num_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _assert_features(found: Tensor, expected: np.ndarray) -> None:
    assert found.shape == expected.shape
    for item, wanted in zip(found.numpy(), expected, strict=True):
        assert np.abs(item - wanted).max() < FEATURE_LIMIT * wanted.std()


def _assert_logits(found: Tensor, expected: np.ndarray) -> None:
    np.testing.assert_array_less(np.abs(found.numpy() - expected), LOGIT_LIMIT * (1 + np.abs(expected)))
