"""The measurements that replace the assumptions of plans."""

import argparse
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_codecs import SMALL

from benchmarks import codec_training, host
from benchmarks import rates as benchmark
from codecfake.running.planning import rates

CPU = torch.device("cpu")


def test_every_name_that_is_measured_is_one_that_plans_read() -> None:
    names = rates.load().shipped
    measured = [f"features.{name}" for name in benchmark.FRONT_ENDS]
    measured += [f"train.{name}" for _, name in benchmark.BACK_ENDS]
    assert [name for name in measured if f"{name}.gpu" not in names] == []


def test_a_gpu_gets_longer_measurements_unless_they_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["rates.py", "--device", "cuda", "--threads", "3"])
    options = benchmark._options()
    assert (options.threads, options.workers, options.training_steps) == (3, 8, 30)
    monkeypatch.setattr("sys.argv", ["rates.py"])
    assert benchmark._options().training_steps == 0


def test_a_training_is_measured_in_its_last_stage() -> None:
    settings = codec_training.with_steps(codec_training.published("audiodec"), 5)
    published = codec_training.published("audiodec").resolved()
    (stage,) = settings.resolved().stages
    assert len(published.stages) > 1
    assert (stage.from_step, stage.adversarial, stage.frozen) == (0, True, published.stages[-1].frozen)


def test_the_speed_of_training_leaves_out_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_training, "_seconds", lambda settings, *_: 50.0 + 0.25 * settings.resolved().steps)
    # EnCodec's batch has 64 segments of 1 s
    assert codec_training.speed(codec_training.published("encodec"), Path(), CPU, 30) == pytest.approx(64 / 0.25)


def test_a_measurement_that_is_too_short_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_training, "_seconds", lambda *_: 50.0)
    with pytest.raises(RuntimeError, match="encodec: 5 more steps took no more time; measure more"):
        codec_training.speed(codec_training.published("encodec"), Path(), CPU, 5)


@pytest.mark.long
def test_the_products_own_training_is_measured(tmp_path: Path) -> None:
    audio = codec_training.record(tmp_path, 30.0)
    small = replace(codec_training.published("encodec"), recipe="plain", model=SMALL["encodec"])
    small = codec_training.with_steps(replace(small, changes={"batch_size": 2, "segment_duration": 0.2}), 3)
    assert codec_training._seconds(small, audio, CPU, 0) > 0


def test_cores_are_what_decoding_and_encoding_take_at_the_planned_speed() -> None:
    speeds = {
        f"{work}, {rate} kHz": host.Speed(100, 1) for work in ("decode", "encode") for rate in ("16", "24", "44.1")
    }
    (row,) = (row for row in host.core_rows(speeds) if row.startswith("| academicodec "))
    # 360 s of audio a second, each decoded at 100 times real time and encoded at 100 times
    assert row == "| academicodec | 360 | 8 | 8 |"


def test_the_host_is_measured(tmp_path: Path) -> None:
    from benchmarks import speech

    speeds = host.measured(tmp_path / "corpus", speech.make(tmp_path / "corpus", 4.0, 2), 1)
    assert len(speeds) == 6
    assert all(speed.per_core > 1 for speed in speeds.values())


def test_no_training_is_measured_where_its_steps_are_zero(tmp_path: Path) -> None:
    options = argparse.Namespace(training_steps=0, codecs=None, workers=0)
    assert list(benchmark._codec_training(tmp_path / "none", CPU, options)) == []
