"""The speeds of networks on GPUs: none is above what the device can do, and each follows from counted operations."""

import pytest
import yaml
from places import ROOT

import codec_wrappers
from codec_wrappers import Rate
from codecfake.base.settings import SettingsError
from codecfake.running.planning import operations, rates
from codecfake.running.planning.operations import Gpu, Operations, counted, gpu, gpu_names
from codecfake.running.planning.rates import RateTable

SOME = Gpu("some", {"float32": 10, "bfloat16": 100}, {"float32": 0.5, "bfloat16": 0.2}, 10)


def faults(table: RateTable, device: Gpu) -> list[str]:
    """The rates that need more than the peak of a GPU, or more launches than the assumed number per second."""
    names = []
    for name, work in counted().items():
        for precision, peak in device.peaks.items():
            value = table.at(f"{name}.gpu", precision)
            launches = value / work.batch * work.launches * device.launch_us / 1e6
            if value * work.gflop / 1e3 > peak or launches > 1.01:  # rounded to three digits
                names.append(operations.rate_name(name, precision))
    return names


@pytest.mark.parametrize("name", gpu_names())
def test_no_planned_rate_exceeds_the_peak_of_its_device(name: str) -> None:
    assert faults(rates.load(gpu=name), gpu(name)) == []


def test_a_written_rate_above_the_peak_is_found() -> None:
    table = rates.load()
    # the former goals: 200 s of audio per second of training, 500 of DAC's resynthesis
    table.shipped["codec_training.academicodec.gpu"] = Rate(200, "estimate", "a fifth of its resynthesis")
    table.shipped["resynthesis.dac.gpu"] = Rate(500, "goal", "of one H200")
    assert faults(table, gpu("H200")) == ["codec_training.academicodec", "resynthesis.dac"]


def test_a_batch_takes_as_long_as_its_operations_or_its_launches_whichever_is_longer() -> None:
    heavy = Operations(gflop=100, launches=100, batch=4)
    assert SOME.speed(heavy, "float32") == pytest.approx(10e12 * 0.5 / 100e9)
    assert SOME.speed(heavy, "bfloat16") == pytest.approx(100e12 * 0.2 / 100e9)
    light = Operations(gflop=0.1, launches=1000, batch=4)
    assert SOME.speed(light, "float32") == pytest.approx(4 / (1000 * 10e-6))
    assert "launches" in SOME.reason(light, "float32")
    assert "50% of the some's 10 TFLOP/s in float32" in SOME.reason(heavy, "float32")


def test_an_encoder_is_as_fast_at_every_precision_of_its_decoder() -> None:
    codec = Operations(gflop=100, exact_gflop=40, launches=1, batch=40)
    assert 1 / SOME.speed(codec, "bfloat16") == pytest.approx(40 / 5_000 + 60 / 20_000)
    assert SOME.speed(codec, "float32") == pytest.approx(5_000 / 100)
    assert SOME.reason(codec, "bfloat16").startswith("40 GFLOP at 50% of the some's 10 TFLOP/s in float32, and then 60")


def test_features_of_deeper_layers_take_longer() -> None:
    # the first 5 of 24 equal blocks, and what comes before them, are a third of XLS-R
    assert operations.depth("features.wav2vec2", {"layer": 24}) == pytest.approx(3, rel=0.02)
    assert operations.depth("features.wav2vec2", {"layer": 5}) == operations.depth("features.wav2vec2", {}) == 1
    assert operations.depth("features.wav2vec2", {"layer": 1}) < 1
    assert operations.depth("features.mel", {}) == operations.depth("features.of_ones_own", {"layer": 9}) == 1


def test_every_codec_that_can_be_trained_is_counted() -> None:
    codecs = [name for name in codec_wrappers.names() if codec_wrappers.entry(name).is_trainable]
    for kind in ("resynthesis", "codec_training"):
        assert [name for name in counted() if name.startswith(kind)] == [f"{kind}.{codec}" for codec in codecs]


def test_the_header_of_the_table_is_that_of_the_script_that_writes_it() -> None:
    from benchmarks.operations import HEADER

    text = (ROOT / "codecfake/running/planning/operations.yaml").read_text(encoding="utf-8")
    assert text.startswith(HEADER)


def test_a_rate_of_the_user_holds_for_every_precision_unless_its_name_has_one() -> None:
    table = rates.load(single=["codec_training.dac.gpu=7", "features.wavlm.gpu.bfloat16=9"])
    assert table.at("codec_training.dac.gpu", "tf32") == table.at("codec_training.dac.gpu", "auto") == 7
    assert table.at("features.wavlm.gpu", "bfloat16") == 9
    assert table.at("features.wavlm.gpu", "float32") != 9
    # decoding on the CPU limits it, whatever the precision
    assert table.at("features.mel.gpu", "bfloat16") == table["features.mel.gpu"] == 2000


def test_an_unknown_gpu_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(SettingsError, match="--gpu-model: unknown GPU 'H20'; did you mean 'H200'"):
        gpu("H20")


@pytest.mark.long
def test_the_table_has_what_the_script_counts() -> None:
    from benchmarks import operations as script

    for name, entry in script.back_ends():
        assert entry == yaml.safe_load((ROOT / "codecfake/running/planning/operations.yaml").read_text())[name]
