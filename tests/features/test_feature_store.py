"""Stored features: computed once for all runs, never half, never of other weights, never damaged unnoticed."""

import dataclasses
import json
import multiprocessing
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tones
import torch
from torch import Tensor
from tqdm import tqdm

from codecfake.detectors import FeatureShape, models
from codecfake.detectors.detector import DetectorSettings
from codecfake.detectors.detector import score as score_of
from codecfake.detectors.front_end import FrontEnd
from codecfake.detectors.ssl import Wav2Vec2
from codecfake.features import cache
from codecfake.features.cache import DiskFeatures, with_cache
from codecfake.features.clips import Clips
from codecfake.features.extraction import extract
from codecfake.features.half_precision import HalfPrecisionError
from codecfake.features.parts import STORE, FeatureCacheError
from codecfake.features.store import CachePlace, FeatureStore
from codecfake.features.store_settings import StoreSettings
from codecfake.features.streaming import CachedFeatures, StreamedFeatures, in_order
from codecfake.protocols import trials
from codecfake.scoring.conditions import Scorer
from codecfake.training.loop import HISTORY, TrainSettings, train

CPU = torch.device("cpu")
CROP = 3_200
CLIP_BYTES = 10 * 320 * 2
OF_FOLDED = StoreSettings(
    {"name": "mel"}, CROP, "repeat", "float32"
)  # the name of a front-end that has no code to hash


