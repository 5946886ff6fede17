"""Fine-tuning: gradients go where they should, runs stay exact, and every setting does what it says."""

import copy
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tones
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tones import Corpus
from torch import Tensor, nn

from codecfake.base import files, parallel
from codecfake.base.parallel import Team
from codecfake.base.settings import SettingsError
from codecfake.detectors import FeatureShape, models
from codecfake.detectors.detector import Detector, DetectorSettings, score
from codecfake.features.clips import Clips
from codecfake.features.streaming import Part
from codecfake.protocols import trials
from codecfake.statistics.intervals import BootstrapSettings, Trials
from codecfake.statistics.significance import compare
from codecfake.training.fine_tuning import FineTuningError, TunedDetector, share_gradients, trained_network
from codecfake.training.fine_tuning_settings import FineTuningSettings
from codecfake.training.loop import train
from codecfake.training.masking import spans
from codecfake.training.optimizer import Optimizer
from codecfake.training.settings import TrainSettings
from codecfake.training.strategies import UPDATES, update_settings

CPU = torch.device("cpu")
CROP = 2_000
PRE_NORM = {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}
SMALL = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "conv_dim": [4] * 7}
AASIST = {"name": "aasist", "projection": None, "channels": [2, 2], "graph_dims": [2, 2]}
NEVER_USED = "front_end.model.masked_spec_embed"  # without masks


def detector_settings(layer: int = 3, **config: Any) -> DetectorSettings:
    config = {**SMALL, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2, **config}
    return DetectorSettings({"name": "wav2vec2", "weights": "random", "layer": layer, "config": config}, AASIST)


def tuned(layer: int = 3, config: dict[str, Any] | None = None, **values: Any) -> TunedDetector:
    """A detector in training mode, with the same weights in every call."""
    torch.manual_seed(0)
    detector = Detector(detector_settings(layer, **(config or {})), CROP)
    network = trained_network(detector, FineTuningSettings(**{"train": "all", **values}), CPU)
    assert isinstance(network, TunedDetector)
    return network.train()


def wavs(number: int = 3) -> Tensor:
    return torch.randn(number, CROP, generator=torch.Generator().manual_seed(1))


def gradients(network: nn.Module) -> dict[str, Tensor]:
    """The gradients of one batch, by name, of the weights that have some."""
    torch.manual_seed(5)
    network.zero_grad()
    F.cross_entropy(network(wavs()), torch.tensor([0, 1, 0])).backward()
    return {name: weight.grad.clone() for name, weight in network.named_parameters() if weight.grad is not None}


# where gradients go


@pytest.mark.parametrize("config", [{}, PRE_NORM], ids=["post-norm", "pre-norm"])
def test_gradients_reach_every_weight_of_the_front_end(config: dict[str, Any]) -> None:
    network = tuned(config=config)
    names = {name for name, _ in network.named_parameters() if name.startswith("front_end.")} - {NEVER_USED}
    with_gradients = gradients(network)
    assert names == {name for name in with_gradients if name.startswith("front_end.")}
    biases_of_keys = {name for name in names if "k_proj.bias" in name}  # which the softmax cancels
    assert all(with_gradients[name].abs().max() > 0 for name in names - biases_of_keys)


def test_without_fine_tuning_the_network_in_training_is_the_head_alone() -> None:
    detector = Detector(detector_settings(), CROP)
    assert trained_network(detector, FineTuningSettings(), CPU) is detector.back_end
    assert not any(weight.requires_grad for weight in detector.front_end.parameters())


def test_the_top_blocks_alone_train_and_those_below_stay_in_eval_mode() -> None:
    network = tuned(train="top 2")
    with_gradients = {name for name in gradients(network) if name.startswith("front_end.")}
    assert {name.split(".")[4] for name in with_gradients} == {"1", "2"}
    layers = network.front_end.model.encoder.layers
    assert [layer.training for layer in layers] == [False, True, True]
    assert not network.front_end.model.feature_extractor.training
    assert not any(module.training for module in network.eval().modules())


