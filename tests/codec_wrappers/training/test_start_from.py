"""Codec training that starts from weights."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from small_codecs import SMALL
from small_trainings import run, settings, voices
from torch import Tensor

import codec_wrappers
from codec_wrappers.codec import TrainableCodec
from codec_wrappers.weights.loading import WeightsError, load_into, save
from codecfake.base import files

CODECS = ("academicodec", "audiodec", "dac", "encodec", "funcodec", "soundstream", "speechtokenizer")
VECTORS = ("embed", "weight")  # the ends of the names of codebooks


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return voices(tmp_path_factory.mktemp("audio"))


@pytest.fixture(scope="module")
def first(recordings: Path, few_segments: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a first training."""
    folder = tmp_path_factory.mktemp("first")
    run(recordings, folder, settings(stored="float16"))
    return folder


@pytest.fixture(scope="module")
def second(first: Path, recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that starts from the first."""
    folder = tmp_path_factory.mktemp("second")
    run(recordings, folder, settings(seed=2, validation_utterances=2), start=first)
    return folder


def quality(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "quality.tsv", sep="\t", index_col="state")


def test_weights_are_stored_in_half_precision_on_request(first: Path) -> None:
    tensors = load_file(first / "weights.safetensors").values()
    assert {each.dtype for each in tensors if each.is_floating_point()} == {torch.float16}


def test_the_second_training_starts_with_the_quality_that_the_first_reached(
    recordings: Path, first: Path, tmp_path: Path
) -> None:
    run(recordings, tmp_path, settings(), start=first)
    start, end = quality(tmp_path).loc["start"], quality(first).loc["trained"]
    assert start["si_sdr_db"] == pytest.approx(end["si_sdr_db"], abs=0.1)
    assert start["mel_distance"] == pytest.approx(end["mel_distance"], abs=0.01)


def test_its_codebooks_are_those_of_the_first_and_go_on_learning(first: Path, second: Path) -> None:
    before, after = load_file(first / "weights.safetensors"), load_file(second / "weights.safetensors")
    codebooks = [name for name in before if name.endswith("embed")]
    moved = torch.cat([(before[name].float() - after[name]).flatten() for name in codebooks])
    size = torch.cat([before[name].float().flatten() for name in codebooks])
    assert 0 < moved.norm() < size.norm()  # a new start would draw other vectors


@pytest.mark.parametrize("name", CODECS)
def test_no_codec_starts_loaded_codebooks_anew(name: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    codec = codec_wrappers.build(name, SMALL[name])
    wav = 0.1 * torch.randn(4, 24 * codec.hop_length)
    codec.reconstruct(wav)
    save(codec.network, tmp_path / "weights.safetensors")
    loaded = load_into(codec_wrappers.build(name, SMALL[name]), tmp_path / "weights.safetensors")
    before = codebooks(loaded)
    loaded.reconstruct(0.3 * wav.flip(1))
    assert (codebooks(loaded) - before).norm() < 0.3 * before.norm()  # those of moving averages follow the batch


def codebooks(codec: TrainableCodec) -> Tensor:
    tensors = codec.parts()["quantizer"].state_dict()
    return torch.cat([tensors[key].flatten() for key in tensors if key.endswith(VECTORS)]).clone()


def test_the_record_names_the_weights_that_it_started_from(first: Path, second: Path) -> None:
    digest = files.sha256(first / "weights.safetensors")
    assert files.read_json(second / "settings.json")["start_from"] == digest
    assert files.read_json(first / "settings.json")["start_from"] == ""


def test_other_weights_are_another_training(recordings: Path, first: Path, second: Path, tmp_path: Path) -> None:
    weights = run(recordings, tmp_path, settings(seed=2), start=second)
    assert not all(torch.equal(weights[name], each) for name, each in load_file(second / "weights.safetensors").items())


def test_weights_of_another_size_are_refused(recordings: Path, first: Path, tmp_path: Path) -> None:
    model = settings().model | {"n_filters": 8}
    with pytest.raises(WeightsError, match="wrongly shaped tensor"):
        run(recordings, tmp_path, settings(model=model), start=first)


def test_changed_weights_are_refused(recordings: Path, first: Path, tmp_path: Path) -> None:
    copy = tmp_path / "weights.safetensors"
    copy.write_bytes((first / "weights.safetensors").read_bytes()[:-1] + b"x")
    files.seal_of(copy).write_bytes(files.seal_of(first / "weights.safetensors").read_bytes())
    with pytest.raises(files.FileError, match="its sha256 is not the one in"):
        run(recordings, tmp_path / "out", settings(), start=copy)