class Folded(FrontEnd):
    """A front-end that counts: `[B, 3200]` -> `[B, 10, 320]`."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.num_clips = 0
        self.register_buffer("scale", torch.tensor(scale))

    def shape(self, num_samples: int) -> FeatureShape:
        return FeatureShape(10, num_samples // 10, frames_first=False)

    def forward(self, wav: Tensor) -> Tensor:
        self.num_clips += len(wav)
        return self.scale * wav.reshape(len(wav), 10, 320)


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tones.write_audio(tmp_path_factory.mktemp("audio"), num_utterances=10)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return trials.read([tones.write_protocol(tmp_path_factory.mktemp("lists") / "all.tsv", range(10))])


@pytest.fixture
def clips(table: pd.DataFrame, audio: Path) -> Clips:
    return Clips(table, audio, CROP)


def streamed_features(clips: Clips, front_end: Folded, workers: int = 0) -> StreamedFeatures:
    return StreamedFeatures(clips, front_end, CPU, workers, feature_precision="float16")


def disk_features(
    clips: Clips,
    folder: Path,
    front_end: Folded,
    settings: StoreSettings = OF_FOLDED,
    limit: float = 1e9,
    workers: int = 0,
) -> DiskFeatures:
    store = FeatureStore(CachePlace(folder, limit), settings, front_end)
    return DiskFeatures(streamed_features(clips, front_end, workers), store)


def in_full(features: cache.Features, number: int = 20, size: int = 7) -> Tensor:
    return torch.cat(list(features.batches(in_order(number, size))))


def files_in(folder: Path) -> list[Path]:
    """The files with features."""
    return sorted(folder.rglob("*.f16"))


def test_what_is_read_is_what_is_computed_without_a_store_in_half_precision(clips: Clips, tmp_path: Path) -> None:
    exact = in_full(StreamedFeatures(clips, Folded(), CPU))
    read = in_full(disk_features(clips, tmp_path, Folded()))
    assert read.dtype == torch.float32
    assert torch.equal(read, exact.half().float())
    assert torch.equal(read, in_full(streamed_features(clips, Folded())))
    order = [np.array([19, 3]), np.array([0])]
    batches = list(disk_features(clips, tmp_path, Folded()).batches(order, epoch=4))
    assert torch.equal(batches[0], read[[19, 3]])
    assert torch.equal(batches[1], read[[0]])


def test_the_files_are_sharded_as_the_audio(clips: Clips, tmp_path: Path) -> None:
    disk_features(clips, tmp_path, Folded())
    names = [path.relative_to(tmp_path).parts[2:] for path in files_in(tmp_path)]
    assert names == [("tones", "F00", "0000-0.f16"), ("tones", "F01", "0000-0.f16")]
    assert [path.stat().st_size for path in files_in(tmp_path)] == [10 * CLIP_BYTES] * 2


def test_lists_that_overlap_share_features(table: pd.DataFrame, audio: Path, tmp_path: Path) -> None:
    front_end, exact = Folded(), in_full(streamed_features(Clips(table, audio, CROP), Folded()))
    for numbers in ([0, 1, 12], [12, 1, 0], [3, 0, 13], list(range(20)), list(range(19, -1, -1))):
        clips = Clips(table.iloc[numbers].reset_index(drop=True), audio, CROP)
        assert torch.equal(in_full(disk_features(clips, tmp_path, front_end), len(numbers)), exact[numbers])
    assert front_end.num_clips == 20


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_workers_reads_the_same(workers: int, clips: Clips, tmp_path: Path) -> None:
    alone = in_full(disk_features(clips, tmp_path, Folded()))
    assert torch.equal(in_full(disk_features(clips, tmp_path, Folded(), workers=workers)), alone)


def test_more_files_than_may_be_open_are_read(clips: Clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MAX_OPEN", 1)
    order = [np.array([0, 19, 1]), np.array([18, 2])]
    batches = list(disk_features(clips, tmp_path, Folded()).batches(order))
    assert torch.equal(torch.cat(batches), in_full(streamed_features(clips, Folded()))[[0, 19, 1, 18, 2]])


def test_features_of_other_weights_clips_or_recordings_are_not_used(
    clips: Clips, table: pd.DataFrame, audio: Path, tmp_path: Path
) -> None:
    features = tmp_path / "features"
    disk_features(clips, features, Folded())
    others = [
        (2.0, clips, OF_FOLDED),
        (1.0, Clips(table, audio, CROP, pad="zero"), dataclasses.replace(OF_FOLDED, pad="zero")),
        (1.0, Clips(table, tones.write_audio(tmp_path / "other", 10, 8_000), CROP), OF_FOLDED),
    ]
    for scale, other_clips, settings in others:
        front_end = Folded(scale)
        read = in_full(disk_features(other_clips, features, front_end, settings))
        assert front_end.num_clips == 20
        assert torch.equal(read, in_full(streamed_features(other_clips, Folded(scale))))
    assert len(list(features.glob(f"*/*/{STORE}"))) == 3


def test_a_folder_of_another_store_is_refused(clips: Clips, tmp_path: Path) -> None:
    disk_features(clips, tmp_path, Folded())
    (record,) = tmp_path.glob(f"*/*/{STORE}")
    record.write_text(record.read_text().replace("repeat", "zero"))
    with pytest.raises(FeatureCacheError, match=r"store\.json describes other features; delete this folder"):
        disk_features(clips, tmp_path, Folded())


def test_the_size_is_known_before_anything_is_written(clips: Clips, tmp_path: Path) -> None:
    message = "the features of 20 clips take 0.000 GB .10 x 320 of 2 bytes each., but the limit leaves 0.000 GB; give"
    front_end = Folded()
    with pytest.raises(FeatureCacheError, match=message):
        disk_features(clips, tmp_path, front_end, limit=20 * CLIP_BYTES - 1)
    assert front_end.num_clips == 0
    assert files_in(tmp_path) == []
    disk_features(clips, tmp_path, front_end, limit=20 * CLIP_BYTES)
    assert sum(path.stat().st_size for path in files_in(tmp_path)) == 20 * CLIP_BYTES


def test_a_disk_that_is_too_small_is_refused(clips: Clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=100_000))
    with pytest.raises(FeatureCacheError, match="but the disk has 0.000 GB; give another folder or limit, or set"):
        disk_features(clips, tmp_path, Folded())


class Killed(Folded):
    """A front-end whose process is killed when it has computed some clips."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._after = after

    def forward(self, wav: Tensor) -> Tensor:
        if self.num_clips >= self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(wav)