def test_the_gradients_are_those_of_the_whole_detector_without_dropout() -> None:
    off = dict.fromkeys(("hidden_dropout", "attention_dropout", "activation_dropout"), 0.0)
    network = tuned(config=off)
    plain = gradients(network)
    model = copy.deepcopy(network.front_end.model).train()
    torch.manual_seed(5)
    wav = wavs()
    normalized = (wav - wav.mean(1, keepdim=True)) / (wav.var(1, correction=0, keepdim=True) + 1e-7).sqrt()
    loss = F.cross_entropy(network.head(model(normalized).last_hidden_state), torch.tensor([0, 1, 0]))
    names = [name for name, _ in model.named_parameters() if name != "masked_spec_embed"]
    weights = [weight for name, weight in model.named_parameters() if name in names]
    for name, gradient in zip(names, torch.autograd.grad(loss, weights), strict=True):
        torch.testing.assert_close(plain[f"front_end.model.{name}"], gradient)


@pytest.mark.parametrize("train", ["all", "top 2"])
def test_gradient_checkpointing_gives_the_same_gradients(train: str) -> None:
    plain, saving = (gradients(tuned(train=train, gradient_checkpointing=value)) for value in (False, True))
    assert plain.keys() == saving.keys()
    for name, gradient in plain.items():
        torch.testing.assert_close(saving[name], gradient, rtol=1e-5, atol=1e-7)


# learning rates


def test_layers_below_learn_more_slowly() -> None:
    groups = tuned(learning_rate=1e-4, layer_decay=0.5).groups(1e-3)
    assert [group.get("share") for group in groups] == pytest.approx([None, 0.1, 0.05, 0.025, 0.0125])
    parameters = [id(parameter) for group in groups for parameter in group["params"]]
    assert len(parameters) == len(set(parameters)) == len(list(tuned().parameters()))


def test_one_group_holds_the_front_end_without_decay_and_has_the_rate_of_the_back_end_by_default() -> None:
    network = tuned()
    head, front_end = network.groups(1e-3)
    assert len(front_end["params"]) == len(list(network.front_end.parameters()))
    assert (head.get("share"), front_end["share"]) == (None, 1.0)


@pytest.mark.parametrize(("config", "level"), [({}, 3), (PRE_NORM, 0)], ids=["post-norm", "pre-norm"])
def test_the_norm_of_the_encoder_learns_with_its_neighbors(config: dict[str, Any], level: int) -> None:
    network = tuned(config={**config}, layer_decay=0.5)
    norm = list(network.front_end.model.encoder.layer_norm.parameters())
    holding = [
        number
        for number, group in enumerate(network.groups(1e-3)[1:])
        if any(weight is parameter for weight in norm for parameter in group["params"])
    ]
    assert holding == ([level] if norm else [])


class EveryUpdate:
    """A plan with one learning rate."""

    def learning_rate(self, num_updates: int) -> float:
        return 1e-3


def test_the_learning_rate_of_the_front_end_warms_up_and_that_of_the_back_end_does_not() -> None:
    values = FineTuningSettings("all", learning_rate=1e-4, warmup=4)
    settings = TrainSettings(detector_settings(), learning_rate=1e-3, fine_tuning=values)
    optimizer = Optimizer(settings, tuned(learning_rate=1e-4), EveryUpdate())  # type: ignore[arg-type]
    learning_rates = []
    for num_updates in (0, 1, 3, 10):
        optimizer.set_learning_rates(num_updates)
        learning_rates.append(optimizer.learning_rates()["front_end_learning_rate"])
        assert optimizer.learning_rates()["learning_rate"] == 1e-3
    assert learning_rates == pytest.approx([2.5e-5, 5e-5, 1e-4, 1e-4])


# masks


def test_nothing_is_masked_by_default_and_nothing_in_eval_mode() -> None:
    plain, masked = tuned().eval(), tuned(time_mask=0.5, feature_mask=0.5)
    assert torch.equal(plain(wavs()), masked.eval()(wavs()))
    projection = tuned().front_end.model.feature_projection
    assert not projection._forward_hooks


def inputs_of_blocks(network: TunedDetector, seed: int) -> Tensor:
    """What the positional embedding reads: the input of the encoder `[B, F, D]`."""
    inputs_of_encoder: list[Tensor] = []
    handle = network.front_end.model.encoder.pos_conv_embed.register_forward_pre_hook(
        lambda module, inputs: inputs_of_encoder.append(inputs[0].detach())
    )
    torch.manual_seed(seed)
    network(wavs())
    handle.remove()
    return inputs_of_encoder[0]


