"""Training: it learns, it can be killed at any moment, and it refuses what would spoil a result."""

import dataclasses
import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tones
import torch
from safetensors.torch import load_file
from tones import Corpus

from codecfake.audio.shards import ShardError
from codecfake.base import files
from codecfake.base.settings import SettingsError
from codecfake.detectors import models
from codecfake.detectors.detector import DetectorSettings, score
from codecfake.features import clips
from codecfake.features.clips import Clips, clip
from codecfake.features.streaming import StreamedFeatures, in_order
from codecfake.protocols import trials
from codecfake.protocols.trials import TrialsError
from codecfake.scoring import verdicts
from codecfake.statistics import metrics
from codecfake.training import loop, validation
from codecfake.training.loop import CHECKPOINT, train
from codecfake.training.plan import Plan
from codecfake.training.samplers import Composition, SamplingError, shuffled
from codecfake.training.settings import SELECTIONS, TrainSettings
from codecfake.training.strategies import STRATEGIES
from codecfake.training.validation import TrainingError

CPU = torch.device("cpu")
MEL_LCNN = DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125})
RANDOM_W2V2 = {
    "name": "wav2vec2",
    "weights": "random",
    "layer": 1,
    "config": {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16, "conv_dim": [8] * 7},
}
SETTINGS = TrainSettings(
    detector=MEL_LCNN,
    crop_samples=4_000,
    batch_size=8,
    epochs=3,
    learning_rate=2e-3,
    halve_every=1,
    bonafide_weight=2.0,
    seed=3,
    tensorboard=False,
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    root = tmp_path_factory.mktemp("tones")
    return Corpus(
        audio=tones.write_audio(root / "audio", num_utterances=22),
        train=[tones.write_protocol(root / "codec/train.tsv", range(14))],
        dev=[tones.write_protocol(root / "codec/dev.tsv", range(14, 18))],
    )


@pytest.fixture(scope="module")
def domains(corpus: Corpus) -> Corpus:
    """The trials of `corpus`, in two lists: 22 trials and 6."""
    root = corpus.audio.parent / "domains"
    large = tones.write_protocol(root / "codec/train.tsv", range(11))
    small = tones.write_protocol(root / "vocoder/train.tsv", range(11, 14))
    return dataclasses.replace(corpus, train=[large, small])


@pytest.fixture(scope="module")
def plain(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of `SETTINGS`, undisturbed."""
    return run(corpus, tmp_path_factory.mktemp("plain"))


def run(corpus: Corpus, output: Path, settings: TrainSettings = SETTINGS, **other: Any) -> Path:
    train(corpus.train, corpus.dev, corpus.audio, output, settings, CPU, **other)
    return output


def changed(**values: Any) -> TrainSettings:
    return dataclasses.replace(SETTINGS, **values)


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (models.WEIGHTS, models.SETTINGS, "history.tsv")}


def history(folder: Path) -> pd.DataFrame:
    return files.read_tsv(folder / "history.tsv").astype(float)


class KilledError(Exception):
    """Stands for a kill signal."""


class CountedAdam(torch.optim.Adam):
    """Adam that is killed in place of one step."""

    steps = 0
    killed_at: int | None = None

    def step(self, closure: Any = None) -> Any:
        if CountedAdam.steps == CountedAdam.killed_at:
            raise KilledError
        CountedAdam.steps += 1
        return super().step(closure)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> type[CountedAdam]:
    monkeypatch.setattr(torch.optim, "Adam", CountedAdam)
    CountedAdam.steps, CountedAdam.killed_at = 0, None
    return CountedAdam


def run_killed(adam: type[CountedAdam], steps: int, corpus: Corpus, output: Path, settings: TrainSettings) -> None:
    """Start a run that is killed after so many updates."""
    adam.steps, adam.killed_at = 0, steps
    with pytest.raises(KilledError):
        run(corpus, output, settings)
    adam.killed_at = None


def test_tones_are_told_from_noise(corpus: Corpus, tmp_path: Path) -> None:
    rows = history(run(corpus, tmp_path, changed(epochs=8, halve_every=8)))
    assert rows["dev_eer"].iloc[-1] == 0
    assert rows["train_loss"].iloc[-1] < rows["train_loss"].iloc[0] / 2


def test_history_says_which_epoch_was_kept_and_how_the_rate_fell(plain: Path) -> None:
    rows = history(plain)
    best = rows[rows["is_best"] == 1]["epoch"].iloc[-1]
    assert best == rows["epoch"][rows["dev_loss"].idxmin()]
    assert best == json.loads((plain / "settings.json").read_text())["best_epoch"]
    assert rows["learning_rate"].tolist() == [2e-3, 1e-3, 5e-4]
    assert not (plain / CHECKPOINT).exists()


@pytest.mark.long
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(corpus: Corpus, plain: Path, tmp_path: Path) -> None:
    assert contents(run(corpus, tmp_path / "again")) == contents(plain)
    assert contents(run(corpus, tmp_path / "other", changed(seed=4))) != contents(plain)


def test_training_does_not_disturb_the_random_state_of_its_caller(corpus: Corpus, tmp_path: Path) -> None:
    state = torch.random.get_rng_state()
    run(corpus, tmp_path, changed(epochs=1))
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.fixture(scope="module")
def checkpointed(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run with checkpoints leaves."""
    return contents(run(corpus, tmp_path_factory.mktemp("checkpointed"), changed(checkpoint_steps=2)))


# 28 trials in batches of 8 are 4 steps an epoch: killed before any checkpoint, and in each epoch.
@pytest.mark.parametrize("steps", [6, *(pytest.param(steps, marks=pytest.mark.long) for steps in (0, 1, 3, 4, 11))])
def test_a_killed_run_started_again_ends_in_the_same_bytes(
    corpus: Corpus, checkpointed: dict[str, bytes], tmp_path: Path, counted: type[CountedAdam], steps: int
) -> None:
    settings = changed(checkpoint_steps=2)
    run_killed(counted, steps, corpus, tmp_path, settings)
    assert contents(run(corpus, tmp_path, settings)) == checkpointed


def of_strategy(name: str, **values: Any) -> TrainSettings:
    return changed(epochs=2, checkpoint_steps=1, strategy=name, **values)


@pytest.fixture(scope="module")
def undisturbed(domains: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Trains a model of a strategy, once."""
    root = tmp_path_factory.mktemp("strategies")
    return functools.cache(lambda name: run(domains, root / name, of_strategy(name)))


@pytest.mark.parametrize(
    "strategy",
    [pytest.param(name, marks=[] if name == "csam" else [pytest.mark.long]) for name in STRATEGIES],
)
def test_a_killed_run_of_any_strategy_ends_in_the_same_bytes(
    domains: Corpus, undisturbed: Callable[[str], Path], tmp_path: Path, counted: type[CountedAdam], strategy: str
) -> None:
    run_killed(counted, 6, domains, tmp_path, of_strategy(strategy))
    trained = contents(run(domains, tmp_path, of_strategy(strategy)))
    assert counted.steps == 8  # 28 trials in batches of 8, twice
    assert trained == contents(undisturbed(strategy))


TRAIN_UNTIL_KILLED = """
import os, signal, sys
from pathlib import Path
import torch
sys.path[:0] = sys.argv.pop(1).split(os.pathsep)
from test_training import CPU, of_strategy, train

class Adam(torch.optim.Adam):
    steps = 0

    def step(self, closure=None):
        if Adam.steps == 6:
            os.kill(os.getpid(), signal.SIGKILL)
        Adam.steps += 1
        return super().step(closure)

torch.set_num_threads(int(sys.argv[1]))
torch.optim.Adam = Adam
audio, output, dev, *lists = map(Path, sys.argv[2:])
train(lists, [dev], audio, output, of_strategy("csam"), CPU)
"""


def test_csam_ended_by_sigkill_goes_on_to_the_same_bytes(
    domains: Corpus, undisturbed: Callable[[str], Path], tmp_path: Path
) -> None:
    paths = map(str, (domains.audio, tmp_path, *domains.dev, *domains.train))
    command = [sys.executable, "-c", TRAIN_UNTIL_KILLED, os.pathsep.join(sys.path), str(torch.get_num_threads())]
    assert subprocess.run([*command, *paths], capture_output=True).returncode == -signal.SIGKILL
    progress = torch.load(tmp_path / CHECKPOINT, weights_only=True)["progress"]
    assert (progress["epoch"], progress["step"]) == (1, 2)
    assert contents(run(domains, tmp_path, of_strategy("csam"))) == contents(undisturbed("csam"))


@pytest.mark.long
def test_every_strategy_trains_another_detector(undisturbed: Callable[[str], Path]) -> None:
    trained = {(folder / models.WEIGHTS).read_bytes() for folder in map(undisturbed, STRATEGIES)}
    assert len(trained) == len(STRATEGIES)


@pytest.mark.long
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_is_judged_after_as_many_updates_as_erm(
    undisturbed: Callable[[str], Path], strategy: str
) -> None:
    rows = history(undisturbed(strategy))
    assert rows["updates"].tolist() == [4, 8]
    assert rows["learning_rate"].tolist() == [2e-3, 1e-3]


@pytest.mark.long
def test_epochs_may_be_the_sampler_s_own(domains: Corpus, tmp_path: Path, counted: type[CountedAdam]) -> None:
    # 22 and 6 trials in batches of 8 are shares of 6 and 1: a pass has 3 batches, and the released code wants 2 x 3.
    run(domains, tmp_path / "csam", changed(epochs=2, strategy="csam", match="epochs"))
    assert counted.steps == 2 * 3
    rows = history(run(domains, tmp_path / "released", changed(epochs=2, strategy="csam-released", match="epochs")))
    assert counted.steps == 2 * 3 + 2 * 6
    assert rows["updates"].tolist() == [6, 12]


@pytest.mark.long
@pytest.mark.parametrize("strategy", ["sam", "asam"])
def test_sam_without_radius_trains_the_detector_of_erm(
    corpus: Corpus, plain: Path, tmp_path: Path, strategy: str
) -> None:
    weights = run(corpus, tmp_path, changed(strategy=strategy, strategy_settings={"rho": 0.0}))
    assert (weights / models.WEIGHTS).read_bytes() == (plain / models.WEIGHTS).read_bytes()
    assert files.read_tsv(weights / "history.tsv").equals(files.read_tsv(plain / "history.tsv"))


def test_csam_without_radius_trains_the_detector_of_its_sampler(
    domains: Corpus, undisturbed: Callable[[str], Path], tmp_path: Path
) -> None:
    run(domains, tmp_path, of_strategy("csam", strategy_settings={"rho": 0.0}))
    assert (tmp_path / models.WEIGHTS).read_bytes() == (undisturbed("co-erm") / models.WEIGHTS).read_bytes()


def test_settings_say_what_an_update_was_given_and_what_it_took_by_itself(corpus: Corpus, tmp_path: Path) -> None:
    run(corpus, tmp_path, changed(epochs=1, strategy="asam-official", strategy_settings={"rho": 1.0}))
    record = json.loads((tmp_path / "settings.json").read_text())["settings"]
    assert record["strategy_settings"] == {"rho": 1.0, "dropout": "same", "eta": 0.01, "scaled": "weight"}


@pytest.mark.long
def test_the_epoch_kept_is_the_least_by_what_is_selected(corpus: Corpus, tmp_path: Path) -> None:
    for name, columns in SELECTIONS.items():
        rows = history(run(corpus, tmp_path / name, changed(epochs=4, learning_rate=0.02, select=name)))
        ranked = rows.sort_values([*columns, "epoch"] if columns else "epoch", ascending=bool(columns))
        best = json.loads((tmp_path / name / "settings.json").read_text())["best_epoch"]
        assert best == ranked["epoch"].iloc[0] == rows[rows["is_best"] == 1]["epoch"].iloc[-1]


@pytest.mark.long
def test_the_average_is_over_the_epochs_that_were_best_so_far(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = changed(epochs=5, learning_rate=0.1, select="dev_eer", keep="average")
    ended: list[dict[str, torch.Tensor]] = []
    eers = [0.4, 0.5, 0.3, 0.35, 0.2]  # in place of those of a few tones, which depend on the processor
    judge = loop._Run._score_dev

    def recorded(run: Any) -> Any:
        ended.append({name: weight.detach().clone() for name, weight in run._network.named_parameters()})
        values, scores = judge(run)
        return values | ({"dev_eer": eers[len(ended) - 1]} if len(ended) <= len(eers) else {}), scores

    monkeypatch.setattr(loop._Run, "_score_dev", recorded)
    rows = history(run(corpus, tmp_path, settings))
    assert rows["is_best"].tolist() == [1, 0, 1, 0, 1]
    best = [ended[number] for number in (0, 2, 4)]
    assert json.loads((tmp_path / "settings.json").read_text())["averaged_epochs"] == len(best)
    weights = load_file(tmp_path / models.WEIGHTS)
    for name in best[0]:
        mean = torch.stack([weights[name] for weights in best]).mean(dim=0)
        torch.testing.assert_close(weights[f"back_end.{name}"], mean)
    calibration = verdicts.read(tmp_path / verdicts.CALIBRATION)
    assert calibration.eer == pytest.approx(eer_of(tmp_path, corpus).eer)


@pytest.mark.parametrize(
    ("patience", "expected"),
    [(2, 5), *(pytest.param(*case, marks=pytest.mark.long) for case in ((0, 6), (1, 2), (3, 6)))],
)
def test_training_ends_after_as_many_epochs_without_a_better_one(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patience: int, expected: int
) -> None:
    eers = iter([0.4, 0.5, 0.3, 0.35, 0.3, 0.2])
    judge = loop._Run._score_dev

    def with_eers(run: Any) -> Any:
        values, scores = judge(run)
        return values | {"dev_eer": next(eers), "dev_loss": 1.0}, scores

    monkeypatch.setattr(loop._Run, "_score_dev", with_eers)
    run(corpus, tmp_path, changed(epochs=6, select="dev_eer", patience=patience))
    rows = history(tmp_path)
    assert len(rows) == expected
    assert json.loads((tmp_path / "settings.json").read_text())["best_epoch"] == rows["dev_eer"].idxmin() + 1


@pytest.mark.long
def test_a_run_killed_after_its_last_epoch_does_not_train_another(
    corpus: Corpus, tmp_path: Path, counted: type[CountedAdam], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = changed(epochs=4, learning_rate=1e-9, schedule="constant", select="dev_eer", patience=1)
    undisturbed = contents(run(corpus, tmp_path / "undisturbed", settings))
    counted.steps = 0
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(loop._Run, "_save_model", _killed)
        run(corpus, tmp_path / "killed", settings)
    steps = counted.steps
    assert contents(run(corpus, tmp_path / "killed", settings)) == undisturbed
    assert counted.steps == steps < 4 * 4


def _killed(*_: object) -> None:
    raise KilledError


def test_averaged_weights_have_the_statistics_of_a_pass_of_their_own(corpus: Corpus, tmp_path: Path) -> None:
    run(corpus, tmp_path, changed(epochs=2, keep="average"))
    weights = load_file(tmp_path / models.WEIGHTS)
    assert {int(count) for name, count in weights.items() if "num_batches" in name} == {4}  # 28 trials in batches of 8


def eer_of(model: Path, corpus: Corpus) -> metrics.EqualErrorRate:
    """The error rate on dev of what was kept."""
    detector, crop_samples = models.load(model, CPU)
    table = trials.read(corpus.dev)
    wav = torch.stack([Clips(table, corpus.audio, crop_samples)[number] for number in range(len(table))])
    with torch.no_grad():
        scores = score(detector(wav)).numpy()
    is_bonafide = (table["key"] == "bonafide").to_numpy()
    return metrics.eer(scores[is_bonafide], scores[~is_bonafide])


@pytest.mark.long
def test_a_killed_run_that_averages_ends_in_the_same_bytes(
    corpus: Corpus, tmp_path: Path, counted: type[CountedAdam]
) -> None:
    settings = changed(keep="average", select="last")
    undisturbed = contents(run(corpus, tmp_path / "undisturbed", settings))
    for steps in (5, 9):
        killed = tmp_path / f"killed after {steps}"
        run_killed(counted, steps, corpus, killed, settings)
        assert contents(run(corpus, killed, settings)) == undisturbed


def test_equal_error_rates_are_told_apart_by_the_loss() -> None:
    eer_of = [
        {"dev_eer": 0.5, "dev_loss": 1.0},
        {"dev_eer": 0.0, "dev_loss": 3.0},
        {"dev_eer": 0.0, "dev_loss": 2.0},
        {"dev_eer": 0.0, "dev_loss": 2.0},
        {"dev_eer": 0.5, "dev_loss": 0.0},
    ]
    best = [validation.is_least(row, eer_of[:epoch], SELECTIONS["dev_eer"]) for epoch, row in enumerate(eer_of)]
    assert best == [True, True, True, False, False]


def test_co_training_of_one_list_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(SamplingError, match="there is one .codec/train.; add the list of another domain"):
        run(corpus, tmp_path, changed(strategy="csam"))


def test_a_list_without_trials_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    empty = tmp_path / "vocoder/train.tsv"
    files.write_tsv(empty, files.read_tsv(corpus.train[0]).head(0))
    with pytest.raises(TrialsError, match="vocoder/train.tsv: no trials"):
        train([*corpus.train, empty], corpus.dev, corpus.audio, tmp_path, SETTINGS, CPU)


def test_a_domain_is_the_list_a_trial_came_from(domains: Corpus) -> None:
    table = trials.read(domains.train)
    assert table["domain"].tolist() == ["codec/train"] * 22 + ["vocoder/train"] * 6


def test_a_run_killed_while_it_writes_its_model_ends_in_the_same_bytes(
    corpus: Corpus, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(models, "save", killed)
        with pytest.raises(KilledError):
            run(corpus, tmp_path)
    assert contents(run(corpus, tmp_path)) == contents(plain)


def test_a_checkpoint_of_other_settings_is_not_used(
    corpus: Corpus, plain: Path, tmp_path: Path, counted: type[CountedAdam]
) -> None:
    run_killed(counted, 5, corpus, tmp_path, changed(seed=9))
    assert contents(run(corpus, tmp_path)) == contents(plain)


def test_batches_are_the_same_for_any_number_of_workers(corpus: Corpus) -> None:
    table = trials.read(corpus.train)
    order = shuffled(Composition.of(table), 8, np.random.default_rng(1))
    batches = [
        list(StreamedFeatures(Clips(table, corpus.audio, 4_000), torch.nn.Identity(), CPU, workers).batches(order))
        for workers in (0, 2)
    ]
    assert len(batches[0]) == 4
    for alone, together in zip(*batches, strict=True):
        assert torch.equal(alone, together)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes")
def test_any_number_of_workers_trains_the_same_detector(domains: Corpus, tmp_path: Path) -> None:
    settings = changed(epochs=1, strategy="csam", crop="random", crop_samples=3_000)
    alone, one, four = (contents(run(domains, tmp_path / str(n), settings, workers=n)) for n in (0, 1, 4))
    assert alone == one == four


def test_cached_features_train_the_same_detector(corpus: Corpus, plain: Path, tmp_path: Path) -> None:
    cached = run(corpus, tmp_path, changed(cache_features=True))
    assert (plain / models.WEIGHTS).read_bytes() == (cached / models.WEIGHTS).read_bytes()


def test_a_random_front_end_is_kept_with_the_model_and_named_as_such(corpus: Corpus, tmp_path: Path) -> None:
    detector = DetectorSettings(RANDOM_W2V2, {"name": "aasist", "channels": [4, 4], "graph_dims": [4, 4]})
    run(corpus, tmp_path, changed(detector=detector, epochs=1))
    assert json.loads((tmp_path / "settings.json").read_text())["front_end_weights"] == "random"
    assert any(name.startswith("front_end.") for name in load_file(tmp_path / models.WEIGHTS))


def test_a_pretrained_front_end_is_named_and_checked_but_not_copied(corpus: Corpus, tmp_path: Path) -> None:
    import transformers

    weights = tmp_path / "w2v2"
    config = transformers.Wav2Vec2Config(**RANDOM_W2V2["config"], num_hidden_layers=1)
    transformers.Wav2Vec2Model(config).save_pretrained(weights)
    detector = DetectorSettings({"name": "wav2vec2", "weights": str(weights), "layer": 1}, {"name": "aasist"})
    model = run(corpus, tmp_path / "model", changed(detector=detector, epochs=1))
    assert not any(name.startswith("front_end.") for name in load_file(model / models.WEIGHTS))
    models.load(model, CPU)
    transformers.Wav2Vec2Model(config).save_pretrained(weights)
    with pytest.raises(models.ModelError, match="trained on front-end weights .* but found"):
        models.load(model, CPU)


def test_tensorboard_events_are_written(corpus: Corpus, tmp_path: Path) -> None:
    run(corpus, tmp_path, changed(epochs=1, tensorboard=True))
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))


def test_the_dev_loss_is_over_the_whole_set(corpus: Corpus, tmp_path: Path) -> None:
    # Batches of 5 and 3 hold the classes in unequal shares, so the mean of their losses is another number.
    run(corpus, tmp_path, changed(epochs=1, batch_size=5))
    detector, _ = models.load(tmp_path, CPU)
    table = trials.read(corpus.dev)
    features = StreamedFeatures(Clips(table, corpus.audio, 4_000), detector.front_end, CPU, 0)
    with torch.no_grad():
        logits = torch.cat([detector.back_end(batch) for batch in features.batches(in_order(8, 5))])
    classes = torch.tensor((table["key"] == "bonafide").to_numpy().astype(int))
    weights = torch.tensor([1.0, 2.0])
    whole = torch.nn.functional.cross_entropy(logits, classes, weights).item()
    parts = [slice(0, 5), slice(5, 8)]
    of_batches = [torch.nn.functional.cross_entropy(logits[part], classes[part], weights).item() for part in parts]
    row = history(tmp_path).iloc[0]
    assert row["dev_loss"] == pytest.approx(whole, rel=1e-5)
    assert row["dev_loss_of_batches"] == pytest.approx(np.mean(of_batches), rel=1e-5)
    assert np.mean(of_batches) != pytest.approx(whole, rel=1e-3)


@pytest.mark.parametrize("strategy", ["erm", "sam"])
def test_a_loss_that_is_not_finite_stops_before_the_update_and_names_the_trials(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: type[CountedAdam], strategy: str
) -> None:
    monkeypatch.setattr(Plan, "batches", lambda self, epoch: in_order(28, 8))
    whole = Clips.__getitem__
    monkeypatch.setattr(Clips, "__getitem__", lambda self, i: whole(self, i) * (float("nan") if i == 10 else 1.0))
    with pytest.raises(TrainingError, match=r"^the loss of \d of 8 trials is not finite \(.*u010"):
        run(corpus, tmp_path, changed(strategy=strategy))
    assert counted.steps == 1


def test_a_loss_that_is_not_finite_in_the_second_pass_of_sam_stops_before_the_update_too(
    corpus: Corpus, tmp_path: Path, counted: type[CountedAdam]
) -> None:
    settings = changed(strategy="sam", strategy_settings={"rho": 1e38})
    with pytest.raises(TrainingError, match=r"^at the ascended weights, the loss of \d of 8 .* lower .* or rho"):
        run(corpus, tmp_path, settings)
    assert counted.steps == 0


def test_lists_of_one_key_are_refused(corpus: Corpus, tmp_path: Path) -> None:
    only_tones = tones.write_protocol(tmp_path / "codec/tones.tsv", range(14), (tones.RECORDINGS,))
    with pytest.raises(TrialsError, match="the train list codec/tones has 14 trials but no spoof trial"):
        train([only_tones], corpus.dev, corpus.audio, tmp_path, SETTINGS, CPU)
    with pytest.raises(TrialsError, match="the dev list codec/tones has 14 trials but no spoof trial"):
        train(corpus.train, [only_tones], corpus.audio, tmp_path, SETTINGS, CPU)


@pytest.mark.parametrize("source", [tones.RECORDINGS, tones.SOURCE])
def test_a_list_of_one_key_is_refused_beside_others_of_both(corpus: Corpus, tmp_path: Path, source: str) -> None:
    # A detector would learn the domain in place of the key.
    one_key = tones.write_protocol(tmp_path / "vocoder/train.tsv", range(18, 22), (source,))
    absent = "spoof" if source == tones.RECORDINGS else "bonafide"
    with pytest.raises(TrialsError, match=f"list vocoder/train has 4 trials but no {absent} trial; every list needs"):
        train([*corpus.train, one_key], corpus.dev, corpus.audio, tmp_path, SETTINGS, CPU)


def test_a_recording_may_not_be_in_train_and_dev(corpus: Corpus, tmp_path: Path) -> None:
    overlapping = tones.write_protocol(tmp_path / "overlapping.tsv", range(13, 18))
    with pytest.raises(TrialsError, match="2 trials of the dev list are also in the train list, the first is u013"):
        train(corpus.train, [overlapping], corpus.audio, tmp_path, SETTINGS, CPU)


PARTS = {"train": range(14), "dev": range(14, 18)}


@pytest.fixture
def judged_lists(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """Lists of utterances 0 to 17; conditions that judge 18 to 21, and a new fake of every one."""
    lists = [tones.write_protocol(tmp_path / f"codec/{name}.tsv", part) for name, part in PARTS.items()]
    fakes = files.read_tsv(tones.write_protocol(tmp_path / "all.tsv", range(22), ("F02",)))
    real = files.read_tsv(tones.write_protocol(tmp_path / "eval/C1.tsv", range(18, 22)))
    files.write_tsv(tmp_path / "eval/C7.tsv", pd.concat([real[real["key"] == "bonafide"], fakes]))
    return lists, sorted((tmp_path / "eval").glob("*.tsv"))


def test_lists_of_nothing_that_is_judged_are_counted(
    judged_lists: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    trials.check_separation(*judged_lists, tmp_path / "checked.tsv")
    assert files.read_tsv(tmp_path / "checked.tsv")["trials"].tolist() == ["28", "8"]


@pytest.mark.parametrize(("name", "number"), [("train", 13), ("dev", 14)])
@pytest.mark.parametrize(("source", "prefix"), [("F00", ""), ("F01", "F01_")])
def test_a_list_that_holds_what_is_judged_is_refused(
    judged_lists: tuple[list[Path], list[Path]], tmp_path: Path, name: str, number: int, source: str, prefix: str
) -> None:
    lists, conditions = judged_lists
    more = tones.write_protocol(tmp_path / "C9.tsv", range(number, number + 1), (source,))
    message = rf"codec/{name}.tsv: 1 trials are also evaluated in .*C9.tsv, the first is {prefix}u0{number}; training"
    with pytest.raises(TrialsError, match=message):
        trials.check_separation(lists, [*conditions, more], tmp_path / "checked.tsv")
    assert not (tmp_path / "checked.tsv").exists()


def test_a_fake_of_speech_that_is_judged_as_bona_fide_is_refused(
    judged_lists: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    _, conditions = judged_lists
    fakes = tones.write_protocol(tmp_path / "vocoder/train.tsv", range(17, 19), ("F03",))
    message = r"1 trials are fakes of speech that .*C1.tsv evaluates as bona fide.*F03_u018"
    with pytest.raises(TrialsError, match=message):
        trials.check_separation([fakes], conditions, tmp_path / "checked.tsv")


def test_a_trial_listed_twice_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(TrialsError, match="28 trials occur twice, the first is u000"):
        train([*corpus.train, *corpus.train], corpus.dev, corpus.audio, tmp_path, SETTINGS, CPU)


def test_an_unknown_key_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    table = files.read_tsv(corpus.train[0])
    table.loc[3, "key"] = "fake"
    files.write_tsv(tmp_path / "strange.tsv", table)
    with pytest.raises(TrialsError, match="trial u003 has key 'fake'; it must be one of bonafide, spoof"):
        trials.read([tmp_path / "strange.tsv"])


def test_a_recording_without_audio_is_found_before_training(corpus: Corpus, tmp_path: Path) -> None:
    beyond = tones.write_protocol(tmp_path / "beyond.tsv", range(20, 30))
    with pytest.raises(ShardError, match="no utterance u022 in its shards"):
        train([beyond], corpus.dev, corpus.audio, tmp_path, SETTINGS, CPU)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("strategy", "sgd"),
        ("match", "steps"),
        ("schedule", "linear"),
        ("select", "eval_eer"),
        ("keep", "all"),
        ("epochs", 0),
        ("patience", -1),
        ("crop_samples", 0),
        ("spoof_weight", 0.0),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: .*{value!r}"):
        changed(**{name: value})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"patience": 2, "select": "last"}, "patience: 2, but select last selects every epoch; set it to 0"),
        ({"shortest_crop_samples": 2_000, "crop": "random"}, "the back-end lcnn takes clips of one length; .* aasist"),
        ({"shortest_crop_samples": 4_000, "crop": "random"}, "4000 is out of range; it can be 1 to 3999"),
        ({"shortest_crop_samples": 2_000}, "2000 is for random crops; set `crop: random`, or remove it"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        changed(**values)


def test_momenta_of_adam_out_of_range_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"betas: \[0.9, 1.0\] must be two numbers"):
        changed(betas=(0.9, 1.0))


def test_a_cosine_that_rises_is_refused() -> None:
    with pytest.raises(SettingsError, match="final_learning_rate: 0.1 is above learning_rate 0.002"):
        changed(schedule="cosine", final_learning_rate=0.1)


@pytest.mark.parametrize(("length", "expected"), [(2, [1, 2, 1, 2, 1]), (5, [1, 2, 3, 4, 5]), (6, [1, 2, 3, 4, 5])])
def test_long_recordings_are_cut_and_short_ones_repeated(length: int, expected: list[int]) -> None:
    assert clip(np.arange(1, length + 1), 5).tolist() == expected


def test_clips_of_another_rate_are_resampled(tmp_path: Path) -> None:
    audio = tones.write_audio(tmp_path, num_utterances=1, sample_rate=24_000)
    table = trials.read([tones.write_protocol(tmp_path / "all.tsv", range(1))])
    wav = Clips(table, audio, 3_000)[0]
    original, _ = clips.AudioStore(audio, [("tones", "F00")]).read("tones", "F00", "u000")
    peak = np.abs(np.fft.rfft(original[:4_500])).argmax()  # both spans last 0.1875 s, so bins are the same
    assert np.abs(np.fft.rfft(wav.numpy())).argmax() == peak