@pytest.mark.parametrize(("after", "rest"), [(6, 20), (16, 10)])
def test_a_killed_run_continues_with_the_shard_that_it_was_writing(
    after: int, rest: int, clips: Clips, tmp_path: Path
) -> None:
    arguments = (clips, tmp_path / "killed", Killed(after))
    process = multiprocessing.get_context("fork").Process(target=disk_features, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(files_in(tmp_path / "killed")) == after // 10
    front_end = Folded()
    disk_features(clips, tmp_path / "killed", front_end)
    disk_features(clips, tmp_path / "whole", Folded())
    assert front_end.num_clips == rest
    for killed, whole in zip(files_in(tmp_path / "killed"), files_in(tmp_path / "whole"), strict=True):
        assert killed.relative_to(tmp_path / "killed") == whole.relative_to(tmp_path / "whole")
        assert killed.read_bytes() == whole.read_bytes()


def test_numbers_without_an_index_are_written_again(clips: Clips, tmp_path: Path) -> None:
    disk_features(clips, tmp_path, Folded())
    path = files_in(tmp_path)[1]
    path.write_bytes(b"half")
    path.with_suffix(".parquet").unlink()
    front_end = Folded()
    assert torch.equal(in_full(disk_features(clips, tmp_path, front_end)), in_full(streamed_features(clips, Folded())))
    assert front_end.num_clips == 10


def test_deleted_features_are_computed_again(clips: Clips, tmp_path: Path) -> None:
    whole = in_full(disk_features(clips, tmp_path / "features", Folded()))
    shutil.rmtree(tmp_path / "features")
    assert torch.equal(in_full(disk_features(clips, tmp_path / "features", Folded())), whole)


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_damaged_features_are_refused_when_they_are_read(clips: Clips, tmp_path: Path) -> None:
    disk_features(clips, tmp_path, Folded())
    flip(files_in(tmp_path)[1], CLIP_BYTES + 5)
    features = disk_features(clips, tmp_path, Folded())
    assert len(list(features.batches([np.arange(11), np.arange(12, 20)]))) == 2
    with pytest.raises(FeatureCacheError, match="damaged, the sha256 of clip 1 differs from the one .*; delete it and"):
        next(features.batches([np.array([11])]))


@pytest.mark.parametrize("suffix", [".f16", ".parquet"])
def test_a_file_that_was_cut_off_is_refused(suffix: str, clips: Clips, tmp_path: Path) -> None:
    disk_features(clips, tmp_path, Folded())
    path = files_in(tmp_path)[0].with_suffix(suffix)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FeatureCacheError, match=r"damaged, its (size|index) differs from the one that was written"):
        disk_features(clips, tmp_path, Folded())


def test_features_beyond_half_precision_are_refused(clips: Clips, tmp_path: Path) -> None:
    message = r"features reach \d\S+, above the maximum of half precision, 65504; set feature_precision to float32"
    for features in (streamed_features(clips, Folded(1e7)), disk_features):
        with pytest.raises(HalfPrecisionError, match=message):
            in_full(features if isinstance(features, StreamedFeatures) else features(clips, tmp_path, Folded(1e7)))


def test_two_runs_at_once_compute_features_once(clips: Clips, tmp_path: Path) -> None:
    front_ends = [Folded(), Folded()]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda front_end: in_full(disk_features(clips, tmp_path, front_end)), front_ends))
    assert sum(front_end.num_clips for front_end in front_ends) == 20
    assert torch.equal(*runs)


def test_the_record_says_of_what_the_features_are(clips: Clips, tmp_path: Path) -> None:
    front_end = Folded()
    disk_features(clips, tmp_path, front_end)
    (record,) = tmp_path.glob(f"{OF_FOLDED.name}/*/{STORE}")
    expected = {**dataclasses.asdict(OF_FOLDED), "front_end_weights_sha256": front_end.digest(), "shape": [10, 320]}
    assert json.loads(record.read_text()) == expected


# choosing