def test_masked_frames_become_the_mask_embedding_and_masked_dimensions_zero() -> None:
    network = tuned(time_mask=0.4)
    embedding = network.front_end.model.masked_spec_embed
    hidden = inputs_of_blocks(network, seed=3)
    is_masked = (hidden == embedding).all(dim=-1)
    assert 0 < is_masked.float().mean() < 1
    assert torch.equal(inputs_of_blocks(network, seed=3), hidden)
    assert not torch.equal(inputs_of_blocks(network, seed=4), hidden)
    hidden = inputs_of_blocks(tuned(feature_mask=0.9), seed=3)
    assert ((hidden == 0).all(dim=1).any()) and not (hidden == 0).all()


def test_gradients_reach_the_mask_embedding() -> None:
    assert gradients(tuned(time_mask=0.4))[NEVER_USED].abs().max() > 0


def test_the_share_of_masks_is_the_expected_one() -> None:
    torch.manual_seed(0)
    mask = spans(500, 100, 0.3, CPU)
    assert mask.shape == (500, 100)
    assert mask.float().mean().item() == pytest.approx(1 - (1 - 0.03) ** 10, abs=0.01)
    edges = torch.diff(mask.int(), dim=1)
    lengths = [int(end - start) for row in edges for start, end in _inner_spans(row)]
    assert min(lengths) == 10


def _inner_spans(row: Tensor) -> list[tuple[int, int]]:
    """Begin and end of the spans that neither begin before the row nor end after it."""
    starts, ends = torch.where(row == 1)[0].tolist(), torch.where(row == -1)[0].tolist()
    return [(start, min(end for end in ends if end > start)) for start in starts if any(end > start for end in ends)]


# SAM


def passes(sharpness: str) -> list[dict[str, Tensor]]:
    """The weights in both passes of one step of SAM."""
    network = tuned(sharpness=sharpness)
    optimizer = torch.optim.SGD([weight for weight in network.parameters() if weight.requires_grad], lr=0.1)
    weights_at_passes: list[dict[str, Tensor]] = []

    def closure() -> Tensor:
        weights_at_passes.append({name: weight.detach().clone() for name, weight in network.named_parameters()})
        gradients(network)
        return torch.zeros(())

    sam = UPDATES.part("sam").load()(optimizer, network.sharpness_part, update_settings("sam", {}))
    sam.step(closure)
    return weights_at_passes


@pytest.mark.parametrize("sharpness", ["all", "back_end"])
def test_sam_ascends_over_the_weights_that_sharpness_names(sharpness: str) -> None:
    first, second = passes(sharpness)
    moved = {name.split(".")[0] for name in first if not torch.equal(first[name], second[name])}
    assert moved == ({"front_end", "head"} if sharpness == "all" else {"head"})
    distance = sum((second[name] - first[name]).square().sum() for name in first) ** 0.5
    assert float(distance) == pytest.approx(0.05, rel=1e-3)  # rho


# whole runs


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    root = tmp_path_factory.mktemp("tones")
    return Corpus(
        audio=tones.write_audio(root / "audio", num_utterances=11),
        train=[
            tones.write_protocol(root / "codec/train.tsv", range(5)),
            tones.write_protocol(root / "vocoder/train.tsv", range(5, 8)),
        ],
        dev=[tones.write_protocol(root / "codec/dev.tsv", range(8, 11))],
    )


def settings(strategy: str = "csam", fine_tuning: dict[str, Any] | None = None, **values: Any) -> TrainSettings:
    """16 trials in batches of 8: two epochs of two updates, with dropout."""
    return TrainSettings(
        detector_settings(layer=2),
        **{
            "crop_samples": CROP, "batch_size": 8, "epochs": 2, "learning_rate": 1e-2, "checkpoint_steps": 1,
            "strategy": strategy, "tensorboard": False, "seed": 2,
            "fine_tuning": FineTuningSettings(**{"train": "all", "learning_rate": 1e-3, **(fine_tuning or {})}),
            **values,
        },
    )  # fmt: skip


