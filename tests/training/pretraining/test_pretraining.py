"""Pre-training of small front-ends by masked prediction."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from codecfake.audio.waveforms import AudioError
from codecfake.base.settings import FaultsError
from codecfake.detectors import shipped_front_ends
from codecfake.detectors.front_end_settings import SslSettings
from codecfake.detectors.ssl import Wav2Vec2, WavLM
from codecfake.training.pretraining import crops, loop
from codecfake.training.pretraining.loop import pretrain
from codecfake.training.pretraining.settings import PretrainingSettings
from codecfake.training.pretraining.targets import Clusters, LogMel

TINY: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "conv_dim": [4] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}
QUICK = PretrainingSettings(
    config=TINY, steps=2, batch_size=2, crop_samples=8_000, clusters=4, spans=2, warm_up_steps=1
)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Tones that step through four pitches, at two rates."""
    folder = tmp_path_factory.mktemp("recordings")
    paths = []
    for number, rate in enumerate((16_000, 24_000, 16_000)):
        time = np.arange(rate * 2) / rate
        pitch = 200.0 * 2.0 ** ((time * (5 + number)).astype(int) % 4)
        tone = 0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / rate)
        paths.append(folder / f"{number}.wav")
        soundfile.write(paths[-1], tone, rate)
    return paths


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_settings_give_the_same_bytes_and_another_seed_others(recordings: list[Path], tmp_path: Path) -> None:
    for name, settings in (("a", QUICK), ("b", QUICK), ("c", replace(QUICK, seed=2))):
        pretrain(settings, recordings, tmp_path / name)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert files(tmp_path / "a")["model.safetensors"] != files(tmp_path / "c")["model.safetensors"]


@pytest.mark.parametrize(("architecture", "front_end"), [("wav2vec2", Wav2Vec2), ("wavlm", WavLM)])
def test_the_folder_is_weights_of_a_front_end(
    recordings: list[Path], tmp_path: Path, architecture: str, front_end: type[Wav2Vec2]
) -> None:
    pretrain(replace(QUICK, architecture=architecture), recordings, tmp_path)
    features = front_end(SslSettings(weights=str(tmp_path), layer=1)).eval()
    assert features.is_pretrained
    assert features(torch.randn(2, 16_000)).shape == (2, 49, 16)


def test_classes_belong_to_the_frames_of_the_network(recordings: list[Path]) -> None:
    wavs = crops.read(recordings, 8_000).draw(3, np.random.default_rng(0))
    network = loop._network(QUICK)
    frames = network(wavs).last_hidden_state.shape[:2]
    log_mel = LogMel(*loop._window_and_hop(network.config))
    assert loop._window_and_hop(network.config) == (400, 320)
    assert Clusters(wavs, log_mel, 4).classes(wavs).shape == frames


def test_frames_of_one_pitch_have_one_class(recordings: list[Path]) -> None:
    wavs = crops.read(recordings[:1], 32_000).draw(1, np.random.default_rng(0))
    torch.manual_seed(0)
    classes = Clusters([*wavs] * 4, LogMel(400, 320), 4).classes(wavs)[0]
    # five pitches a second are ten frames each, and a frame at a border belongs to either
    inner = [classes[start + 2 : start + 8] for start in range(0, 90, 10)]
    assert all((part == part[0]).all() for part in inner)
    assert len({int(part[0]) for part in inner}) > 1


@pytest.mark.long
def test_masked_frames_are_predicted_better_than_by_chance(recordings: list[Path], tmp_path: Path) -> None:
    settings = replace(QUICK, steps=300, batch_size=8, learning_rate=0.003, config={**TINY, "hidden_size": 32})
    pretrain(settings, recordings, tmp_path)
    history = pd.read_csv(tmp_path / "history.tsv", sep="\t")
    assert list(history["step"]) == [100, 200, 300]
    assert history["masked"].iloc[-1] > 0.6  # by chance 0.25
    assert history["loss"].is_monotonic_decreasing


@pytest.mark.parametrize("frames", [2, 5, 40])
def test_every_row_has_masked_and_other_frames(frames: int) -> None:
    mask = loop._mask(replace(QUICK, spans=9), (50, frames), np.random.default_rng(0))
    assert mask.any(dim=1).all() and not mask.all(dim=1).any()


def test_the_learning_rate_rises_and_falls_to_zero() -> None:
    settings = replace(QUICK, steps=1000, warm_up_steps=100)
    learning_rates = [loop._learning_rate(settings, step) for step in range(1000)]
    assert max(learning_rates) == pytest.approx(settings.learning_rate, rel=0.05)
    assert learning_rates[0] == pytest.approx(settings.learning_rate / 100, rel=0.01)
    assert learning_rates[-1] < settings.learning_rate / 1000


def test_a_bad_recording_is_named_and_a_short_one_is_counted(
    recordings: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad, short = tmp_path / "bad.wav", tmp_path / "short.wav"
    bad.write_bytes(b"RIFF")
    soundfile.write(short, 0.1 * np.random.default_rng(0).standard_normal(4_000).clip(-4, 4), 16_000)
    with pytest.raises(AudioError, match="1 files:\n.*bad.wav"):
        crops.read([*recordings, bad], 8_000)
    crops.read([*recordings, short], 8_000)
    assert "left out: 1 recordings shorter than a crop" in caplog.text
    with pytest.raises(AudioError, match="none of 1 recordings has 8000 samples"):
        crops.read([short], 8_000)


def test_faults_of_settings_are_named_together() -> None:
    with pytest.raises(FaultsError) as error:
        PretrainingSettings(architecture="wav2vec", steps=0, clusters=1)
    for part in ("did you mean 'wav2vec2'", "steps", "clusters"):
        assert part in str(error.value)


def test_two_front_ends_are_shipped() -> None:
    assert shipped_front_ends.names() == ["wav2vec2-small", "wavlm-small"]


@pytest.mark.parametrize("name", shipped_front_ends.names())
def test_a_shipped_front_end_loads_and_has_a_card(name: str) -> None:
    front_end = {"wav2vec2-small": Wav2Vec2, "wavlm-small": WavLM}[name]
    features = front_end(SslSettings(weights=f"shipped:{name}", layer=2)).eval()
    assert features(torch.randn(1, 16_000)).shape == (1, 49, 64)
    assert (shipped_front_ends.folder(name) / "card.md").read_text(encoding="utf-8").startswith("# ")


def test_an_unknown_shipped_front_end_is_named_when_settings_are_read() -> None:
    with pytest.raises(ValueError, match="unknown shipped front-end 'wav2vec-small'"):
        SslSettings(weights="shipped:wav2vec-small")
