"""Spoofs of a corpus go through codecs too, if the experiment says so; the other files of the shards do not change."""

from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from codec_wrappers.resynthesis.settings import ResynthesisSettings, Resynthesize
from codec_wrappers.resynthesis.shard import resynthesize_shard
from codecfake.audio.shards import AudioStore
from codecfake.base import files
from codecfake.base.utterances import COLUMNS, RESYNTHESIZE

KEYS = {f"u{number}": "spoof" if number % 2 else "bonafide" for number in range(6)}


@pytest.fixture
def corpus(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Three bona fide recordings and three spoofs, with their utterance table."""
    rows = []
    (tmp_path / "c").mkdir()
    for number, (name, key) in enumerate(KEYS.items()):
        path, length = tmp_path / "c" / f"{name}.wav", 800 + 10 * number
        soundfile.write(path, 0.1 * rng.standard_normal(length).clip(-3, 3), 16000)
        row = dict.fromkeys(COLUMNS, "x") | {"utterance_id": name, "path": path.name, "key": key, "channels": 1}
        rows.append(row | {"sample_rate": 16000, "num_samples": length, "sha256": files.sha256(path)})
    files.write_parquet(tmp_path / "c.parquet", pd.DataFrame(rows))
    return tmp_path / "c"


def shard(corpus: Path, resynthesize: Resynthesize) -> tuple[pd.DataFrame, dict[str, bytes]]:
    """The index of the only shard, and the bytes of its utterances."""
    root = corpus.parent / resynthesize
    settings = ResynthesisSettings("through", "passthrough", {"P00": 1}, num_shards=1, resynthesize=resynthesize)
    resynthesize_shard(settings, corpus.with_suffix(".parquet"), corpus, None, 0, root / "c", torch.device("cpu"))
    index = pd.read_parquet(root / "c/P00/0000.parquet")
    store = AudioStore(root, [("c", "P00")])
    return index, {name: store.read_bytes("c", "P00", name) for name in index["utterance_id"]}


def test_every_choice_is_one_of_the_settings() -> None:
    assert set(RESYNTHESIZE) == set(get_args(Resynthesize))


@pytest.mark.parametrize("resynthesize", get_args(Resynthesize))
def test_a_shard_has_the_utterances_with_the_keys_of_its_experiment(corpus: Path, resynthesize: Resynthesize) -> None:
    index, _ = shard(corpus, resynthesize)
    assert sorted(index["utterance_id"]) == [name for name, key in KEYS.items() if key in RESYNTHESIZE[resynthesize]]


def test_resynthesized_spoofs_change_no_byte_of_resynthesized_bona_fide_speech(corpus: Path) -> None:
    both, bonafide, spoof = (shard(corpus, each)[1] for each in ("both", "bonafide", "spoof"))  # type: ignore[arg-type]
    assert both == {**bonafide, **spoof}


def test_an_index_has_the_key_of_each_original_if_spoofs_are_resynthesized(corpus: Path) -> None:
    index, _ = shard(corpus, "both")
    assert dict(zip(index["utterance_id"], index["original_key"], strict=True)) == KEYS
    assert "original_key" not in shard(corpus, "bonafide")[0]