def run(corpus: Corpus, output: Path, settings: TrainSettings) -> Path:
    train(corpus.train, corpus.dev, corpus.audio, output, settings, CPU)
    return output


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (models.WEIGHTS, models.SETTINGS, "history.tsv")}


class KilledError(Exception):
    """Stands for a kill signal."""


def run_killed(
    monkeypatch: pytest.MonkeyPatch, steps: int, corpus: Corpus, output: Path, killed: TrainSettings
) -> None:
    """Start a run that is killed after so many updates."""
    step = torch.optim.Adam.step
    count = iter(range(steps))

    def counted(adam: torch.optim.Adam, closure: Any = None) -> Any:
        if next(count, None) is None:
            raise KilledError
        return step(adam, closure)

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(torch.optim.Adam, "step", counted)
        run(corpus, output, killed)


EVERYTHING = {"train": "top 1", "layer_decay": 0.5, "warmup": 3, "gradient_checkpointing": True, "time_mask": 0.2}


@pytest.mark.parametrize(
    ("strategy", "fine_tuning", "keep"),
    [
        ("csam", {}, "selected"),
        pytest.param("erm", EVERYTHING, "selected", marks=pytest.mark.long),
        pytest.param("sam", {"sharpness": "back_end", "feature_mask": 0.2}, "average", marks=pytest.mark.long),
    ],
)
def test_a_killed_run_that_fine_tunes_ends_in_the_same_bytes(
    corpus: Corpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    strategy: str,
    fine_tuning: dict[str, Any],
    keep: str,
) -> None:
    tuning = settings(strategy, fine_tuning, keep=keep, select="last")
    undisturbed = contents(run(corpus, tmp_path / "undisturbed", tuning))
    run_killed(monkeypatch, 3, corpus, tmp_path / "killed", tuning)
    assert contents(run(corpus, tmp_path / "killed", tuning)) == undisturbed


@pytest.fixture(scope="module")
def erm(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(corpus, tmp_path_factory.mktemp("erm"), settings("co-erm"))


@pytest.mark.long
@pytest.mark.parametrize("sharpness", ["all", "back_end"])
def test_csam_without_radius_fine_tunes_the_detector_of_its_sampler(
    corpus: Corpus, erm: Path, tmp_path: Path, sharpness: str
) -> None:
    flat = settings("csam", {"sharpness": sharpness}, strategy_settings={"rho": 0.0})
    assert (run(corpus, tmp_path, flat) / models.WEIGHTS).read_bytes() == (erm / models.WEIGHTS).read_bytes()


def test_a_fine_tuned_model_holds_its_front_end_and_scores_without_another(corpus: Corpus, erm: Path) -> None:
    weights = load_file(erm / models.WEIGHTS)
    start = Detector(detector_settings(layer=2), CROP).front_end.state_dict()
    assert {f"front_end.{name}" for name in start} <= set(weights)
    assert not torch.equal(
        weights[name := "front_end.model.encoder.layers.0.attention.k_proj.weight"], start[name[10:]]
    )
    record = json.loads((erm / models.SETTINGS).read_text())
    assert record["settings"]["detector"]["front_end"]["weights"] == "included"
    assert record["front_end_weights"]["source"] == "random"
    detector, crop_samples = models.load(erm, CPU)
    for name, tensor in detector.state_dict().items():
        assert torch.equal(tensor, weights[name]), name
    assert crop_samples == CROP


def test_a_pretrained_front_end_is_not_needed_after_fine_tuning(corpus: Corpus, tmp_path: Path) -> None:
    import transformers

    weights = tmp_path / "w2v2"
    config = detector_settings(layer=1).front_end["config"]
    transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**config, num_hidden_layers=1)).save_pretrained(weights)
    detector = DetectorSettings({"name": "wav2vec2", "weights": str(weights), "layer": 1}, AASIST)
    start = Detector(detector, CROP).front_end_weights()
    model = run(corpus, tmp_path / "model", dataclasses.replace(settings("erm", epochs=1), detector=detector))
    shutil.rmtree(weights)
    assert json.loads((model / models.SETTINGS).read_text())["front_end_weights"] == start
    tuned, _ = models.load(model, CPU)
    assert torch.isfinite(tuned(wavs())).all()


