"""Layers of self-supervised front-ends, their norms, and weights that are in a model folder."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from codecfake.base.settings import SettingsError
from codecfake.detectors import models
from codecfake.detectors.detector import Detector
from codecfake.detectors.models import ModelError
from codecfake.detectors.settings import DetectorSettings
from codecfake.detectors.ssl import FrontEndWeightsError, Hubert, SslSettings, Wav2Vec2, WavLM

CROP = 4_000
SMALL = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
LARGE_FORM = {**SMALL, "feat_extract_norm": "layer", "do_stable_layer_norm": True}
LCNN = {"name": "lcnn", "width": 0.05}
AASIST = {"name": "aasist", "projection": 12, "channels": [2, 4], "graph_dims": [4, 2]}
ARCHITECTURES = pytest.mark.parametrize("architecture", [Wav2Vec2, WavLM, Hubert])
FORMS = pytest.mark.parametrize("config", [SMALL, LARGE_FORM], ids=["base", "large"])


def random_part(**settings: Any) -> dict[str, Any]:
    return {"name": "wav2vec2", "weights": "random", "layer": 2, "config": LARGE_FORM, **settings}


@pytest.fixture
def wav() -> Tensor:
    return 0.1 * torch.randn(2, CROP, generator=torch.Generator().manual_seed(0))


@FORMS
@ARCHITECTURES
def test_all_layers_of_a_cut_model_are_those_of_the_whole_one(architecture, config, tmp_path: Path, wav) -> None:
    import transformers

    name = architecture.architecture
    whole = getattr(transformers, f"{name}Model")(getattr(transformers, f"{name}Config")(num_hidden_layers=4, **config))
    whole.eval().save_pretrained(tmp_path)
    hidden = whole(wav, output_hidden_states=True).hidden_states
    for layers, expected in (("all", hidden[:3]), ("blocks", hidden[1:3]), ("one", hidden[2:3])):
        cut = architecture(SslSettings(str(tmp_path), layer=2, normalize=False, layers=layers)).eval()
        shape = cut.shape(CROP)
        assert shape.num_layers == len(expected)
        features = cut(wav).reshape(2, -1, shape.num_frames, shape.dimension)
        assert torch.equal(features, torch.stack(expected, dim=1))


@ARCHITECTURES
def test_the_final_norm_gives_the_output_of_the_whole_model(architecture, tmp_path: Path, wav) -> None:
    import transformers

    name = architecture.architecture
    config = getattr(transformers, f"{name}Config")(num_hidden_layers=2, **LARGE_FORM)
    whole = getattr(transformers, f"{name}Model")(config).eval()
    whole.encoder.layer_norm.weight.data.uniform_()
    whole.save_pretrained(tmp_path)
    same = architecture(SslSettings(str(tmp_path), layer=2, normalize=False, final_norm=True)).eval()
    assert torch.equal(same(wav), whole(wav).last_hidden_state)


def test_a_final_norm_of_weights_whose_model_has_none_is_refused(tmp_path: Path) -> None:
    import transformers

    transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(num_hidden_layers=2, **SMALL)).save_pretrained(tmp_path)
    with pytest.raises(FrontEndWeightsError, match="normalize their output, and no norm follows them; set final_norm"):
        Wav2Vec2(SslSettings(str(tmp_path), layer=2, final_norm=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": "every"}, "unknown choice of layers 'every'; choose from one, blocks, all"),
        ({"layers": "blocks", "layer": 1}, "blocks of layer 1 is a single output; set layers to one"),
        ({"layers": "all", "final_norm": True}, "it normalizes one output, but layers is all"),
        ({"final_norm": True, "config": SMALL}, "no norm follows them; set final_norm to false"),
        ({"variance_floor": 0.0}, "0.0 is out of range"),
    ],
)
def test_settings_that_no_front_end_has_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        DetectorSettings(random_part(**change), LCNN)


@pytest.mark.parametrize(
    ("front_end", "aggregation", "message"),
    [
        (random_part(layers="all"), None, "back_end: lcnn takes one layer, but the front-end gives several; set `agg"),
        (random_part(), {"name": "weighted_sum"}, "front_end: it gives one layer, but the aggregation takes several"),
        ({"name": "mel"}, {"name": "weighted_sum"}, "front_end: it gives one layer, but the aggregation takes several"),
        (random_part(layers="all"), {"name": "sum"}, "aggregation.name: unknown aggregation 'sum'"),
        (random_part(layers="all"), {"name": "weighted_sum", "power": 2}, "aggregation: unknown setting 'power'"),
    ],
)
def test_layers_that_do_not_fit_each_other_are_refused_before_any_model_is_built(
    front_end: dict[str, Any], aggregation: dict[str, Any] | None, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        DetectorSettings(front_end, LCNN, aggregation)


def test_an_aggregation_is_trained_with_the_back_end_and_stored_with_it(wav: Tensor) -> None:
    settings = DetectorSettings(random_part(layers="all"), AASIST, {"name": "weighted_sum"})
    detector = Detector(settings, CROP).train()
    detector(wav).sum().backward()
    gradient = detector.aggregation.weight_hidd.grad
    assert gradient is not None
    assert gradient.abs().min() > 0
    assert [name for name in detector.own_state() if name.startswith("aggregation.")] == ["aggregation.weight_hidd"]
    assert settings.complete()["aggregation"] == {"name": "weighted_sum"}
    assert "aggregation" not in DetectorSettings(random_part(), AASIST).complete()


def test_before_training_a_weighted_sum_is_the_mean_of_the_layers(wav: Tensor) -> None:
    detector = Detector(DetectorSettings(random_part(layers="all"), AASIST, {"name": "weighted_sum"}), CROP).eval()
    layers = detector.front_end(wav)
    torch.testing.assert_close(detector.aggregation(layers), layers.mean(1))
    with torch.no_grad():
        detector.aggregation.weight_hidd[1] = 50
    torch.testing.assert_close(detector.aggregation(layers), layers[:, 1])


@pytest.fixture
def with_front_end(tmp_path: Path) -> tuple[Path, Detector]:
    """A model folder that contains its front-end, and the detector whose weights it has."""
    detector = Detector(DetectorSettings(random_part(final_norm=True, seed=3), AASIST), CROP).eval()
    assert isinstance(detector.front_end, Wav2Vec2)
    part = {"name": "wav2vec2", **detector.front_end.included()}
    settings = {"detector": DetectorSettings(part, AASIST).complete(), "crop_samples": CROP}
    record = {"settings": settings, "front_end_weights": {"source": "somewhere", "sha256": "of the start"}}
    models.save(tmp_path / "model", detector.own_state(), record)
    return tmp_path / "model", detector


def test_a_model_folder_with_its_front_end_needs_nothing_else(with_front_end, wav: Tensor) -> None:
    folder, detector = with_front_end
    loaded, _ = models.load(folder, torch.device("cpu"))
    assert torch.equal(loaded(wav), detector(wav))
    assert not any(parameter.requires_grad for parameter in loaded.front_end.parameters())
    settings = json.loads((folder / "settings.json").read_text())["settings"]["detector"]["front_end"]
    assert settings["weights"] == "included"
    assert settings["config"]["conv_dim"] == [8] * 7


def test_a_model_folder_with_its_front_end_takes_no_other(with_front_end) -> None:
    with pytest.raises(ModelError, match="its own weights contain its front-end; give no other weights"):
        models.load(with_front_end[0], torch.device("cpu"), "facebook/wav2vec2-xls-r-300m")
