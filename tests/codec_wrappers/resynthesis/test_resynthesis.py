"""Resynthesis: what holds for every codec because it is done once, outside the wrappers."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from small_codecs import SMALL
from torch import Tensor

import codec_wrappers
from codec_wrappers.codec import Codec, Gain, TrainableCodec
from codec_wrappers.networks import weight_norm
from codec_wrappers.resynthesis import batches, levels, round_trip, shard
from codec_wrappers.resynthesis.settings import ResynthesisSettings
from codec_wrappers.resynthesis.shard import resynthesize, resynthesize_shard
from codec_wrappers.resynthesis.stages import ResynthesisError
from codecfake.audio import recordings, shards
from codecfake.audio.recordings import RecordingsSettings
from codecfake.base import files
from codecfake.base.utterances import COLUMNS

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
    # -25 dB of full scale are few steps of the stand-in's grid
    assert torch.allclose(output, wav, atol=5e-3 if gain is Gain.DBFS_25 else 1e-3)


@pytest.mark.parametrize("level", [0.5, 0.001])
def test_a_codec_can_be_given_a_level_that_is_not_its_habit(level: float) -> None:
    wav = torch.full((1, 100), level)
    codec = shard.with_gain(Rounding(), "rms")
    assert torch.allclose(resynthesize(codec, wav, [4])[0], wav, rtol=1e-3)
    assert codec.encode(wav / levels.level(codec.gain, wav)).unique().tolist() == [1000]


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
    rows_of_batches = list(batches.batches(rows, batch_duration=2.0))
    assert [[row.utterance_id for row in batch] for batch in rows_of_batches] == [[0, 1], [2, 3], [4], [5], [6], [7]]


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
    for number in range(2):
        tar = audio_root / f"c/F00/{number:04d}.tar"
        recordings.write_shard(RecordingsSettings(2, rate), table, corpus, number, tar)
        resynthesize_shard(settings, table, corpus, None, number, audio_root / "c", CPU)
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
    with pytest.raises(ResynthesisError, match="P00: 2 quantizers, but through has 1"):
        resynthesize_shard(settings, corpus.with_suffix(".parquet"), corpus, None, 0, corpus.parent / "audio", CPU)


@pytest.fixture
def small_encodec(monkeypatch: pytest.MonkeyPatch) -> Codec:
    """What every shard of wrapper `encodec` goes through; its codebooks have been filled."""
    return given_as("encodec", filled("encodec"), monkeypatch)


ENCODEC = ResynthesisSettings("F04", "encodec", {"F04": 4, "C4-1": 1}, num_shards=1)


@pytest.mark.long
@pytest.mark.parametrize("threads", [2, 5])
def test_the_bytes_of_a_shard_do_not_depend_on_the_number_of_threads(
    corpus: Path, small_encodec: Codec, threads: int
) -> None:
    for number, folder in ((1, "one"), (threads, "many")):
        write(ENCODEC, corpus, corpus.parent / folder, number)
    paths = sorted(path.relative_to(corpus.parent / "one") for path in (corpus.parent / "one").rglob("*.*"))
    assert len(paths) == 6  # with the seals of the indexes
    for path in paths:
        assert (corpus.parent / "one" / path).read_bytes() == (corpus.parent / "many" / path).read_bytes()


@pytest.mark.parametrize("threads", [1, 3])
def test_a_recording_that_cannot_be_read_is_named_and_leaves_no_files(corpus: Path, threads: int) -> None:
    (corpus / "u5.wav").write_bytes(b"not audio any more")
    with pytest.raises(ResynthesisError, match=r"utterance u5: .*u5.wav: the file changed"):
        write(ResynthesisSettings("through", "passthrough", {"P00": 1}, 1), corpus, corpus.parent / "audio", threads)
    assert not [path for path in (corpus.parent / "audio").rglob("*") if path.is_file()]


@pytest.mark.parametrize("threads", [1, 3])
def test_an_utterance_that_the_codec_spoils_is_named_and_leaves_no_files(
    corpus: Path, small_encodec: Codec, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = small_encodec.decode
    spoiled = {4: 1.0, 1: torch.nan}  # by number of quantizers
    monkeypatch.setattr(small_encodec, "decode", lambda codes: spoiled[codes.shape[1]] * decode(codes))
    with pytest.raises(ResynthesisError, match=r"utterance C4-1_u\d: the codec gave samples that are not finite"):
        write(ENCODEC, corpus, corpus.parent / "audio", threads)
    assert not [path for path in (corpus.parent / "audio").rglob("*") if path.is_file()]


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_inside_the_codec_names_the_utterance_it_was_given(
    corpus: Path, small_encodec: Codec, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_memory(wav: Tensor, number: int) -> Tensor:
        raise torch.OutOfMemoryError("no room for 3 GiB")

    monkeypatch.setattr(small_encodec, "encode_first", out_of_memory)
    with pytest.raises(ResynthesisError, match=r"utterance u3: no room for 3 GiB"):
        write(ENCODEC, corpus, corpus.parent / "audio", threads)


def test_a_long_recording_goes_into_a_shard_through_windows(corpus: Path, small_encodec: Codec) -> None:
    settings = ResynthesisSettings("F04", "encodec", {"F04": 4}, num_shards=1, window_duration=0.05)
    small_encodec.context_duration = 0.02
    lengths = []
    encode_first = small_encodec.encode_first

    def watched(wav: Tensor, number: int) -> Tensor:
        lengths.append(wav.shape[1])
        return encode_first(wav, number)

    small_encodec.encode_first = watched  # type: ignore[method-assign]
    write(settings, corpus, corpus.parent / "audio", 1)
    assert max(lengths) <= (0.05 + 2 * 0.02) * 24_000 + 2 * 320
    assert list(pd.read_parquet(corpus.parent / "audio/F04/0000.parquet")["num_samples"]) == [
        725, 725, 1088, 1088, 1600, 1600, 1600, 1600
    ]  # fmt: skip


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", [name for name in SMALL if name != "passthrough"])
def test_a_gpu_gives_the_same_bytes_with_any_number_of_threads(
    corpus: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = given_as(name, filled(name), monkeypatch)
    assert codec.network is not None
    codec.network.cuda()
    settings = ResynthesisSettings(name, name, {"X": codec.num_quantizers}, num_shards=1)
    for threads in (1, 4):
        write(settings, corpus, corpus.parent / str(threads), threads, torch.device("cuda"))
    one, four = (corpus.parent / str(threads) / "X/0000.tar" for threads in (1, 4))
    assert one.read_bytes() == four.read_bytes()


@pytest.mark.parametrize("name", SMALL)
def test_the_first_codebooks_alone_are_the_first_of_all(name: str) -> None:
    codec = filled(name)
    wav = 0.1 * torch.randn(2, 20 * codec.hop_length)
    with torch.inference_mode():
        codes = codec.encode(wav)
        for number in {1, codec.num_quantizers}:
            assert torch.equal(codec.encode_first(wav, number), codes[:, :number])


@pytest.mark.parametrize("name", SMALL)
def test_decoding_all_numbers_of_quantizers_together_gives_what_each_gives_alone(name: str) -> None:
    codec = filled(name)
    numbers = [codec.num_quantizers, 2, 4] if codec.num_quantizers > 1 else [1, 1]
    with torch.inference_mode():
        codes = codec.encode(0.1 * torch.randn(2, 20 * codec.hop_length))
        together = codec.decode_all(codes, numbers)
        alone = [codec.decode(codes[:, :number]) for number in numbers]
    assert len(together) == len(alone)
    for output, expected in zip(together, alone, strict=True):
        torch.testing.assert_close(output, expected, atol=1e-5 * max(1.0, expected.abs().max().item()), rtol=0)


@pytest.mark.parametrize("name", [name for name in SMALL if name != "passthrough"])
def test_folded_weights_give_the_same_bits(name: str) -> None:
    codec = filled(name)
    assert codec.network is not None
    wav = 0.1 * torch.randn(1, 20 * codec.hop_length)
    with torch.inference_mode():
        before = codec.decode(codec.encode(wav))
        weight_norm.fold(codec.network)
        after = codec.decode(codec.encode(wav))
    assert torch.equal(before, after)
    assert not [key for key in codec.network.state_dict() if key.endswith(("weight_g", "weight_v"))]


def filled(name: str) -> Codec:
    """A small codec whose codebooks are not zeros any more."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        codec = codec_wrappers.build(name, SMALL[name])
        if isinstance(codec, TrainableCodec):
            codec.reconstruct(0.1 * torch.randn(8, 24 * codec.hop_length))
            codec.network.eval()
    return codec