def test_features_are_kept_where_it_was_asked_for(clips: Clips, tmp_path: Path) -> None:
    streamed = streamed_features(clips, Folded())
    assert with_cache(streamed, "none", 8, "train", None, OF_FOLDED) is streamed
    assert isinstance(with_cache(streamed, "memory", 8, "train", None, OF_FOLDED), CachedFeatures)
    assert isinstance(with_cache(streamed, "disk", 8, "train", CachePlace(tmp_path), OF_FOLDED), DiskFeatures)
    with pytest.raises(FeatureCacheError, match="cache_features is disk; give a folder with --feature-cache FOLDER"):
        with_cache(streamed, "disk", 8, "train", None, OF_FOLDED)


def test_clips_that_change_are_not_kept(table: pd.DataFrame, audio: Path, tmp_path: Path) -> None:
    streamed = StreamedFeatures(Clips(table, audio, 1_000, "random"), Folded(), CPU)
    for kind in ("memory", "disk"):
        with pytest.raises(FeatureCacheError, match=f"cache_features is {kind}, but cropping or augmentation changes"):
            with_cache(streamed, kind, 8, "train", CachePlace(tmp_path), OF_FOLDED)


# training

RANDOM_W2V2 = {
    "name": "wav2vec2",
    "weights": "random",
    "layer": 1,
    "config": {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16, "conv_dim": [8] * 7},
}
SETTINGS = TrainSettings(
    detector=DetectorSettings(RANDOM_W2V2, {"name": "pooling"}),
    crop_samples=2_000,
    batch_size=4,
    epochs=1,
    tensorboard=False,
)
TRAINING_SETS = (  # numbers of utterances for train and dev
    (range(6), range(6, 8)), (range(4), range(6, 8)), (range(2, 6), range(6, 8)), (range(7), range(7, 9)),
    (range(1, 7), range(8, 10)),
)  # fmt: skip


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The clips that the front-end of trainings gets, in order."""
    clips: list[bytes] = []
    forward = Wav2Vec2.forward

    def counting(self: Wav2Vec2, wav: Tensor) -> Tensor:
        clips.extend(clip.numpy().tobytes() for clip in wav)
        return forward(self, wav)

    monkeypatch.setattr(Wav2Vec2, "forward", counting)
    return clips


def trained(
    audio: Path, output: Path, numbers: tuple[range, range], store: Path | None, **changes: Any
) -> dict[str, bytes]:
    """The bytes of a model, without the record of its settings."""
    settings = dataclasses.replace(SETTINGS, **changes)
    lists = [[tones.write_protocol(output / f"{of.start}-{of.stop}.tsv", of)] for of in numbers]
    train(*lists, audio, output, settings, CPU, 0, CachePlace(store) if store else None)
    return {name: (output / name).read_bytes() for name in (models.WEIGHTS, HISTORY, "calibration.json")}


@pytest.mark.long
def test_five_training_sets_call_the_front_end_once_per_clip_and_a_model_is_the_same_without_a_store(
    audio: Path, tmp_path: Path, counted: list[bytes]
) -> None:
    store = tmp_path / "features"
    with_store = [
        trained(audio, tmp_path / f"with{n}", numbers, store, cache_features="disk", seed=n)
        for n, numbers in enumerate(TRAINING_SETS)
    ]
    assert len(counted) == len(set(counted)) == 20
    without = trained(audio, tmp_path / "without", TRAINING_SETS[2], None, feature_precision="float16", seed=2)
    assert len(counted) == 20 + 2 * sum(map(len, TRAINING_SETS[2]))
    assert with_store[2] == without


def test_trainings_read_features_that_were_extracted_before_and_give_the_weights_that_they_give_without_a_store(
    audio: Path, tmp_path: Path, counted: list[bytes]
) -> None:
    lists = [tones.write_protocol(tmp_path / f"{n}.tsv", part) for n, part in enumerate((range(6), range(4, 8)))]
    settings = dataclasses.replace(SETTINGS, cache_features="disk")
    place = CachePlace(tmp_path / "features")
    for source in (tones.RECORDINGS, tones.SOURCE):
        output = tmp_path / f"features/{settings.store.name}/tones/{source}.tsv"
        extract(lists, tones.CORPUS, source, audio, output, settings.store, CPU, 0, place)
        (row,) = pd.read_csv(output, sep="\t").to_dict("records")
        assert row["clips"] == 8
        assert (place.folder / row["file"]).is_file()
    assert len(counted) == 16
    with_store = [
        trained(audio, tmp_path / name, TRAINING_SETS[0], place.folder, cache_features="disk", strategy=name)
        for name in ("erm", "sam")
    ]
    assert len(counted) == 16
    assert with_store[0] == trained(audio, tmp_path / "without", TRAINING_SETS[0], None, feature_precision="float16")


def test_scoring_rounds_features_as_training_did(audio: Path, table: pd.DataFrame, tmp_path: Path) -> None:
    clips = Clips(table, audio, SETTINGS.crop_samples)
    scores, expected = {}, {}
    for precision in ("float16", "float32"):
        trained(audio, tmp_path / precision, TRAINING_SETS[0], None, feature_precision=precision)
        scorer = Scorer(tmp_path / precision, audio, CPU, 20, 0, None)
        scores[precision] = scorer.of_source(table, tqdm(disable=True))
        detector, _ = models.load(tmp_path / precision, CPU)
        features = StreamedFeatures(clips, detector.front_end, CPU, feature_precision=precision)
        with torch.no_grad():
            expected[precision] = score_of(detector.head(in_full(features, size=20))).numpy()
        assert np.array_equal(scores[precision], expected[precision])
    assert not np.array_equal(scores["float16"], scores["float32"])


def test_only_rounded_features_are_recorded_as_such(tmp_path: Path) -> None:
    assert "feature_precision" not in SETTINGS.complete()
    for changes in ({"cache_features": "disk"}, {"feature_precision": "float16"}):
        settings = dataclasses.replace(SETTINGS, **changes)
        assert settings.complete()["feature_precision"] == "float16"


@pytest.mark.parametrize(("choice", "kind"), [(True, "memory"), (False, "none"), ("disk", "disk"), ("none", "none")])
def test_where_features_are_kept_may_be_said_in_two_ways(choice: bool | str, kind: str) -> None:
    settings = dataclasses.replace(SETTINGS, cache_features=choice)
    assert settings.cache == settings.complete()["cache_features"] == kind


@pytest.mark.parametrize("front_end", ["mel", "sinc"])
def test_features_that_are_as_soon_computed_as_read_are_neither_on_disk_nor_rounded(front_end: str) -> None:
    fast = DetectorSettings({"name": front_end}, {"name": "lcnn"})
    for changes in ({"cache_features": "disk"}, {"feature_precision": "float16"}):
        settings = dataclasses.replace(SETTINGS, detector=fast, **changes)
        assert settings.cache == settings.complete()["cache_features"] == "none"
        assert "feature_precision" not in settings.complete()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cache_features": "ram"}, "cache_features: unknown place 'ram'; choose from true, false, none, memory, disk"),
        ({"cache_features": True, "crop": "random"}, "cache_features: memory, but train clips are cropped or"),
        ({"cache_features": "disk", "augmentation": [{"name": "speed"}]}, "cache_features: disk, but train clips"),
        ({"crop": "middle"}, "crop: unknown crop 'middle'; choose from first, random"),
        ({"pad": "mirror"}, "pad: unknown pad 'mirror'; choose from repeat, zero"),
        ({"front_end_precision": "float16"}, "unknown front end precision 'float16'; did you mean 'bfloat16'"),
        ({"feature_precision": "float8"}, "feature_precision: unknown feature precision 'float8'; did you mean"),
        (
            {"cache_features": "disk", "feature_precision": "float32"},
            "feature_precision: float32, but features on disk have half precision; set it to float16, or",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SETTINGS, **changes)
