"""What the golden vectors of detectors hold: which front-end or back-end a file is of, and what its arrays are."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from golden_vectors import (
    LATENT_LIMIT,
    Vector,
    assert_items,
    assert_logits,
    find,
    kind_or_none,
    published_weights,
)
from torch import Tensor

from codecfake.detectors import FeatureShape
from codecfake.detectors.aasist import Aasist, AasistSettings
from codecfake.detectors.lcnn import Lcnn, LcnnSettings
from codecfake.detectors.mel import Mel, MelSettings
from codecfake.detectors.sinc import Sinc, SincSettings
from codecfake.detectors.ssl import Ssl, SslSettings, Wav2Vec2, WavLM

REPOSITORIES = {"clovaai/aasist": "aasist", "huggingface/transformers": "ssl"}
BOTH_BACK_ENDS = "xieyuankun/codecfake"  # its files hold mel features and Mel-LCNN, or back-ends on XLS-R's features
PREFIXES = {"aasist": "aasist", "ssl": "ssl", "mel": "mel", "w2v2": "back_ends"}
RELEASED = {"aasist": "AASIST.pth", "aasist_l": "AASIST-L.pth"}
QUIETER = 0.05  # the third item of a file of two recordings is the first one, as loud as that
HALF_PRECISION = 1e-3  # of numbers stored as float16, and a margin


def detector_of(vector: Vector) -> str | None:
    """What a file is of, by its repository or else its name; None if it is of no detector."""
    repository = vector.about.get("repository", "").lower()
    if BOTH_BACK_ENDS in repository:
        return "back_ends" if "features" in vector else "mel"
    names = [name for part, name in REPOSITORIES.items() if part in repository]
    return next(iter(names or [name for prefix, name in PREFIXES.items() if vector.name.startswith(prefix)]), None)


def check(vector: Vector, key: str) -> None:
    """Compare one stored array with what our code gives. Raises UnknownVectorError for one without a rule."""
    rules = [rule for pattern, rule in RULES[str(detector_of(vector))].items() if re.fullmatch(pattern, key)]
    if not rules:
        raise vector.unknown(f"array {key!r} is of no known kind")
    with torch.no_grad():
        rules[0](vector, key)


# Mel-LCNN


def _mel(vector: Vector, key: str) -> None:
    assert_items(Mel(MelSettings())(_batch(vector, len(vector[key]))), vector[key])


def _mel_lcnn(vector: Vector, key: str) -> None:
    mel = torch.from_numpy(vector["mel"]) if "mel" in vector else Mel(MelSettings())(_batch(vector, len(vector[key])))
    (part,) = vector.parts
    _assert_output(_lcnn(vector, part, mel, frames_first=True), mel, vector[key], key)


def _batch(vector: Vector, num_items: int) -> Tensor:
    """The recordings, and the first of them once more where there is an item too many for them."""
    wav = torch.from_numpy(vector["wav"])
    if num_items not in (len(wav), len(wav) + 1):
        raise vector.unknown(f"{num_items} items come of {len(wav)} recordings")
    return torch.cat((wav, np.float32(QUIETER) * wav[:1]))[:num_items]


# Back-ends on the features of XLS-R


def _back_end(vector: Vector, key: str) -> None:
    name = key.rsplit("_", 1)[0]
    features = torch.from_numpy(vector["features"]).float()
    part = next((part for part in vector.parts if part.endswith(f"_{name}")), name)
    build = {"lcnn": _lcnn, "aasist": _w2v2_aasist}.get(name)
    if build is None:
        raise vector.unknown(f"array {key!r} is of back-end {name!r}, which is none of lcnn, aasist")
    _assert_output(build(vector, part, features), features, vector[key], key)


def _lcnn(vector: Vector, part: str, features: Tensor, frames_first: bool = False) -> Lcnn:
    width = vector.shapes(part)["conv1.0.weight"][0] / 64
    shape = FeatureShape(features.shape[1], features.shape[2], frames_first)
    return _filled(vector, part, Lcnn(shape, LcnnSettings(width=width)))


def _w2v2_aasist(vector: Vector, part: str, features: Tensor) -> Aasist:
    shapes = vector.shapes(part)
    settings = AasistSettings(
        projection=shapes["LL.weight"][0],
        channels=(shapes["encoder.0.0.conv1.weight"][0], shapes["encoder.5.0.conv1.weight"][0]),
        graph_dims=(shapes["pool_S.proj.weight"][1], shapes["pool_hS1.proj.weight"][1]),
    )
    return _filled(vector, part, Aasist(FeatureShape(features.shape[1], features.shape[2], False), settings))


def _xls_r_features(vector: Vector, key: str) -> None:
    """A tenth of them, in half precision."""
    recordings, part = _recordings(vector), next((part for part in vector.parts if "xlsr" in part), "")
    if "xlsr_config" not in vector.about or recordings is None:
        pytest.skip(f"{vector.path}: {key} is taken as given: no xlsr_config, or no file has the recordings")
    front_end = _front_end(Wav2Vec2, vector.about["xlsr_config"], 5, vector.weights(part))
    expected = vector[key].astype(np.float32)
    difference = (0.1 * front_end(recordings) - torch.from_numpy(expected)).abs().numpy()
    assert (difference <= HALF_PRECISION * np.abs(expected) + LATENT_LIMIT * expected.std()).all()


def _recordings(vector: Vector) -> Tensor | None:
    """In the file itself, or in another one beside it that is of the same inputs."""
    inputs = vector.about.get("inputs")
    for holder in (vector, *find(vector.path.parent)):
        is_known = kind_or_none(detector_of, holder) is not None
        if is_known and "wav" in holder and (holder is vector or inputs and holder.about.get("inputs") == inputs):
            return torch.from_numpy(holder["wav"])
    return None


# AASIST on raw waveforms


def _aasist(vector: Vector, key: str) -> None:
    match = re.fullmatch(r"(.+)_(recipe|released)_(hidden|logits)", key)
    assert match is not None
    part, weights, kind = match.groups()
    expected = vector[key]
    if kind == "logits":
        assert_logits(_aasist_outputs(vector, part, weights)[1], expected)
    else:
        assert_items(_aasist_outputs(vector, part, weights)[0], expected)


@lru_cache(maxsize=1)
def _aasist_outputs(vector: Vector, part: str, weights: str) -> tuple[Tensor, Tensor]:
    """Readout and logits, of one pass: it takes seconds."""
    features = Sinc(SincSettings())(torch.from_numpy(vector["wav"]))
    back_end = Aasist(Sinc(SincSettings()).shape(vector["wav"].shape[1]), _aasist_settings(vector, part))
    filled = _filled(vector, part, back_end) if weights == "recipe" else _released(vector, part, back_end)
    readouts = []
    embed = filled.embed

    def watched(given: Tensor) -> Tensor:
        readouts.append(embed(given))
        return readouts[-1]

    filled.embed = watched
    logits = filled(features)
    return readouts[0], logits


def _aasist_settings(vector: Vector, part: str) -> AasistSettings:
    config = vector.about.get("model_config", {}).get(part)
    if config is None:
        raise vector.unknown(f"there is no model_config of {part!r}, which has the ratios of graph pooling")
    (_, shallow), _, (_, deep), *_ = config["filts"][1:]
    return AasistSettings(
        projection=None,
        block_pool=3,
        nodes="max",
        channels=(shallow, deep),
        graph_dims=tuple(config["gat_dims"]),
        pool_ratios=tuple(config["pool_ratios"][:3]),
    )


def _released(vector: Vector, part: str, back_end: Aasist) -> Aasist:
    if part not in RELEASED:
        raise vector.unknown(f"{part!r} has no released weights that are known here")
    path = published_weights(vector, "aasist") / RELEASED[part]
    if not path.is_file():
        pytest.skip(f"needs the released weights {path}")
    back_end.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return back_end.eval()


# Self-supervised front-ends


def _hidden(vector: Vector, key: str) -> None:
    layer, expected = int(key.removeprefix("hidden_")), vector[key]
    normalized = torch.from_numpy(vector["input_values"])
    front_end = _ssl(vector, max(1, layer))
    if layer == 0:
        assert_items(front_end.model(normalized, output_hidden_states=True).hidden_states[0], expected)
        return
    recordings = _recordings(vector)
    features = front_end(4 * normalized if recordings is None else recordings)  # it takes level and offset away
    assert features.shape[1] == front_end.shape(normalized.shape[1]).num_frames
    assert_items(features, expected)


def _convolved(vector: Vector, key: str) -> None:
    features, expected = _ssl(vector, 1).model(torch.from_numpy(vector["input_values"])).extract_features, vector[key]
    assert_items(features[:, :, :: features.shape[2] // expected.shape[2]], expected)


def _ssl(vector: Vector, layer: int) -> Any:
    architecture = WavLM if any("gru_rel_pos" in key for key in vector.shapes()) else Wav2Vec2
    return _front_end(architecture, vector.about["config"], layer, vector.weights())


def _front_end(architecture: type[Ssl], config: dict[str, Any], layer: int, whole: dict[str, Tensor]) -> Any:
    front_end: Any = architecture(SslSettings(weights="random", layer=layer, config=config)).eval()
    front_end.model.load_state_dict({name: whole[name] for name in front_end.model.state_dict()})
    return front_end


RULES: dict[str, dict[str, Callable[[Vector, str], None]]] = {
    "mel": {"mel": _mel, "embed|logits": _mel_lcnn},
    "back_ends": {"features": _xls_r_features, ".+_(embed|hidden|logits)": _back_end},
    "aasist": {".+_(recipe|released)_(hidden|logits)": _aasist},
    "ssl": {r"hidden_\d+": _hidden, "conv_features": _convolved},
}
INPUTS = {"mel": ("wav",), "back_ends": ("wav",), "aasist": ("wav",), "ssl": ("input_values", "wav")}


def _filled(vector: Vector, part: str, module: Any) -> Any:
    try:
        module.load_state_dict(vector.weights(part), strict=True)
    except RuntimeError as error:
        raise vector.unknown(
            f"its tensors of {part!r} are not those of our {type(module).__name__} ({error})"
        ) from error
    stated = vector.about.get("parameters")
    count = sum(parameter.numel() for parameter in module.parameters())
    assert count == (stated.get(part, count) if isinstance(stated, dict) else stated or count)
    return module.eval()


def _assert_output(back_end: Any, features: Tensor, expected: np.ndarray, key: str) -> None:
    if key.endswith("logits"):
        assert_logits(back_end(features), expected)
    else:
        assert_items(back_end.embed(features), expected)
