"""Front-ends, back-ends and the detectors made of them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from released_files import called, write_program

from codecfake.base import plugins
from codecfake.base.settings import SettingsError
from codecfake.detectors import BONAFIDE, SPOOF, FeatureShape
from codecfake.detectors.detector import (
    Detector,
    DetectorSettings,
    score,
)
from codecfake.detectors.front_end import FrontEnd
from codecfake.detectors.lcnn import Lcnn, LcnnSettings, MaxFeatureMap
from codecfake.detectors.mel import HOP_LENGTH, Mel, MelSettings
from codecfake.detectors.settings import BACK_ENDS, FRONT_ENDS
from codecfake.detectors.sinc import Sinc, SincSettings
from codecfake.detectors.ssl import FrontEndWeightsError, SslSettings, Wav2Vec2, WavLM, digest

CROP = 8_000
SMALL_SSL = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": [8] * 7,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
RANDOM_SSL = {"weights": "random", "layer": 2, "config": SMALL_SSL}
SMALL_AASIST = {"name": "aasist", "projection": 24, "channels": [4, 8], "graph_dims": [8, 4]}
DETECTORS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "mel-lcnn": ({"name": "mel"}, {"name": "lcnn", "width": 0.125}),
    "w2v2-lcnn": ({"name": "wav2vec2", **RANDOM_SSL}, {"name": "lcnn", "width": 0.125}),
    "w2v2-aasist": ({"name": "wav2vec2", **RANDOM_SSL}, SMALL_AASIST),
    "wavlm-aasist": ({"name": "wavlm", **RANDOM_SSL}, SMALL_AASIST),
    "aasist": ({"name": "sinc"}, {**SMALL_AASIST, "projection": None, "block_pool": 3, "nodes": "max"}),
}


def detector(name: str) -> Detector:
    return Detector(DetectorSettings(*DETECTORS[name]), CROP)


def whole_model(architecture: str) -> Any:
    """A model of four layers as its publisher would have it."""
    import transformers

    config = getattr(transformers, f"{architecture}Config")(num_hidden_layers=4, **SMALL_SSL)
    return getattr(transformers, f"{architecture}Model")(config).eval()


@pytest.fixture
def wav() -> torch.Tensor:
    return 0.1 * torch.randn(3, CROP, generator=torch.Generator().manual_seed(0))


def test_every_front_end_and_back_end_of_the_lists_can_be_built() -> None:
    for part in [FRONT_ENDS.part(name) for name in FRONT_ENDS]:
        assert issubclass(part.load(), FrontEnd)
    for part in [BACK_ENDS.part(name) for name in BACK_ENDS]:
        assert issubclass(part.load(), torch.nn.Module)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_gives_two_finite_logits_a_clip(name: str, wav: torch.Tensor) -> None:
    logits = detector(name).eval()(wav)
    assert logits.shape == (3, 2)
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", DETECTORS)
def test_a_front_end_gives_the_shape_it_announces(name: str, wav: torch.Tensor) -> None:
    front_end = detector(name).front_end
    for num_samples in (CROP - 1, CROP):
        shape = front_end.shape(num_samples)
        assert front_end(wav[:, :num_samples]).shape == (3, shape.num_frames, shape.dimension)


@pytest.mark.parametrize("name", DETECTORS)
def test_clips_of_a_batch_do_not_influence_each_other(name: str, wav: torch.Tensor) -> None:
    model = detector(name).eval()
    torch.testing.assert_close(model(wav)[1:2], model(wav[1:2]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", DETECTORS)
def test_training_leaves_the_front_end_alone(name: str, wav: torch.Tensor) -> None:
    model = detector(name).train()
    assert not any(module.training for module in model.front_end.modules())
    assert all(module.training for module in model.back_end.modules())
    before = {key: value.clone() for key, value in model.front_end.state_dict().items()}
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 0.1)
    F.cross_entropy(model(wav), torch.tensor([0, 1, 0])).backward()
    optimizer.step()
    assert all(torch.equal(before[key], value) for key, value in model.front_end.state_dict().items())


def test_scores_are_higher_for_bona_fide() -> None:
    logits = torch.zeros(2, 2)
    logits[0, BONAFIDE], logits[1, SPOOF] = 3.0, 3.0
    assert score(logits).tolist() == [3.0, -3.0]


def test_scores_do_not_saturate() -> None:
    logits = torch.tensor([[0.0, 40.0], [0.0, 50.0]])
    assert logits.softmax(1)[0, BONAFIDE] == logits.softmax(1)[1, BONAFIDE]
    assert score(logits)[0] < score(logits)[1]


def test_mel_of_a_tone_is_highest_in_the_band_of_its_frequency() -> None:
    time = torch.arange(CROP) / 16_000
    mel = Mel(MelSettings())(torch.sin(2 * torch.pi * 1000 * time).unsqueeze(0))
    # 1000 Hz are 1000 mel, and bands are 2840 / 81 mel apart, the first one apart from zero.
    assert (mel[0, 5:-5].argmax(dim=1) == round(1000 * 81 / 2840) - 1).all()


def test_mel_power_grows_with_the_square_of_the_level(wav: torch.Tensor) -> None:
    mel = Mel(MelSettings())
    torch.testing.assert_close(mel(2 * wav), 4 * mel(wav))


def test_log_mel_is_the_logarithm_of_the_published_mel(wav: torch.Tensor) -> None:
    torch.testing.assert_close(Mel(MelSettings(log=True))(wav), (Mel(MelSettings())(wav) + 1e-6).log())


@pytest.mark.parametrize("num_samples", [HOP_LENGTH * 10 - 1, HOP_LENGTH * 10, HOP_LENGTH * 10 + 1])
def test_mel_frames_at_the_edges_of_a_hop(num_samples: int) -> None:
    mel = Mel(MelSettings())
    assert mel(torch.zeros(1, num_samples)).shape[1] == mel.shape(num_samples).num_frames


def test_sinc_filters_pass_their_own_band() -> None:
    edges = 700 * (10 ** (torch.linspace(0, 2840.023, 71) / 2595) - 1)
    time = torch.arange(CROP) / 16_000
    for band in (30, 45, 60):
        tone = torch.sin(2 * torch.pi * (edges[band] + edges[band + 1]) / 2 * time)
        assert Sinc(SincSettings())(tone.unsqueeze(0)).mean(dim=1).argmax() == band


def test_max_feature_map_has_the_gradient_of_the_maximum() -> None:
    x = torch.randn(2, 6, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(MaxFeatureMap(), x)
    assert torch.equal(MaxFeatureMap()(x), torch.maximum(x[:, :3], x[:, 3:]))


def test_an_image_too_small_for_lcnn_is_refused() -> None:
    with pytest.raises(ValueError, match="one side has 15 points; 16 are needed"):
        Lcnn(FeatureShape(num_frames=100, dimension=15, frames_first=True), LcnnSettings())


@pytest.mark.parametrize(
    ("front_end", "back_end", "message"),
    [
        ({"name": "mfcc"}, {"name": "lcnn"}, "'mfcc'; choose from mel, wav2vec2, wavlm, hubert, sinc"),
        ({"name": "mel"}, {"name": "svm"}, "unknown back-end 'svm'; choose from lcnn, aasist, sls, nes2net"),
        ({"name": "mel", "bands": 40}, {"name": "lcnn"}, "unknown setting 'bands'"),
        ({"name": "wavlm"}, {"name": "lcnn"}, "'weights' is missing"),
        ({"name": "mel"}, {"name": "lcnn", "width": 0.0}, "width is 0.0; it must be positive"),
        (
            {"name": "mel"},
            {"name": "aasist", "nodes": "mean"},
            "unknown kind of nodes 'mean'; choose from attention, max",
        ),
        ({"name": "mel"}, {"name": "aasist", "channels": [32]}, r"channels is \[32\]; 2 numbers"),
    ],
)
def test_settings_that_make_no_detector_are_refused(front_end, back_end, message) -> None:
    with pytest.raises(SettingsError, match=message):
        DetectorSettings(front_end, back_end)


def test_complete_settings_spell_out_defaults_and_build_the_same() -> None:
    short = DetectorSettings({"name": "mel"}, {"name": "aasist"})
    complete = short.complete()
    assert complete["front_end"] == {"name": "mel", "log": False}
    assert complete["back_end"]["projection"] == 128
    assert DetectorSettings(**complete).complete() == complete


def test_a_random_front_end_depends_on_its_seed_alone() -> None:
    torch.manual_seed(1)
    first = Wav2Vec2(SslSettings(**RANDOM_SSL))
    torch.manual_seed(2)
    assert digest(first) == digest(Wav2Vec2(SslSettings(**RANDOM_SSL)))
    assert digest(first) != digest(Wav2Vec2(SslSettings(**RANDOM_SSL, seed=1)))


def test_building_a_random_front_end_does_not_disturb_the_random_state() -> None:
    state = torch.random.get_rng_state()
    Wav2Vec2(SslSettings(**RANDOM_SSL))
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("architecture", [Wav2Vec2, WavLM])
def test_normalized_features_ignore_level_and_offset(architecture, wav: torch.Tensor) -> None:
    front_end = architecture(SslSettings(**RANDOM_SSL)).eval()
    torch.testing.assert_close(front_end(wav), front_end(3 * wav + 0.1), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("architecture", [Wav2Vec2, WavLM])
def test_pretrained_weights_are_cut_after_the_layer_asked_for(architecture, tmp_path: Path, wav) -> None:
    whole = whole_model(architecture.architecture)
    whole.save_pretrained(tmp_path)
    cut = architecture(SslSettings(weights=str(tmp_path), layer=2, normalize=False)).eval()
    hidden = whole(wav, output_hidden_states=True).hidden_states[2]
    assert torch.equal(cut(wav), hidden)
    assert cut.provenance() == {"source": str(tmp_path), "sha256": digest(cut.model)}


def test_weights_of_too_few_layers_are_refused(tmp_path: Path) -> None:
    whole_model("Wav2Vec2").save_pretrained(tmp_path)
    with pytest.raises(FrontEndWeightsError, match="lack 16 tensors of a 5-layer Wav2Vec2"):
        Wav2Vec2(SslSettings(weights=str(tmp_path), layer=5))


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_weights_published_as_a_pickle_of_a_larger_model_are_those_of_safetensors(tmp_path: Path, wav, zipped) -> None:
    # As facebook/wav2vec2-xls-r-300m: with the heads of pre-training, a prefix, and weight norm under its old names.
    whole = whole_model("Wav2Vec2")
    whole.save_pretrained(tmp_path / "safe")
    old = {"original0": "weight_g", "original1": "weight_v"}
    state = {f"wav2vec2.{name}": tensor for name, tensor in whole.state_dict().items()}
    for new, ending in old.items():
        state = {name.replace(f"parametrizations.weight.{new}", ending): state[name] for name in state}
    (tmp_path / "bin").mkdir()
    shutil.copy(tmp_path / "safe" / "config.json", tmp_path / "bin")
    state["quantizer.codevectors"] = torch.zeros(2, 3)
    torch.save(state, tmp_path / "bin" / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    safe, pickled = (Wav2Vec2(SslSettings(str(tmp_path / name), layer=2)).eval() for name in ("safe", "bin"))
    assert digest(pickled.model) == digest(safe.model)
    assert torch.equal(pickled(wav), safe(wav))


def test_a_pickle_of_front_end_weights_that_names_code_is_refused_and_not_executed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole_model("Wav2Vec2").save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    write_program(tmp_path / "pytorch_model.bin", called("os", "system", "touch ran"))
    with pytest.raises(FrontEndWeightsError, match="cannot be loaded"):
        Wav2Vec2(SslSettings(weights=str(tmp_path), layer=2))
    assert not (tmp_path / "ran").exists()


def test_blocks_above_the_cut_play_no_part(tmp_path: Path, wav: torch.Tensor) -> None:
    whole = whole_model("WavLM")
    features = []
    for spoiled in (None, float("nan")):
        if spoiled is not None:
            for parameter in whole.encoder.layers[2:].parameters():
                parameter.data.fill_(spoiled)
        whole.save_pretrained(tmp_path)
        features.append(WavLM(SslSettings(weights=str(tmp_path), layer=2)).eval()(wav))
    assert torch.equal(*features)


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_a_hub_id_is_fetched_in_whichever_format_it_has(tmp_path: Path, file: str, monkeypatch, wav) -> None:
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError

    whole = whole_model("Wav2Vec2")
    whole.save_pretrained(tmp_path)
    if file == "pytorch_model.bin":
        torch.save(whole.state_dict(), tmp_path / file)
        (tmp_path / "model.safetensors").unlink()
    requests: list[str] = []

    def download(model: str, name: str, revision: str = "main") -> str:
        requests.append(f"{model}/{name}")
        if not (tmp_path / name).is_file():
            raise EntryNotFoundError(name)
        return str(tmp_path / name)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    cut = Wav2Vec2(SslSettings(weights="somebody/xls-r", layer=2, normalize=False)).eval()
    assert torch.equal(cut(wav), whole(wav, output_hidden_states=True).hidden_states[2])
    assert cut.provenance() == {"source": "somebody/xls-r", "sha256": digest(cut.model)}
    assert requests[0] == "somebody/xls-r/config.json"
    assert requests[-1] == f"somebody/xls-r/{file}"


def test_absent_weights_name_what_to_fetch_and_where_to_put_it(tmp_path: Path) -> None:
    for weights in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FrontEndWeightsError, match="(?s)model.safetensors.*its path as `weights`.*--front-end"):
            Wav2Vec2(SslSettings(weights=str(weights)))


def test_a_hub_that_cannot_be_reached_is_said_with_what_to_fetch_elsewhere(monkeypatch) -> None:
    import huggingface_hub

    def download(model: str, name: str, revision: str = "main") -> str:
        raise huggingface_hub.errors.LocalEntryNotFoundError("no connection")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    with pytest.raises(FrontEndWeightsError, match="(?s)'facebook/x' cannot be loaded: no connection.*`hf download"):
        Wav2Vec2(SslSettings(weights="facebook/x"))


def test_a_damaged_weights_file_is_named(tmp_path: Path) -> None:
    whole_model("Wav2Vec2").save_pretrained(tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[:-100])
    with pytest.raises(FrontEndWeightsError, match="cannot be loaded"):
        Wav2Vec2(SslSettings(weights=str(tmp_path), layer=2))


@pytest.mark.slow
@pytest.mark.parametrize("architecture", [Wav2Vec2, WavLM])
def test_at_full_size_the_cut_model_gives_hidden_state_5_of_the_whole_one_bit_for_bit(architecture, tmp_path) -> None:
    """XLS-R-300M's and WavLM-large's shapes, random weights: 315 million numbers, written to disk once."""
    import transformers

    config = getattr(transformers, f"{architecture.architecture}Config")(
        hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096,
        feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=architecture is Wav2Vec2,
    )  # fmt: skip
    whole = getattr(transformers, f"{architecture.architecture}Model")(config).eval()
    whole.save_pretrained(tmp_path)
    clip = 0.1 * torch.randn(1, 64_600)
    normalized = (clip - clip.mean()) / (clip.var(correction=0) + 1e-7).sqrt()
    with torch.no_grad():
        expected = whole(normalized, output_hidden_states=True).hidden_states[5]
        del whole
        features = architecture(SslSettings(weights=str(tmp_path))).eval()(clip)
    assert features.shape == (1, 201, 1024)
    assert torch.equal(features, expected)


def test_a_config_for_pretrained_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="config is for weights: random"):
        SslSettings(weights="facebook/wav2vec2-xls-r-300m", config=SMALL_SSL)


@pytest.mark.parametrize(
    ("front_end", "back_end", "names"),
    [
        ("mel", "lcnn", ("features.mel", "train.mel-lcnn", "weights_mb.lcnn")),
        ("wavlm", "aasist", ("features.wavlm", "train.ssl-aasist", "weights_mb.aasist")),
        ("mel", "nets.py:Net", ("features.mel", "train.mel-mine", "weights_mb.mine")),
    ],
)
def test_rates_have_the_names_of_the_parts_or_of_a_detector_from_outside(
    front_end: str, back_end: str, names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nets.py").write_text("def Net(shape, settings): ...\n", encoding="utf-8")
    monkeypatch.setenv(plugins.VARIABLE, str(tmp_path))
    own = {"weights": "random"} if front_end == "wavlm" else {}
    assert DetectorSettings({"name": front_end, **own}, {"name": back_end}).rate_names("mine") == names