def given_as(name: str, codec: Codec, monkeypatch: pytest.MonkeyPatch) -> Codec:
    monkeypatch.setattr(codec_wrappers.module_of(name), "load", lambda model, weights: codec)
    return codec


def write(settings: ResynthesisSettings, corpus: Path, output: Path, threads: int, device: torch.device = CPU) -> None:
    resynthesize_shard(settings, corpus.with_suffix(".parquet"), corpus, None, 0, output, device, threads)


def test_a_level_that_is_to_stay_is_not_undone(corpus: Path) -> None:
    with_gain = ResynthesisSettings(
        "through", "passthrough", {"P00": 1}, 1, gain="peak", keep_gain=True, sample_rate="native"
    )
    write(with_gain, corpus, corpus.parent / "kept", 1)
    store = shards.AudioStore(corpus.parent, [("kept", "P00")])
    wav, _ = store.read("kept", "P00", "u5")
    assert abs(int(np.abs(wav).max()) / 32768 - 0.95) < 1e-3


def test_every_row_of_a_shard_carries_the_license_of_its_codec(corpus: Path) -> None:
    settings = ResynthesisSettings("through", "passthrough", {"P00": 1}, 1, license="Apache-2.0")
    write(settings, corpus, corpus.parent / "audio", 1)
    assert set(pd.read_parquet(corpus.parent / "audio" / "P00" / "0000.parquet")["license"]) == {"Apache-2.0"}


@pytest.mark.parametrize("name", ["soundstream", "academicodec"])
@pytest.mark.parametrize("num_samples", [1, 319, 320, 321, 7000])
def test_a_remainder_that_is_padded_leaves_no_zeros_at_the_end(name: str, num_samples: int) -> None:
    torch.manual_seed(0)
    codec = codec_wrappers.build(name, {**SMALL[name], "remainder": "pad"})
    with torch.no_grad():
        decoded = codec.decode(codec.encode(round_trip._pad(codec, torch.randn(1, num_samples))))
    assert decoded.shape[1] >= num_samples
