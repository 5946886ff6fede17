"""The section `tracing` of an experiment: its rules, and the settings of its jobs."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from places import ROOT

from codecfake.base.settings import FaultsError
from codecfake.base.validation import ConfigurationError
from codecfake.experiment import reading, tracing_tasks
from codecfake.experiment.schema import Experiment
from codecfake.experiment.tracing import with_left_out

TINY = ROOT / "tests/experiments/tracing.yaml"


def changed(tmp_path: Path, task: str = "codecs", **changes: object) -> Experiment:
    """The small experiment with changes to a task; None removes a key."""
    values = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    merged = {**values["tracing"][task], **changes}
    values["tracing"][task] = {key: value for key, value in merged.items() if value is not None}
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return reading.load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"domain": "music"}, "unknown domain 'music'"),
        ({"detectors": ["lcnn"]}, "unknown detector 'lcnn'"),
        ({"strategy": "best"}, "unknown strategy 'best'"),
        ({"unseen": ["F09"]}, "unknown source 'F09'"),
        ({"unseen": ["F01"]}, "source F01 is there more than once; give it one class, or leave it unseen"),
        ({"unseen": ["F01-same"]}, "source F01 is there more than once"),
        ({"classes": {"a": ["F00"], "b": ["F01-4"]}, "unseen": []}, "source F01-4 is not in the lists of domain codec"),
        ({"unseen": ["vocoder/fake"]}, "'vocoder/fake' is not a source: the name of one, or CORPUS/bonafide or CORPUS"),
        ({"unseen": ["vocoders/spoof"]}, "unknown source 'vocoders/spoof'; did you mean 'vocoder/spoof'"),
        ({"unseen": ["training/bonafide"]}, "no condition evaluates source training/bonafide; add one whose trials"),
        (
            {"classes": {"a": ["F00"], "b": ["vocoder/spoof"]}},
            "vocoder/spoof is not in the lists of domain codec; add it to the domain's corpora",
        ),
        ({"classes": {"a": ["F00", "F01"]}}, "1 classes leave nothing to tell apart; give two or more"),
        ({"training": {"bonafide_weight": 2}}, "it is of detection, and all classes of sources weigh the same"),
        ({"training": {"select": "dev_eer"}}, "dev_eer, but source tracing has no EER"),
        ({"training": {"batch": 2}}, "unknown setting 'batch'"),
    ],
)
def test_broken_rules_are_named(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        changed(tmp_path, "codecs", **changes)


def test_a_model_gets_the_detector_s_training_without_the_weights_of_two_classes(tmp_path: Path) -> None:
    experiment = changed(tmp_path, classes={"recordings": ["F00"], "coded": ["F01-same"]}, seeds=[2, 5])
    values = tracing_tasks.settings(experiment, "codecs", "mel-lcnn", 5)
    assert values["classes"] == {"recordings": ["F00"], "coded": ["F01"]}
    expected = {"crop_samples": 16000, "batch_size": 8, "epochs": 1, "seed": 5}
    assert {name: values["training"][name] for name in expected} == expected
    assert not {"spoof_weight", "bonafide_weight"} & set(values["training"])
    assert tracing_tasks.places(experiment)[:2] == [("codecs", "mel-lcnn", "2"), ("codecs", "mel-lcnn", "5")]


def test_recorded_spoofs_and_coded_bona_fide_speech_select_their_conditions(tmp_path: Path) -> None:
    experiment = changed(tmp_path, unseen=["vocoder/spoof"])
    assert tracing_tasks.conditions(experiment, "codecs") == ["C1", "C1-same", "LA"]
    channel = replace(experiment.conditions["LA"], bonafide=experiment.conditions["C1-4"].spoof)
    experiment = replace(experiment, conditions={**experiment.conditions, "channel": channel})
    tasks = {"codecs": replace(experiment.tracing["codecs"], unseen=["F01-4"])}
    assert tracing_tasks.conditions(replace(experiment, tracing=tasks), "codecs") == [
        "C1",
        "C1-4",
        "C1-same",
        "channel",
    ]


def test_unseen_sources_are_left_out_with_the_conditions_that_this_machine_does_not_run(tmp_path: Path) -> None:
    experiment = changed(tmp_path, unseen=["vocoder/spoof", "F01-4"])
    corpora = {name: corpus for name, corpus in experiment.corpora.items() if name != "vocoder"}
    conditions = {name: item for name, item in experiment.conditions.items() if name != "LA"}
    absent = replace(experiment, corpora=corpora, conditions=conditions, not_run={"LA": "no root"})
    assert tracing_tasks.unseen(absent, "codecs") == ["F01-4"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": {"a": ["F00"], "b": ["F01"]}}, "`predict: quantizers` has sources instead; remove it"),
        ({"sources": None}, "it is missing; `predict: quantizers` needs sources"),
        ({"sources": ["F01", "F00"], "unseen": []}, "no codec made source F00, so it has no quantizers; list it under"),
        ({"sources": ["F01", "P00"], "unseen": []}, "no codec made source P00"),
        ({"sources": ["F01"], "unseen": ["F01-4"]}, r"all sources have one value \(2\); give sources with two or more"),
        ({"training": {"loss": "focal"}}, "it is of classes, and a regression has the mean squared error; remove it"),
        ({"leave_out": "each"}, "2 sources without one leave nothing to tell apart; give three or more"),
    ],
)
def test_broken_rules_of_regressions_are_named(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        changed(tmp_path, "quantizers", **changes)


def test_a_regression_predicts_true_bit_rates_and_gives_speech_without_a_codec_none(tmp_path: Path) -> None:
    experiment = changed(tmp_path, "quantizers", predict="bitrate_kbps")
    assert tracing_tasks.regression(experiment, "quantizers") == {
        "quantity": "bitrate_kbps",
        "values": {"F01": pytest.approx(2 * 4 * 75 / 1000), "F01-4": pytest.approx(4 * 4 * 75 / 1000)},
    }
    assert tracing_tasks.values(experiment, "quantizers", ["F00", "P00", "F01"]) == {"F01": pytest.approx(0.6)}
    assert "loss" not in tracing_tasks.settings(experiment, "quantizers", "mel-lcnn", 1)["training"]


def test_each_class_without_recordings_is_left_out_once(tmp_path: Path) -> None:
    experiment = changed(tmp_path, "parts", unseen=["P00"], leave_out="each")
    assert tracing_tasks.left_out(experiment) == {"parts": ["parts-without-two", "parts-without-four"]}
    without = experiment.tracing["parts-without-two"]
    assert (list(without.classes), without.unseen) == (["recordings", "four"], ["F01"])
    assert list(replace(experiment).tracing) == list(experiment.tracing)


def test_a_task_with_the_name_of_one_that_leaves_out_a_class_is_refused(tmp_path: Path) -> None:
    task = changed(tmp_path).tracing["codecs"]
    tasks = {"a": replace(task, classes={**task.classes, "c": ["P00"]}, leave_out=["c"]), "a-without-c": task}
    with pytest.raises(FaultsError, match="a-without-c: it has the name of the task a without c; rename it"):
        with_left_out(tasks)
    with pytest.raises(FaultsError, match="unknown classes 'd'"):
        replace(tasks["a"], leave_out=["d"])
