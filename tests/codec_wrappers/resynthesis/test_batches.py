"""Batches of different lengths: only of codecs for which padding changes nothing, and with little of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from pretended_cuda import CUDA, pretended_cuda

from codec_wrappers import entry
from codec_wrappers.codec import Codec
from codec_wrappers.contract import forms
from codec_wrappers.contract.forms import FORMS
from codec_wrappers.contract.signals import speech_like
from codec_wrappers.resynthesis import shard
from codec_wrappers.resynthesis.batches import batches
from codec_wrappers.resynthesis.shard import ResynthesisSettings, resynthesize_shard
from codecfake.audio import shards
from codecfake.base import files
from codecfake.base.utterances import COLUMNS

CPU = torch.device("cpu")
CAUSAL = ["audiodec_symmetric", "audiodec_vocoder"]
LENGTHS = (4_001, 4_100, 4_300)  # at 16 kHz


def fresh(name: str) -> Codec:
    return forms.fresh(FORMS[name], small=True, device=CPU, seed=0)


def lengths_of(num_samples: list[int], batch_duration: float, longest_padded: float) -> list[list[int]]:
    rows = pd.DataFrame({"num_samples": num_samples, "sample_rate": 100})
    return [[row.num_samples for row in batch] for batch in batches(rows, batch_duration, longest_padded)]


def test_similar_lengths_share_a_batch_only_where_padding_is_allowed() -> None:
    assert lengths_of([100, 105, 108, 200], 9.0, 0.0) == [[100], [105], [108], [200]]
    assert lengths_of([100, 105, 108, 200], 9.0, 30.0) == [[100, 105, 108], [200]]


def test_a_batch_has_at_most_a_tenth_of_padding_in_a_row_and_its_duration_counts_it() -> None:
    assert lengths_of([90, 100, 101], 9.0, 30.0) == [[90, 100], [101]]
    assert lengths_of([90, 100, 100], 2.9, 30.0) == [[90, 100], [100]]


def test_recordings_that_go_through_windows_are_not_padded() -> None:
    assert lengths_of([299, 300, 301], 99.0, 3.0) == [[299, 300], [301]]


def test_a_codec_is_called_causal_only_if_padding_changes_no_code() -> None:
    networks = [name for name, form in FORMS.items() if entry(form.wrapper).has_fresh_form and name != "passthrough"]
    assert sorted(name for name in networks if fresh(name).causal) == CAUSAL


@pytest.mark.parametrize("lookahead", [0, 37])
@pytest.mark.parametrize("name", CAUSAL)
def test_a_padded_recording_has_the_codes_and_the_samples_that_it_has_alone(name: str, lookahead: int) -> None:
    codec = fresh(name)
    codec._lookahead = lookahead  # type: ignore[attr-defined]
    wavs = [speech_like(24_000, 1, length, seed)[0] for seed, length in enumerate(LENGTHS)]
    padded = torch.nn.utils.rnn.pad_sequence(wavs, batch_first=True)
    with torch.inference_mode():
        codes = codec.encode(padded)
        samples = codec.decode(codes)
        for row, wav in enumerate(wavs):
            alone = codec.encode(wav[None])
            assert torch.equal(codes[row, :, : alone.shape[2]], alone[0])
            torch.testing.assert_close(samples[row, : len(wav)], codec.decode(alone)[0, : len(wav)], atol=1e-5, rtol=0)


def test_a_shard_with_padded_batches_has_the_audio_of_one_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = fresh("audiodec_symmetric")
    monkeypatch.setattr(shard, "load_codec", lambda *_: codec)
    sizes: list[int] = []
    encode = codec.encode_first
    monkeypatch.setattr(codec, "encode_first", lambda wav, number: (sizes.append(len(wav)), encode(wav, number))[1])
    form, table = FORMS["audiodec_symmetric"], corpus(tmp_path / "corpus")
    settings = ResynthesisSettings("a", form.wrapper, {"X": codec.num_quantizers}, 1, form.small)
    resynthesize_shard(settings, table, tmp_path / "corpus", None, 0, tmp_path / "cpu/c", CPU)
    with pretended_cuda():
        assert codec.network is not None
        codec.network.to(CUDA)
        resynthesize_shard(settings, table, tmp_path / "corpus", None, 0, tmp_path / "gpu/c", CUDA)
    assert sizes == [1, 1, 1, 3]
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