def test_the_history_has_the_learning_rate_of_the_front_end(erm: Path) -> None:
    rows = files.read_tsv(erm / "history.tsv").astype(float)
    assert rows["learning_rate"].tolist() == [1e-2, 1e-2]
    assert rows["front_end_learning_rate"].tolist() == pytest.approx([1e-3, 1e-3])
    record = json.loads((erm / models.SETTINGS).read_text())
    assert record["settings"]["fine_tuning"]["learning_rate"] == 1e-3


@pytest.mark.long
def test_blocks_that_do_not_train_keep_their_weights(corpus: Corpus, tmp_path: Path) -> None:
    weights = load_file(run(corpus, tmp_path, settings("erm", {"train": "top 1"}, epochs=1)) / models.WEIGHTS)
    start = Detector(detector_settings(layer=2), CROP).state_dict()
    changed = {
        name for name in weights if name.startswith("front_end.") and not torch.equal(weights[name], start[name])
    }
    assert changed and all(name.startswith("front_end.model.encoder.layers.1.") for name in changed)


# several processes


def write_gradients(folder: Path, device: torch.device, team: Team) -> None:
    """Write what each process of a team has after one batch of 5, without dropout in the front-end."""
    off = dict.fromkeys(("hidden_dropout", "attention_dropout", "activation_dropout"), 0.0)
    torch.manual_seed(0)
    detector = Detector(detector_settings(2, **off), CROP)
    network = trained_network(detector, FineTuningSettings("all"), device, team).train()
    part = team.part(np.arange(5))
    torch.manual_seed(5)
    logits = network(Part(wavs(5)[part], 5))
    F.cross_entropy(logits, torch.tensor([0, 1, 0, 1, 1])).backward()
    share_gradients(network, team)
    shared_gradients = {name: weight.grad for name, weight in network.named_parameters() if weight.grad is not None}
    torch.save({"logits": logits.detach(), **shared_gradients}, folder / f"{team.rank} of {team.size}.pt")


@pytest.mark.long
def test_two_processes_have_the_gradients_of_one(tmp_path: Path) -> None:
    for devices in ([CPU], [CPU, CPU]):
        parallel.run(write_gradients, {"folder": tmp_path}, devices)
    alone, *both = (torch.load(tmp_path / name, weights_only=True) for name in ("0 of 1.pt", "0 of 2.pt", "1 of 2.pt"))
    for result in both:
        assert result.keys() == alone.keys()
        for name, tensor in alone.items():
            torch.testing.assert_close(result[name], tensor, rtol=1e-4, atol=1e-6)


@pytest.mark.long
def test_two_processes_train_as_one_and_one_of_them_writes(corpus: Corpus, tmp_path: Path) -> None:
    off = dict.fromkeys(("hidden_dropout", "attention_dropout", "activation_dropout"), 0.0)
    tuning = dataclasses.replace(settings("csam", {"train": "top 1"}), detector=detector_settings(2, **off))
    alone = run(corpus, tmp_path / "alone", tuning)
    arguments = {"train_tsv": corpus.train, "dev_tsv": corpus.dev, "audio_root": corpus.audio, "settings": tuning}
    parallel.run(train, {**arguments, "output": tmp_path / "together"}, [CPU, CPU])
    one, two = (files.read_tsv(folder / "history.tsv").astype(float) for folder in (alone, tmp_path / "together"))
    pd.testing.assert_frame_equal(one, two, rtol=1e-3)
    assert sorted(path.name for path in (tmp_path / "together").iterdir()) == sorted(p.name for p in alone.iterdir())


# settings


