"""Resynthesis: what holds for every codec because it is done once, outside the wrappers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from torch import Tensor

from codec_wrappers import resynthesis
from codec_wrappers.codec import Codec, Gain
from codec_wrappers.resynthesis import ResynthesisError, ResynthesisSettings, resynthesize, resynthesize_shard
from codecfake import files, recordings, shards
from codecfake.recordings import RecordingsSettings
from codecfake.utterances import COLUMNS

CPU = torch.device("cpu")


class Rounding(Codec):
    """A stand-in codec: samples in `hop_length` frames, rounded to a grid; `tail` samples more or fewer come back."""

    sample_rate = 16000
    hop_length = 10
    num_quantizers = 4
    bits_per_code = 10

    def __init__(self, gain: Gain = Gain.NONE, tail: int = 0) -> None:
        self.gain = gain
        self.tail = tail
        self.encoded = 0

    def encode(self, wav: Tensor) -> Tensor:
        assert wav.shape[1] % self.hop_length == 0
        self.encoded += 1
        return (wav * 1000).round().long()[:, None].expand(-1, self.num_quantizers, -1)

    def decode(self, codes: Tensor) -> Tensor:
        wav = codes[:, 0] / 1000 + codes.shape[1] * 0.0
        return torch.nn.functional.pad(wav, (0, self.tail)) if self.tail >= 0 else wav[:, : self.tail]


@pytest.mark.parametrize("tail", [-8, 0, 5])
@pytest.mark.parametrize("num_samples", [1, 9, 10, 11, 1234])
def test_as_many_samples_come_back_as_went_in(tail: int, num_samples: int) -> None:
    wav = torch.rand(2, num_samples) - 0.5
    (output,) = resynthesize(Rounding(tail=tail), wav, [4])
    assert output.shape == wav.shape


def test_one_encoder_pass_serves_every_number_of_quantizers() -> None:
    codec = Rounding()
    assert len(resynthesize(codec, torch.rand(1, 100), [1, 2, 4])) == 3
    assert codec.encoded == 1


@pytest.mark.parametrize("gain", list(Gain))
@pytest.mark.parametrize("level", [1.0, 0.01])
def test_the_level_comes_back_as_it_went_in(gain: Gain, level: float) -> None:
    wav = level * (torch.rand(3, 200, generator=torch.Generator().manual_seed(0)) - 0.5)
    (output,) = resynthesize(Rounding(gain=gain), wav, [4])
    assert torch.allclose(output, wav, atol=1e-3)


@pytest.mark.parametrize("level", [0.5, 0.001])
def test_a_codec_can_be_given_a_level_that_is_not_its_habit(level: float) -> None:
    wav = torch.full((1, 100), level)
    codec = resynthesis.with_gain(Rounding(), "rms")
    assert torch.allclose(resynthesize(codec, wav, [4])[0], wav, rtol=1e-3)
    assert codec.encode(wav / resynthesis.level(codec.gain, wav)).unique().tolist() == [1000]


@pytest.mark.parametrize("gain", list(Gain))
def test_silence_comes_back_as_silence(gain: Gain) -> None:
    (output,) = resynthesize(Rounding(gain=gain), torch.zeros(1, 50), [4])
    assert not output.any()


def test_each_row_of_a_batch_has_its_own_gain() -> None:
    wav = torch.stack([torch.full((100,), 0.5), torch.full((100,), 0.005)])
    (output,) = resynthesize(Rounding(gain=Gain.UNIT_RMS), wav, [4])
    assert torch.allclose(output, wav, rtol=1e-2)


def test_samples_that_are_not_finite_stop_the_job() -> None:
    codec = Rounding()
    codec.decode = lambda codes: torch.full((1, 10), torch.nan)  # type: ignore[method-assign]
    with pytest.raises(ResynthesisError, match="not finite"):
        resynthesize(codec, torch.zeros(1, 10), [4])


def test_batches_hold_utterances_of_one_length_and_at_most_so_many_seconds() -> None:
    rows = pd.DataFrame({"num_samples": [100] * 5 + [200] * 3, "sample_rate": 100, "utterance_id": range(8)})
    found = list(resynthesis.batches(rows, batch_duration=2.0))
    assert [list(batch["utterance_id"]) for batch in found] == [[0, 1], [2, 3], [4], [5], [6], [7]]


@pytest.fixture
def corpus(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A corpus of odd rates, lengths and sample formats, with its utterance table."""
    rows = []
    kinds = [(48000, "PCM_16", 4801), (44100, "PCM_24", 3000), (16000, "PCM_16", 1600), (22050, "DOUBLE", 999)]
    for number, (rate, subtype, length) in enumerate(kinds * 2):
        path = tmp_path / "corpus" / f"u{number}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, 0.3 * rng.standard_normal(length).clip(-3, 3), rate, subtype=subtype)
        row = dict.fromkeys(COLUMNS, "x") | {"utterance_id": f"u{number}", "path": path.name, "key": "bonafide"}
        rows.append(row | {"sample_rate": rate, "num_samples": length, "channels": 1, "sha256": files.sha256(path)})
    files.write_parquet(tmp_path / "corpus.parquet", pd.DataFrame(rows))
    return tmp_path / "corpus"


@pytest.mark.parametrize("rate", [16000, "native"])
def test_passthrough_gives_the_bytes_of_the_recordings(corpus: Path, rate: int | str) -> None:
    table, audio_root = corpus.with_suffix(".parquet"), corpus.parent / "audio"
    settings = ResynthesisSettings("through", "passthrough", {"P00": 1}, num_shards=2, sample_rate=rate)
    for shard in range(2):
        recordings.write_shard(RecordingsSettings(2, rate), table, corpus, shard, audio_root / f"c/F00/{shard:04d}.tar")
        resynthesize_shard(settings, table, corpus, None, shard, audio_root / "c", CPU)
    store = shards.AudioStore(audio_root, [("c", "F00"), ("c", "P00")])
    for number in range(8):
        assert store.read_bytes("c", "P00", f"u{number}") == store.read_bytes("c", "F00", f"u{number}")


def test_a_shard_says_where_its_audio_comes_from(corpus: Path) -> None:
    settings = ResynthesisSettings("through", "passthrough", {"P00": 1}, num_shards=1)
    resynthesize_shard(settings, corpus.with_suffix(".parquet"), corpus, None, 0, corpus.parent / "audio", CPU)
    index = pd.read_parquet(corpus.parent / "audio/P00/0000.parquet")
    assert set(index["codec"]) == {"through"}
    assert list(index["sample_rate"].unique()) == [16000]
    assert index["num_samples"].is_monotonic_increasing


def test_more_quantizers_than_a_codec_has_are_refused(corpus: Path) -> None:
    settings = ResynthesisSettings("through", "passthrough", {"P00": 2}, num_shards=1)
    with pytest.raises(ResynthesisError, match="P00: 2 quantizers asked of through, which has 1"):
        resynthesize_shard(settings, corpus.with_suffix(".parquet"), corpus, None, 0, corpus.parent / "audio", CPU)
