"""The weights in the package: each folder is complete, unchanged, small, and fits its codec."""

from pathlib import Path

import numpy as np
import pytest

from codec_wrappers import entry, load
from codec_wrappers.weights import shipped
from codecfake.api.codecs import load_codec
from codecfake.base import files

MOST_MB, MOST_MIB_TOGETHER = 3.0, 15.0
FILES = ("card.md", "history.tsv", "quality.tsv", "settings.json", "weights.safetensors")


@pytest.mark.parametrize("name", shipped.names())
def test_a_folder_is_complete_and_unchanged(name: str) -> None:
    folder = shipped.find(name).folder
    assert {each for each in FILES if (folder / each).is_file()} == set(FILES)
    for each in FILES:
        files.require_seal(folder / each)
    assert files.seal_of(folder / "weights.safetensors").is_file()


@pytest.mark.parametrize("name", shipped.names())
def test_the_weights_fit_their_codec_and_are_small(name: str) -> None:
    weights = shipped.find(name)
    assert "shipped" in entry(weights.wrapper).weights
    assert load(weights.wrapper, weights.model, weights.path).num_quantizers >= 4
    assert weights.path.stat().st_size < MOST_MB * 1e6


def test_together_they_are_small() -> None:
    assert sum(shipped.find(name).path.stat().st_size for name in shipped.names()) < MOST_MIB_TOGETHER * 2**20


@pytest.mark.parametrize("name", shipped.names())
def test_a_card_credits_the_recordings_and_states_what_was_reached(name: str) -> None:
    text = (shipped.find(name).folder / shipped.CARD).read_text(encoding="utf-8")
    for part in (
        "LibriSpeech",
        "CC BY 4.0",
        "AISHELL-1",
        "Apache-2.0",
        "eSpeak NG",
        "SI-SDR",
        "experiments/demo-weights",
    ):
        assert part in text
    assert files.sha256(shipped.find(name).path) in text


def test_there_is_one_for_each_codec_that_can_be_trained() -> None:
    wrappers = [shipped.find(name).wrapper for name in shipped.names()]
    assert sorted(wrappers) == sorted(
        {"soundstream", "speechtokenizer", "funcodec", "encodec", "audiodec", "academicodec", "dac"}
    )


def test_an_unknown_name_is_guessed() -> None:
    with pytest.raises(
        shipped.ShippedError, match="unknown shipped weights 'encodec-smal'; did you mean 'encodec-small'"
    ):
        shipped.find("encodec-smal")


def test_they_code_speech_with_the_model_and_the_level_of_their_training(tmp_path: Path) -> None:
    """A tone comes back at its level and pitch, which needs `gain` and `model`."""
    codec = load_codec("encodec", "shipped:encodec-small")
    wav = 0.1 * np.sin(2 * np.pi * 200 * np.arange(24_000) / 24_000)
    fake, rate = codec.resynthesize(wav, 24_000)
    assert (fake.shape, rate) == (wav.shape, 24_000)
    assert 0.3 < np.sqrt(np.mean(fake**2)) / np.sqrt(np.mean(wav**2)) < 1.5
