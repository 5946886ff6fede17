"""Features on disk: computed once, the same for every run, never half, never of other weights, never damaged unseen."""

import dataclasses
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tones
import torch
from torch import Tensor

from codecfake.base import files
from codecfake.detectors import FeatureShape, models
from codecfake.detectors.detector import DetectorSettings
from codecfake.features import cache
from codecfake.features.cache import DIGESTS, FEATURES, RECORD, CachePlace, DiskFeatures, FeatureCacheError, with_cache
from codecfake.features.clips import Clips
from codecfake.features.streaming import CachedFeatures, StreamedFeatures, in_order
from codecfake.protocols import trials
from codecfake.training.loop import TrainSettings, train

CPU = torch.device("cpu")
CROP = 3_200
WEIGHTS = {"front_end": {"name": "folded"}, "front_end_weights_sha256": "a"}


class Folded(torch.nn.Module):
    """A front-end that counts: `[B, 3200]` -> `[B, 10, 320]`."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.num_clips = 0
        self._scale = scale

    def shape(self, num_samples: int) -> FeatureShape:
        return FeatureShape(10, num_samples // 10, frames_first=False)

    def forward(self, wav: Tensor) -> Tensor:
        self.num_clips += len(wav)
        return self._scale * wav.reshape(len(wav), 10, 320)


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tones.write_audio(tmp_path_factory.mktemp("audio"), num_utterances=10)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return trials.read([tones.write_protocol(tmp_path_factory.mktemp("lists") / "all.tsv", range(10))])


@pytest.fixture
def clips(table: pd.DataFrame, audio: Path) -> Clips:
    return Clips(table, audio, CROP)


def disk_features(
    clips: Clips, folder: Path, front_end: Folded, of: dict[str, Any] = WEIGHTS, limit: float = 1e9, workers: int = 0
) -> DiskFeatures:
    streamed = StreamedFeatures(clips, front_end, CPU, workers)
    return DiskFeatures(streamed, 6, "train", CachePlace(folder, limit), of)


def in_full(features: cache.Features, number: int = 20, size: int = 7) -> Tensor:
    return torch.cat(list(features.batches(in_order(number, size))))


def only_folder(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_is_read_is_what_was_computed_in_half_precision(clips: Clips, tmp_path: Path) -> None:
    exact = in_full(StreamedFeatures(clips, Folded(), CPU))
    read = in_full(disk_features(clips, tmp_path, Folded()))
    assert read.dtype == torch.float32
    assert torch.equal(read, exact.half().float())
    order = [np.array([19, 3]), np.array([0])]
    batches = list(disk_features(clips, tmp_path, Folded()).batches(order, epoch=4))
    assert torch.equal(batches[0], read[[19, 3]])
    assert torch.equal(batches[1], read[[0]])


def test_a_second_run_computes_nothing(clips: Clips, tmp_path: Path) -> None:
    first, second = Folded(), Folded()
    disk_features(clips, tmp_path, first)
    disk_features(clips, tmp_path, second)
    assert (first.num_clips, second.num_clips) == (20, 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_workers_reads_the_same(workers: int, clips: Clips, tmp_path: Path) -> None:
    alone = in_full(disk_features(clips, tmp_path, Folded()))
    assert torch.equal(in_full(disk_features(clips, tmp_path, Folded(), workers=workers)), alone)


def test_features_of_other_weights_or_clips_are_not_used(
    clips: Clips, table: pd.DataFrame, audio: Path, tmp_path: Path
) -> None:
    disk_features(clips, tmp_path, Folded())
    others = [
        (clips, {**WEIGHTS, "front_end_weights_sha256": "b"}),
        (Clips(table.iloc[::-1], audio, CROP), WEIGHTS),
        (Clips(table, audio, CROP, pad="zero"), WEIGHTS),
    ]
    for count, (other_clips, of) in enumerate(others):
        front_end = Folded(2.0)
        features = disk_features(other_clips, tmp_path, front_end, of)
        assert front_end.num_clips == 20
        assert torch.equal(in_full(features), in_full(StreamedFeatures(other_clips, Folded(2.0), CPU)).half().float())
        assert len(list(tmp_path.iterdir())) == 2 + count


def test_the_size_is_known_before_anything_is_written(clips: Clips, tmp_path: Path) -> None:
    num_bytes = 20 * (10 * 320 * 2 + 32)
    message = "the features of 20 trials take 0.000 GB .10 x 320 of 2 bytes each., but the limit allows 0.000 GB; give"
    front_end = Folded()
    with pytest.raises(FeatureCacheError, match=message):
        disk_features(clips, tmp_path, front_end, limit=num_bytes - 1)
    assert front_end.num_clips == 0
    assert not (only_folder(tmp_path) / FEATURES).exists()
    disk_features(clips, tmp_path, Folded(), limit=num_bytes)
    folder = only_folder(tmp_path)
    assert (folder / FEATURES).stat().st_size + (folder / DIGESTS).stat().st_size == num_bytes


def test_a_disk_that_is_too_small_is_refused(clips: Clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100_000))
    with pytest.raises(FeatureCacheError, match="but the disk has 0.000 GB; give another folder or limit, or set"):
        disk_features(clips, tmp_path, Folded())


class KilledError(Exception):
    """Stands for a kill signal."""


class Killed(Folded):
    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def forward(self, wav: Tensor) -> Tensor:
        if self.num_clips >= self._after:
            raise KilledError
        return super().forward(wav)


# Batches are of 6, 6, 6 and 2.
@pytest.mark.parametrize(("after", "rest"), [(0, 20), (6, 14), (12, 8), (18, 2)])
def test_a_killed_run_goes_on_where_it_ended(after: int, rest: int, clips: Clips, tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        disk_features(clips, tmp_path / "killed", Killed(after))
    assert not list(tmp_path.glob(f"killed/*/{RECORD}"))
    front_end = Folded()
    disk_features(clips, tmp_path / "killed", front_end)
    disk_features(clips, tmp_path / "whole", Folded())
    assert front_end.num_clips == rest
    for name in (FEATURES, DIGESTS, RECORD):
        one, other = (only_folder(tmp_path / run) / name for run in ("killed", "whole"))
        assert one.read_bytes() == other.read_bytes()


def test_a_batch_that_was_half_written_is_computed_again(clips: Clips, tmp_path: Path) -> None:
    with pytest.raises(KilledError):
        disk_features(clips, tmp_path, Killed(12))
    flip(only_folder(tmp_path) / FEATURES, 6_400 * 7)
    front_end = Folded()
    features = disk_features(clips, tmp_path, front_end)
    assert front_end.num_clips == 14
    assert torch.equal(in_full(features), in_full(StreamedFeatures(clips, Folded(), CPU)).half().float())


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_damaged_features_are_refused_when_they_are_read(clips: Clips, tmp_path: Path) -> None:
    disk_features(clips, tmp_path, Folded())
    flip(only_folder(tmp_path) / FEATURES, 6_400 * 11 + 5)
    features = disk_features(clips, tmp_path, Folded())
    assert len(list(features.batches([np.arange(11), np.arange(12, 20)]))) == 2
    with pytest.raises(
        FeatureCacheError, match="damaged, the sha256 of trial 11 differs from the one .*; delete this folder"
    ):
        next(features.batches([np.array([11])]))


@pytest.mark.parametrize("name", [FEATURES, DIGESTS])
def test_a_cache_that_was_cut_off_is_refused(name: str, clips: Clips, tmp_path: Path) -> None:
    disk_features(clips, tmp_path, Folded())
    path = only_folder(tmp_path) / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FeatureCacheError, match="damaged, its size or its digests differ from those that were written"):
        disk_features(clips, tmp_path, Folded())


def test_changed_digests_are_refused(clips: Clips, tmp_path: Path) -> None:
    disk_features(clips, tmp_path, Folded())
    flip(only_folder(tmp_path) / DIGESTS, 40)
    with pytest.raises(FeatureCacheError, match="damaged, its size or its digests"):
        disk_features(clips, tmp_path, Folded())


def test_features_beyond_half_precision_are_refused(clips: Clips, tmp_path: Path) -> None:
    with pytest.raises(FeatureCacheError, match=r"features reach \d\S+, above the maximum of half precision, 65504;"):
        disk_features(clips, tmp_path, Folded(1e7))


def test_two_runs_at_once_compute_features_once(clips: Clips, tmp_path: Path) -> None:
    front_ends = [Folded(), Folded()]
    runs = [threading.Thread(target=disk_features, args=(clips, tmp_path, front_end)) for front_end in front_ends]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert sorted(front_end.num_clips for front_end in front_ends) == [0, 20]


def test_the_record_says_of_what_the_features_are(clips: Clips, tmp_path: Path) -> None:
    disk_features(clips, tmp_path, Folded())
    record = json.loads((only_folder(tmp_path) / RECORD).read_text())
    assert record.items() >= {**WEIGHTS, "clips": clips.digest(), "shape": [20, 10, 320]}.items()
    assert record[DIGESTS] == files.sha256(only_folder(tmp_path) / DIGESTS)


# choosing


def test_features_are_kept_where_it_was_asked_for(clips: Clips, tmp_path: Path) -> None:
    streamed = StreamedFeatures(clips, Folded(), CPU)
    place = CachePlace(tmp_path)
    assert with_cache(streamed, "none", 8, "train", None, WEIGHTS) is streamed
    assert isinstance(with_cache(streamed, "memory", 8, "train", None, WEIGHTS), CachedFeatures)
    assert isinstance(with_cache(streamed, "disk", 8, "train", place, WEIGHTS), DiskFeatures)
    with pytest.raises(FeatureCacheError, match="cache_features is disk; give a folder with --feature-cache FOLDER"):
        with_cache(streamed, "disk", 8, "train", None, WEIGHTS)


def test_clips_that_change_are_not_kept(table: pd.DataFrame, audio: Path, tmp_path: Path) -> None:
    streamed = StreamedFeatures(Clips(table, audio, 1_000, "random"), Folded(), CPU)
    for kind in ("memory", "disk"):
        with pytest.raises(FeatureCacheError, match=f"cache_features is {kind}, but cropping or augmentation changes"):
            with_cache(streamed, kind, 8, "train", CachePlace(tmp_path), WEIGHTS)


# training

RANDOM_W2V2 = {
    "name": "wav2vec2",
    "weights": "random",
    "layer": 1,
    "config": {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16, "conv_dim": [8] * 7},
}
SETTINGS = TrainSettings(
    detector=DetectorSettings(RANDOM_W2V2, {"name": "aasist", "channels": [4, 4], "graph_dims": [4, 4]}),
    crop_samples=4_000,
    batch_size=8,
    epochs=1,
    tensorboard=False,
)


@pytest.mark.long
def test_seeds_and_strategies_share_features_on_disk(audio: Path, tmp_path: Path) -> None:
    lists = (
        [tones.write_protocol(tmp_path / "train.tsv", range(8))],
        [tones.write_protocol(tmp_path / "dev.tsv", range(8, 10))],
    )
    weights = []
    for name, changes, workers in (
        ("1", {}, 0),
        ("again", {}, 2),
        ("other", {"strategy": "sam", "seed": 5}, 0),
    ):
        settings = dataclasses.replace(SETTINGS, cache_features="disk", **changes)
        train(*lists, audio, tmp_path / name, settings, CPU, workers, CachePlace(tmp_path / "features"))
        weights.append((tmp_path / name / models.WEIGHTS).read_bytes())
    assert len(list((tmp_path / "features").iterdir())) == 2  # train and dev
    assert weights[0] == weights[1]
    assert weights[1] != weights[2]
    assert json.loads((tmp_path / "1" / models.SETTINGS).read_text())["settings"]["cache_features"] == "disk"


@pytest.mark.parametrize(("choice", "kind"), [(True, "memory"), (False, "none"), ("disk", "disk"), ("none", "none")])
def test_where_features_are_kept_may_be_said_in_two_ways(choice: bool | str, kind: str) -> None:
    settings = dataclasses.replace(SETTINGS, cache_features=choice)
    assert settings.cache == settings.complete()["cache_features"] == kind


@pytest.mark.parametrize("front_end", ["mel", "sinc"])
def test_features_that_are_as_soon_computed_as_read_are_not_kept_on_disk(front_end: str) -> None:
    fast = DetectorSettings({"name": front_end}, {"name": "lcnn"})
    settings = dataclasses.replace(SETTINGS, cache_features="disk", detector=fast)
    assert settings.cache == settings.complete()["cache_features"] == "none"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cache_features": "ram"}, "cache_features: unknown place 'ram'; choose from true, false, none, memory, disk"),
        ({"cache_features": True, "crop": "random"}, "cache_features: memory, but train clips are cropped or"),
        ({"cache_features": "disk", "augmentation": [{"name": "speed"}]}, "cache_features: disk, but train clips"),
        ({"crop": "middle"}, "crop: unknown crop 'middle'; choose from first, random"),
        ({"pad": "mirror"}, "pad: unknown pad 'mirror'; choose from repeat, zero"),
        ({"front_end_precision": "float16"}, "unknown front end precision 'float16'; did you mean 'bfloat16'"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SETTINGS, **changes)
