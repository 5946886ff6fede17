"""Parts from outside the package: named in an experiment, checked with it, and inputs of the rules that use them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from codecfake.base.settings import build, from_json
from codecfake.base.validation import ConfigurationError
from codecfake.corpora import layout
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.experiment import reading
from codecfake.experiment.inputs import Inputs
from codecfake.experiment.schema import Experiment
from codecfake.features.augmentation.chain import Chain
from codecfake.training.composition import Composition, SamplingError
from codecfake.training.plan import Plan
from codecfake.training.settings import TrainSettings
from codecfake.training.strategies import UPDATES

PARTS = """
from dataclasses import dataclass

import torch
from torch import nn

from codecfake.detectors import FeatureShape
from codecfake.detectors.front_end import FrontEnd


@dataclass(frozen=True)
class EnergySettings:
    hop: int = 160


class Energy(FrontEnd):
    def __init__(self, settings: EnergySettings) -> None:
        super().__init__()
        self._hop = settings.hop

    def shape(self, num_samples: int) -> FeatureShape:
        return FeatureShape(num_samples // self._hop, 1, frames_first=True)

    def forward(self, wav):
        frames = wav.shape[1] // self._hop
        return wav[:, : frames * self._hop].view(len(wav), frames, self._hop).square().mean(2, keepdim=True)


@dataclass(frozen=True)
class LinearSettings:
    scale: float = 1.0


class Linear(nn.Module):
    def __init__(self, shape: FeatureShape, settings: LinearSettings) -> None:
        super().__init__()
        self.scale, self.layer = settings.scale, nn.Linear(shape.num_frames * shape.dimension, 2)

    def forward(self, features):
        return self.scale * self.layer(features.flatten(1))


@dataclass(frozen=True)
class FlipSettings:
    gain: float = -1.0


class Flip:
    stretch = 1.0

    def __init__(self, settings: FlipSettings) -> None:
        self._gain = settings.gain

    def __call__(self, wav, rng):
        return self._gain * wav

    def recordings(self):
        return None


class NoFrontEnd:
    def __init__(self, settings: EnergySettings) -> None:
        pass
"""
STRATEGY = """
from dataclasses import dataclass

import numpy as np

from codecfake.training.composition import Composition


@dataclass(frozen=True)
class ScaledSettings:
    factor: float = 1.0


class Scaled:
    def __init__(self, optimizer, model, settings: ScaledSettings) -> None:
        self.optimizer, self.model, self.factor = optimizer, model, settings.factor

    def step(self, closure):
        loss = closure()
        for weight in self.model.parameters():
            weight.grad *= self.factor
        self.optimizer.step()
        return loss


def in_pairs(trials: Composition, batch_size: int, rng: np.random.Generator):
    return [np.array([n, n + 1]) for n in range(0, len(trials) - 1, 2)]


def none(trials: Composition, batch_size: int, rng: np.random.Generator):
    return []
"""
CORPUS = """
from dataclasses import dataclass

from codecfake.base.utterances import Utterance
from codecfake.corpora.listing import audio_files, listing, require

MARKER = ("*.wav",)


@dataclass(frozen=True)
class Options:
    language: str = "en"


OPTIONS = Options


def utterances(root, options):
    require(root, MARKER, "*.wav")
    paths = audio_files(root)
    return listing(root, [Utterance(path[:-4], "s1", options.get("language", "en"), path, None) for path in paths], ())
"""
EXPERIMENT = """
based_on: tiny
corpora: {english: {layout: "my_corpus.py:utterances", demo: false, options: {language: fr}}}
detectors:
  mine:
    front_end: {name: "my_parts.py:Energy", hop: 320}
    back_end: {name: "my_parts:Linear", scale: 2}
strategies:
  mine: {update: "my_strategy.py:Scaled", sampler: "my_strategy.py:in_pairs", settings: {factor: 0.5}}
training: {augmentation: [{name: "my_parts.py:Flip", settings: {gain: 0.5}}]}
models:
- {detectors: [mine, mel-lcnn], training_sets: [codec], strategies: [erm, mine]}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "my_parts.py").write_text(PARTS, encoding="utf-8")
    (tmp_path / "my_strategy.py").write_text(STRATEGY, encoding="utf-8")
    (tmp_path / "my_corpus.py").write_text(CORPUS, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(EXPERIMENT, encoding="utf-8")
    return tmp_path / "mine.yaml"


@pytest.fixture
def experiment(path: Path) -> Experiment:
    return reading.load(path)


def test_parts_beside_the_experiment_make_a_detector(experiment: Experiment) -> None:
    values = experiment.train_settings("mine", "codec", "erm", 1)
    settings = from_json(TrainSettings, json.dumps(values))
    detector = Detector(settings.detector, 16_000)
    assert detector(torch.ones(2, 16_000)).shape == (2, 2)
    assert settings.complete()["detector"] == {
        "front_end": {"name": "my_parts.py:Energy", "hop": 320},
        "back_end": {"name": "my_parts:Linear", "scale": 2.0},
    }
    assert set(detector.own_state()) == {"back_end.layer.weight", "back_end.layer.bias"}
    wav = np.ones(10)
    np.testing.assert_array_equal(Chain(settings.augmentation)(wav, np.random.default_rng(1)), 0.5 * wav)


def test_a_strategy_beside_the_experiment_updates_weights_and_makes_batches(experiment: Experiment) -> None:
    settings = build(TrainSettings, experiment.train_settings("mine", "codec", "mine", 1))
    assert settings.complete()["strategy_settings"] == {
        "update": "my_strategy.py:Scaled", "sampler": "my_strategy.py:in_pairs", "settings": {"factor": 0.5},
    }  # fmt: skip
    strategy, model = settings.resolved_strategy(), torch.nn.Linear(1, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    before = model.weight.item()

    def closure() -> torch.Tensor:
        loss = 4 * model.weight.sum()  # of gradient 4
        loss.backward()
        return loss.detach()

    UPDATES.part(strategy.update).load()(optimizer, model, strategy.update_settings()).step(closure)
    assert model.weight.item() == pytest.approx(before - 0.5 * 4)
    plan = Plan(replace(settings, match="epochs"), composition(6))
    assert [batch.tolist() for batch in plan.batches(0)] == [[0, 1], [2, 3], [4, 5]]


def test_a_sampler_without_batches_is_an_error(experiment: Experiment) -> None:
    settings = build(TrainSettings, experiment.train_settings("mine", "codec", "mine", 1))
    changed = {**settings.strategy_settings, "sampler": "my_strategy.py:none"}
    with pytest.raises(SamplingError, match="the sampler of strategy mine returns no batches; return some"):
        Plan(replace(settings, strategy_settings=changed), composition(6)).batches(0)


def composition(num_trials: int) -> Composition:
    """Trials of one domain."""
    return Composition(("codec/train",), np.zeros(num_trials, dtype=int), np.arange(num_trials) % 2 == 0)


def test_a_reader_beside_the_experiment_lists_a_corpus(experiment: Experiment, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "u1.wav", np.zeros(100), 16_000)
    rule = experiment.corpora["english"]
    (utterance,) = layout(rule.layout).utterances(tmp_path, rule.options).utterances
    assert (utterance.utterance_id, utterance.language) == ("u1", "fr")


def test_the_files_of_parts_are_inputs_of_the_jobs_that_use_them(experiment: Experiment, tmp_path: Path) -> None:
    inputs, parts = Inputs(experiment), str(tmp_path / "my_parts.py")
    assert inputs.of_ingest("english") == [str(tmp_path / "my_corpus.py")]
    assert inputs.code_of_detector("mine") == inputs.code_of_training("mine", "codec", "erm") == [parts]
    assert inputs.code_of_training("mine", "codec", "mine") == [parts, str(tmp_path / "my_strategy.py")]
    assert inputs.code_of_detector("mel-lcnn") == []
    assert inputs.code_of_training("mel-lcnn", "codec", "erm") == [parts]  # of the augmentation


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hop: 320", "hopp: 320", "detectors.mine.front_end: unknown setting 'hopp'; did you mean 'hop'?"),
        ("hop: 320", "hop: far", "detectors.mine.front_end.hop: expected a whole number, found 'far'"),
        ("scale: 2", "scales: 2", "detectors.mine.back_end: unknown setting 'scales'; did you mean 'scale'?"),
        ("my_parts.py:Energy", "my_parts.py:Enargy", "unknown name in {folder}/my_parts.py 'Enargy'; did you mean"),
        ("my_parts.py:Energy", "parts.py:Energy", "there is no file {folder}/parts.py"),
        ("gain: 0.5", "gian: 0.5", "training.augmentation.0.settings: unknown setting 'gian'; did you mean 'gain'?"),
        ("factor: 0.5", "faktor: 0.5", "strategies.mine.settings: unknown setting 'faktor'; did you mean 'factor'?"),
        ("factor: 0.5", "factor: half", "strategies.mine.settings.factor: expected a number, found 'half'"),
        (
            ":Scaled",
            ":Scalde",
            "strategies.mine.update: my_strategy.py:Scalde: unknown name in",
        ),
        (":in_pairs", ":in_pears", "strategies.mine.sampler: my_strategy.py:in_pears: unknown name in"),
        (
            '"my_strategy.py:in_pairs"',
            "in_pairs",
            "strategies.mine.sampler: unknown sampler 'in_pairs'; choose",
        ),
        ('"my_strategy.py:Scaled"', "asm", "strategies.mine.update: unknown update 'asm'; did you mean 'asam'?"),
        ("[erm, mine]", "[erm, mien]", "models.0.strategies: unknown strategy 'mien'; did you mean 'mine'?"),
        ("language: fr", "langauge: fr", "corpora.english.options: unknown setting 'langauge'; did you mean"),
        (
            "my_corpus.py:utterances",
            "my_parts.py:Energy",
            "my_parts.py has no OPTIONS; a reader offers OPTIONS",
        ),
    ],
)
def test_a_fault_of_a_part_is_named_before_any_job(path: Path, old: str, new: str, message: str) -> None:
    path.write_text(EXPERIMENT.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        reading.load(path)
    assert message.format(folder=path.parent) in str(error.value)


def test_a_class_that_is_no_front_end_is_refused(experiment: Experiment) -> None:
    with pytest.raises(ValueError, match="NoFrontEnd is not a front-end; derive it from codecfake.detectors.front_end"):
        Detector(DetectorSettings({"name": "my_parts.py:NoFrontEnd"}, {"name": "lcnn"}), 16_000)
