"""Batches of different lengths: only of codecs for which padding changes nothing, and with little of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from pretended_cuda import CUDA, pretended_cuda
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from codec_wrappers.codec import Codec
from codec_wrappers.contract import forms
from codec_wrappers.contract.forms import FORMS
from codec_wrappers.contract.measurements import snr_db
from codec_wrappers.contract.promises import LEAST_SNR_DB, MOST_FRAMES
from codec_wrappers.contract.signals import speech_like
from codec_wrappers.networks import weight_norm
from codec_wrappers.resynthesis import shard
from codec_wrappers.resynthesis.batches import PaddedLengths, batches
from codec_wrappers.resynthesis.round_trip import padded_round_trip, round_trip
from codec_wrappers.resynthesis.settings import ResynthesisSettings
from codec_wrappers.resynthesis.shard import resynthesize_shard
from codecfake.audio import shards
from codecfake.base import files
from codecfake.base.utterances import COLUMNS

CPU = torch.device("cpu")
# All other codecs have batches of equal length, as every class without `shortest_padded`
WRAPPERS = ("soundstream", "speechtokenizer", "funcodec", "encodec", "audiodec", "academicodec", "dac")
NETWORKS = [name for name, form in FORMS.items() if form.wrapper in WRAPPERS]
EQUAL_LENGTHS_ALONE = ["freqcodec_gr1", "freqcodec_gr8"]
# Forms that differ from another one in a size alone
SIMILAR = ("funcodec_ds320", "hificodec_16k", "hificodec_16k_peak", "dac_44k", "dac_16k_chunked", "dac_44k_chunked")
PADDED = [name for name in NETWORKS if name not in (*EQUAL_LENGTHS_ALONE, *SIMILAR)]
WITH_ENDS = [name for name in PADDED if not name.startswith("audiodec") and not name.endswith("chunked")]
DURATION = 0.4  # seconds, of rows that are short enough for a test
LENGTHS = (17_300, 17_001, 16_050)  # at 16 kHz
LONGER_THAN_1 = PaddedLengths(1.0, 30.0)


def fresh(name: str) -> Codec:
    """A small codec as a job has it: with folded weights."""
    codec = forms.fresh(FORMS[name], small=True, device=CPU, seed=0)
    assert codec.network is not None
    codec.network.requires_grad_(False)
    weight_norm.fold(codec.network)
    return codec


def lengths_of(num_samples: list[int], batch_duration: float, padded: PaddedLengths | None) -> list[list[int]]:
    rows = pd.DataFrame({"num_samples": num_samples, "sample_rate": 100})
    return [[row.num_samples for row in batch] for batch in batches(rows, batch_duration, padded)]


def test_similar_lengths_share_a_batch_only_where_padding_is_allowed() -> None:
    assert lengths_of([110, 200, 115, 105], 9.0, None) == [[110], [200], [115], [105]]
    assert lengths_of([110, 200, 115, 105], 9.0, LONGER_THAN_1) == [[200], [115, 110, 105]]


def test_a_batch_has_at_most_a_tenth_of_padding_in_a_row_and_its_duration_counts_it() -> None:
    padded = PaddedLengths(0.0, 30.0)
    assert lengths_of([90, 100, 101], 9.0, padded) == [[101, 100], [90]]
    assert lengths_of([90, 100, 100], 2.9, padded) == [[100, 100], [90]]


def test_recordings_that_go_through_windows_or_are_too_short_are_not_padded() -> None:
    assert lengths_of([299, 300, 301], 99.0, PaddedLengths(0.0, 3.0)) == [[301], [300, 299]]
    assert lengths_of([102, 101, 100, 99, 99], 99.0, LONGER_THAN_1) == [[102, 101], [100], [99, 99]]


def test_recordings_of_different_rates_never_share_a_batch() -> None:
    rows = pd.DataFrame({"num_samples": [200, 201, 200], "sample_rate": [100, 99, 100]})
    sizes = [len(batch) for batch in batches(rows, 9.0, LONGER_THAN_1)]
    assert sizes == [2, 1]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_codec_of_the_papers_but_freqcodec_can_be_padded(name: str) -> None:
    assert (fresh(name).shortest_padded is None) == (name in EQUAL_LENGTHS_ALONE)


def rows_of(codec: Codec, duration: float) -> list[Tensor]:
    """Recordings `[T]` of slightly different lengths, none of them a number of frames; the longest comes first."""
    assert codec.sample_rate is not None
    longest = int(duration * codec.sample_rate) // codec.hop_length * codec.hop_length + 7
    lengths = (longest, longest - 6, longest - codec.hop_length // 2 - 13)
    return [speech_like(codec.sample_rate, 1, length, seed)[0] for seed, length in enumerate(lengths)]


def watch_codes(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """What the codec encodes from now on."""
    codes: list[Tensor] = []
    encode_first = codec.encode_first

    def watched(wav: Tensor, number: int) -> Tensor:
        codes.append(encode_first(wav, number))
        return codes[-1]

    monkeypatch.setattr(codec, "encode_first", watched)
    return codes


def together_and_alone(codec: Codec, wavs: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """The outputs of a padded batch, cut to the lengths of its rows, and those of each row alone."""
    numbers, lengths = [codec.num_quantizers], [len(wav) for wav in wavs]
    ends, padded = codec.row_ends(), pad_sequence(wavs, batch_first=True)
    with torch.inference_mode():
        alone = [round_trip(codec, wav[None], numbers, 30.0)[0][0] for wav in wavs]
        if ends is None:
            (together,) = round_trip(codec, padded, numbers, 30.0)
        else:
            (together,) = padded_round_trip(codec, ends, padded, lengths, numbers)
    return [row[:length] for row, length in zip(together, lengths, strict=True)], alone


@pytest.mark.parametrize("name", [name for name in PADDED if not name.endswith("chunked")])
def test_a_padded_recording_has_the_codes_and_the_samples_that_it_has_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = fresh(name)
    codes = watch_codes(codec, monkeypatch)
    together, alone = together_and_alone(codec, rows_of(codec, DURATION))
    *codes_alone, codes_together = codes
    for row, expected in enumerate(codes_alone):
        assert torch.equal(codes_together[row, :, : expected.shape[2]], expected[0])
        torch.testing.assert_close(together[row], alone[row], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", WITH_ENDS)
def test_in_double_precision_the_samples_of_a_padded_recording_are_those_that_it_has_alone(name: str) -> None:
    """What is left in single precision is rounding."""
    codec = fresh(name)
    assert codec.network is not None
    codec.network.double()
    together, alone = together_and_alone(codec, [wav.double() for wav in rows_of(codec, DURATION)])
    for output, expected in zip(together, alone, strict=True):
        torch.testing.assert_close(output, expected, atol=1e-12, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NETWORKS if name not in EQUAL_LENGTHS_ALONE])
def test_at_its_published_size_a_codec_gives_a_padded_recording_the_codes_that_it_has_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = forms.fresh(FORMS[name], small=False, device=CPU, seed=0)
    assert codec.network is not None
    codec.network.requires_grad_(False)
    weight_norm.fold(codec.network)
    codes = watch_codes(codec, monkeypatch)
    together, alone = together_and_alone(codec, rows_of(codec, LONGER_THAN_1.shortest + 0.2))
    *codes_alone, codes_together = codes
    for row, expected in enumerate(codes_alone):
        differ = (codes_together[row, :, : expected.shape[2]] != expected[0]).any(dim=0)
        assert differ.float().mean() <= MOST_FRAMES
        snr = snr_db(together[row], alone[row])
        print(f"{name}: {int(differ.sum())} of {len(differ)} frames differ; {snr:.0f} dB")
        assert differ.any() or snr >= LEAST_SNR_DB


def test_a_padded_recording_would_have_other_samples_if_the_network_did_not_know_its_end() -> None:
    codec = fresh("soundstream_kaiidams")
    wavs = rows_of(codec, DURATION)
    with torch.inference_mode():
        alone = round_trip(codec, wavs[-1][None], [4], 30.0)[0][0]
        (together,) = round_trip(codec, pad_sequence(wavs, batch_first=True), [4], 30.0)
    assert (together[-1, : len(alone)] - alone).abs().max() > 1e-4


def test_soundstream_with_a_frame_of_zeros_after_each_recording_can_be_padded_as_well() -> None:
    codec = fresh("soundstream_kaiidams")
    codec._pads = True  # type: ignore[attr-defined]
    together, alone = together_and_alone(codec, rows_of(codec, DURATION))
    for output, expected in zip(together, alone, strict=True):
        torch.testing.assert_close(output, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("lookahead", [0, 37])
@pytest.mark.parametrize("name", ["audiodec_symmetric", "audiodec_vocoder"])
def test_audiodec_can_be_padded_with_any_lookahead(name: str, lookahead: int) -> None:
    codec = fresh(name)
    codec._lookahead = lookahead  # type: ignore[attr-defined]
    together, alone = together_and_alone(codec, rows_of(codec, DURATION))
    for output, expected in zip(together, alone, strict=True):
        torch.testing.assert_close(output, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "encodec" else pytest.mark.long) for name in PADDED]
)
def test_a_shard_with_padded_batches_has_the_audio_of_one_without(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = fresh(name)
    monkeypatch.setattr(shard, "load_codec", lambda *_: codec)
    codes = watch_codes(codec, monkeypatch)
    form, table = FORMS[name], corpus(tmp_path / "corpus")
    settings = ResynthesisSettings("a", form.wrapper, {"X": codec.num_quantizers}, 1, form.small)
    resynthesize_shard(settings, table, tmp_path / "corpus", None, 0, tmp_path / "cpu/c", CPU)
    with pretended_cuda() as gpu:
        assert codec.network is not None
        codec.network.to(CUDA)
        gpu.clear()
        resynthesize_shard(settings, table, tmp_path / "corpus", None, 0, tmp_path / "gpu/c", CUDA)
        assert gpu.num_waits == 0, gpu.waits
    assert [len(each) for each in codes] == [1, 1, 1, 3] or name.endswith("chunked")
    alone, together = (shards.AudioStore(tmp_path / device, [("c", "X")]) for device in ("cpu", "gpu"))
    for number, length in enumerate(LENGTHS):
        first, second = (store.read("c", "X", f"u{number}")[0] for store in (alone, together))
        assert len(first) == len(second) == length
        assert np.abs(first.astype(int) - second.astype(int)).max() <= 1  # a step of 16 bits


def corpus(root: Path) -> Path:
    """Utterances of different lengths; the path of their table."""
    root.mkdir()
    rows = []
    for number, length in enumerate(LENGTHS):
        path = root / f"u{number}.wav"
        soundfile.write(path, speech_like(16_000, 1, length, number)[0].numpy(), 16_000, subtype="PCM_16")
        row = dict.fromkeys(COLUMNS, "x") | {"utterance_id": path.stem, "path": path.name, "key": "bonafide"}
        sizes = {"sample_rate": 16_000, "num_samples": length, "channels": 1}
        rows.append(row | sizes | {"sha256": files.sha256(path)})
    files.write_parquet(root.with_suffix(".parquet"), pd.DataFrame(rows))
    return root.with_suffix(".parquet")