def test_half_precision_is_refused_on_a_cpu() -> None:
    with pytest.raises(
        FineTuningError, match="precision is bfloat16, but this training runs on cpu; set it to float32"
    ):
        tuned(precision="bfloat16")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train": "some"}, "train: unknown choice of weights 'some'; choose from none, all, top N"),
        ({"train": "top 0"}, "train: unknown choice of weights 'top 0'"),
        ({"train": "all", "layer_decay": 1.5}, "layer_decay: 1.5 is out of range; it must be above 0 and at most 1"),
        ({"train": "all", "time_mask": 1.0}, "time_mask: 1.0 is out of range"),
        ({"train": "all", "warmup": -1}, "warmup: -1 is out of range"),
        ({"train": "all", "learning_rate": 0.0}, "learning_rate: 0.0 is out of range"),
        ({"train": "all", "precision": "float16"}, "precision: unknown precision 'float16'"),
        ({"train": "all", "sharpness": "front_end"}, "sharpness: unknown sharpness 'front_end'"),
        ({"learning_rate": 1e-6}, "learning_rate: 1e-06 has no effect on a frozen front-end; set `train` to all or"),
    ],
)
def test_settings_of_fine_tuning_out_of_range_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        FineTuningSettings(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fine_tuning": {"train": "top 4"}}, "fine_tuning.train: 'top 4' of 2 blocks; set it to `top 2` at most"),
        ({"cache_features": True}, "cache_features: memory, but fine-tuning changes the front-end"),
        ({"front_end_precision": "bfloat16"}, "front_end_precision: bfloat16 is of a frozen front-end"),
        (
            {"detector": DetectorSettings({"name": "mel"}, {"name": "lcnn"})},
            "fine_tuning.train: 'all' of the front-end mel: it has no weights to train; use wav2vec2",
        ),
    ],
)
def test_what_fine_tuning_cannot_be_combined_with_is_refused(values: dict[str, Any], message: str) -> None:
    values = {"fine_tuning": {"train": "all"}, **values}
    values["fine_tuning"] = FineTuningSettings(**values["fine_tuning"])
    with pytest.raises(SettingsError, match=message):
        dataclasses.replace(settings(), **values)


# what it is for


def _tone_in_noise(source: str, num_samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """A tone of 900 to 1,300 Hz (bona fide) or 1,300 to 1,700 Hz (spoof) in noise."""
    low = 900 if source == tones.RECORDINGS else 1300
    phase = 2 * np.pi * rng.uniform(low, low + 400) * np.arange(num_samples) / sample_rate + rng.uniform(0, 6)
    return 0.1 * np.sin(phase) + 0.1 * rng.standard_normal(num_samples).clip(-4, 4)


class Mean(nn.Module):
    """A back-end that leaves the work to the front-end: the mean over time, and one layer."""

    def __init__(self, shape: FeatureShape, settings: dict[str, Any]) -> None:
        super().__init__()
        self.layer = nn.Linear(shape.dimension, 2)

    def forward(self, features: Tensor) -> Tensor:
        return self.layer(features.mean(dim=1))


def dev_scores(model: Path, corpus: Corpus) -> np.ndarray:
    detector, crop_samples = models.load(model, CPU)
    clips = Clips(trials.read(corpus.dev), corpus.audio, crop_samples)
    with torch.no_grad():
        return score(detector(torch.stack([clips[number] for number in range(len(clips))]))).numpy()


@pytest.mark.long
def test_a_small_front_end_trained_end_to_end_beats_its_frozen_random_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tones, "_sound", _tone_in_noise)
    corpus = Corpus(
        tones.write_audio(tmp_path / "audio", num_utterances=120),
        [tones.write_protocol(tmp_path / "codec/train.tsv", range(60))],
        [tones.write_protocol(tmp_path / "codec/dev.tsv", range(60, 120))],
    )
    detector = dataclasses.replace(detector_settings(layer=1, conv_dim=[8] * 7), back_end={"name": f"{__name__}:Mean"})
    common = {
        "crop_samples": 3_200, "epochs": 12, "learning_rate": 3e-3, "schedule": "constant", "batch_size": 12,
        "weight_decay": 0.0, "bonafide_weight": 1.0, "select": "dev_eer", "tensorboard": False, "seed": 1,
    }  # fmt: skip
    scores = []
    for name, tuning in (("frozen", FineTuningSettings()), ("tuned", FineTuningSettings("all"))):
        own = TrainSettings(detector, **common, fine_tuning=tuning)  # type: ignore[arg-type]
        scores.append(dev_scores(run(corpus, tmp_path / name, own), corpus))
    is_bonafide = (trials.read(corpus.dev)["key"] == "bonafide").to_numpy()
    resampling = BootstrapSettings(by="trial", resamples=1000)
    comparison = compare(Trials(is_bonafide), *scores, resampling, np.random.default_rng(0))
    print(f"EER {comparison.first:.3f} frozen, {comparison.second:.3f} tuned, difference {comparison.difference}")
    assert comparison.difference.low > 0
