"""Batches: the same for any number of workers, decoded when they are needed, and few of them ahead."""

import dataclasses
import os
import signal
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import tones
import torch
from torch import Tensor
from torch.utils.data import Dataset

from codecfake.audio import waveforms as audio_door
from codecfake.audio.shards import AudioStore, Provenance, ShardWriter
from codecfake.base import files
from codecfake.base.resumable import CheckpointError
from codecfake.detectors import models
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.features import precision
from codecfake.features.augmentation.chain import Chain
from codecfake.features.clips import Clips, clip
from codecfake.features.streaming import PREFETCHED, BatchLoader, StreamedClips, StreamedFeatures, in_order
from codecfake.protocols import trials
from codecfake.scoring import conditions
from codecfake.training import checkpoint
from codecfake.training.data import TrainingData
from codecfake.training.loop import TrainSettings, train

CPU = torch.device("cpu")
CROP = 4_000
AUGMENTED = [
    {"name": "speed", "probability": 0.5},
    {"name": "rawboost_convolutive", "probability": 0.5},
    {"name": "rawboost_stationary", "probability": 0.5},
    {"name": "compression", "probability": 0.3},
]


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tones.write_audio(tmp_path_factory.mktemp("audio"), num_utterances=10)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return trials.read([tones.write_protocol(tmp_path_factory.mktemp("lists") / "all.tsv", range(10))])


def batches(clips: Clips, workers: int, epochs: tuple[int, ...] = (0,)) -> list[Tensor]:
    features = StreamedFeatures(clips, torch.nn.Identity(), CPU, workers)
    rng = np.random.default_rng(1)
    return [
        batch for epoch in epochs for batch in features.batches(np.array_split(rng.permutation(len(clips)), 5), epoch)
    ]


# clips


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.long)])
def test_clips_of_a_random_length_are_stacked_to_the_longest_of_a_batch(
    workers: int, table: pd.DataFrame, audio: Path
) -> None:
    wholes = _lengths(table, audio)
    longest, shortest = int(np.median(wholes)), 3_000
    clips = Clips(table, audio, longest, "random", "zero", seed=3, shortest=shortest)
    own = [len(clips[number]) for number in range(len(clips))]
    lengths_of_crops = [length for length, whole in zip(own, wholes, strict=True) if whole > longest]
    assert len(set(lengths_of_crops)) > 1
    assert all(shortest <= length <= longest for length in lengths_of_crops)
    assert all(length == whole for length, whole in zip(own, wholes, strict=True) if whole <= longest)
    order = np.array_split(np.arange(len(clips)), 4)
    streamed = list(StreamedClips(clips, CPU, workers).batches(order))
    assert [len(batch[0]) for batch in streamed] == [max(own[number] for number in batch) for batch in order]
    for batch, wavs in zip(order, streamed, strict=True):
        for number, wav in zip(batch, wavs, strict=True):
            assert torch.equal(wav[: own[number]], clips[number])
            assert not wav[own[number] :].any()


def _lengths(table: pd.DataFrame, audio: Path) -> list[int]:
    """The number of samples of each recording."""
    store = AudioStore(audio, [("tones", "F00"), ("tones", "F01")])
    rows = store.index.rows(table[trials.RECORDING])
    return [int(store.index.entries[row]["num_samples"]) for row in rows]


def test_each_epoch_draws_other_lengths(table: pd.DataFrame, audio: Path) -> None:
    clips = Clips(table, audio, 3_200, "random", seed=3, shortest=1_000)
    epochs = [[len(clips[epoch * len(clips) + number]) for number in range(len(clips))] for epoch in (0, 0, 1)]
    assert epochs[0] == epochs[1] != epochs[2]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes")
@pytest.mark.parametrize(("crop", "chain"), [("first", []), ("random", AUGMENTED)])
def test_batches_are_bit_equal_for_any_number_of_workers(
    crop: str, chain: list[dict[str, Any]], table: pd.DataFrame, audio: Path
) -> None:
    runs = [
        batches(Clips(table, audio, CROP, crop, "repeat", Chain(chain), seed=3), workers, epochs=(0, 1))
        for workers in (0, 1, 4)
    ]
    for alone, one, four in zip(*runs, strict=True):
        assert torch.equal(alone, one)
        assert torch.equal(alone, four)


def test_a_random_crop_is_a_part_of_the_recording_that_changes_with_epoch_and_seed(
    table: pd.DataFrame, audio: Path
) -> None:
    noise = len(table) - 1
    samples, _ = AudioStore(audio, [("tones", "F01")]).read("tones", "F01", table["utterance_id"][noise])
    clips = Clips(table, audio, 1_000, "random", seed=1)
    cropped = [clips[epoch * len(clips) + noise].numpy() for epoch in range(20)]
    places = [place_of(part, (samples / 32768).astype(np.float32)) for part in cropped]
    assert len(set(places)) > 15
    other_seed = Clips(table, audio, 1_000, "random", seed=2)[noise].numpy()
    assert not np.array_equal(other_seed, cropped[0])


def place_of(part: np.ndarray, whole: np.ndarray) -> int:
    (place,) = [s for s in range(len(whole) - len(part) + 1) if np.array_equal(whole[s : s + len(part)], part)]
    return place


def test_every_place_of_a_random_crop_is_as_likely(tmp_path: Path) -> None:
    length, crop_samples = 1_003, 1_000
    write_ramp(tmp_path / "audio", length)
    clips = Clips(ramp_table(), tmp_path / "audio", crop_samples, "random", seed=0)
    starts = [round(clips[epoch][0].item() * 32768) for epoch in range(400)]
    counts = np.bincount(starts, minlength=4)
    assert len(counts) == 4
    assert counts.min() > 70  # 100 expected, standard deviation 8.7


@pytest.mark.parametrize("length", [999, 1_000])
def test_a_recording_that_is_not_longer_than_the_crop_is_not_moved(length: int, tmp_path: Path) -> None:
    write_ramp(tmp_path / "audio", length)
    random = Clips(ramp_table(), tmp_path / "audio", 1_000, "random")
    assert random[7].equal(Clips(ramp_table(), tmp_path / "audio", 1_000)[0])


def write_ramp(root: Path, length: int) -> None:
    with ShardWriter(root / "c/F00/0000.tar", "", Provenance("none", 0, 0.0, "", "test")) as shard:
        shard.add("ramp", np.arange(length) / 32768, 16_000)


def ramp_table() -> pd.DataFrame:
    return pd.DataFrame([{"trial_id": "ramp", "corpus": "c", "source": "F00", "utterance_id": "ramp"}])


def test_short_recordings_are_repeated_or_filled_with_zeros() -> None:
    wav = np.array([1.0, 2.0, 3.0])
    assert clip(wav, 5, "repeat").tolist() == [1, 2, 3, 1, 2]
    assert clip(wav, 5, "zero").tolist() == [1, 2, 3, 0, 0]
    for pad in ("repeat", "zero"):
        assert clip(wav, 3, pad).tolist() == [1, 2, 3]
        assert clip(wav, 2, pad).tolist() == [1, 2]
        with pytest.raises(ValueError, match="a recording without samples cannot be extended to a clip"):
            clip(wav[:0], 5, pad)


def test_no_more_of_a_recording_is_decoded_than_its_clip_needs(
    table: pd.DataFrame, audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []
    decode = audio_door.decode_int16

    def decode_and_record(data: bytes, start: int = 0, num_samples: int = -1) -> tuple[np.ndarray, int]:
        lengths.append(num_samples)
        return decode(data, start, num_samples)

    monkeypatch.setattr(audio_door, "decode_int16", decode_and_record)
    chain = Chain([{"name": "speed", "settings": {"max_factor": 1.1}}])
    Clips(table, audio, 1_000)[0], Clips(table, audio, 1_000, "random", chain=chain)[0]
    assert lengths == [1_000, 1_100]


def test_recordings_of_another_rate_are_resampled_before_they_are_cut(tmp_path: Path) -> None:
    audio = tones.write_audio(tmp_path, num_utterances=1, sample_rate=24_000)
    table = trials.read([tones.write_protocol(tmp_path / "all.tsv", range(1))])
    samples, rate = AudioStore(audio, [("tones", "F00")]).read("tones", "F00", "u000")
    whole = audio_door.resample(samples / 32768, rate, 16_000)
    np.testing.assert_array_equal(Clips(table, audio, 2_000)[0].numpy(), whole[:2_000].astype(np.float32))
    part = Clips(table, audio, 2_000, "random", seed=4)[0].numpy()
    assert 0 < place_of(part, whole.astype(np.float32)) <= len(whole) - 2_000


def test_the_digest_is_of_the_recordings_in_their_order_and_how_they_are_cut(table: pd.DataFrame, audio: Path) -> None:
    digests = [
        Clips(*arguments).digest()
        for arguments in (
            (table, audio, CROP),
            (table.iloc[::-1], audio, CROP),
            (table.iloc[1:], audio, CROP),
            (table, audio, CROP + 1),
            (table, audio, CROP, "first", "zero"),
        )
    ]
    assert len(set(digests)) == 5
    assert Clips(table.assign(key="spoof"), audio, CROP).digest() == digests[0]


def test_the_digest_is_of_the_audio(tmp_path: Path) -> None:
    digests = []
    for length in (100, 101):
        write_ramp(tmp_path / str(length), length)
        digests.append(Clips(ramp_table(), tmp_path / str(length), 50).digest())
    assert digests[0] != digests[1]


# loading


class Counted(Dataset[Tensor]):
    """Items that leave a file when they are made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, index: int) -> Tensor:
        (self._folder / str(index)).touch()
        return torch.tensor([index, os.getpid()])


def test_at_most_the_stated_number_of_batches_is_made_ahead(tmp_path: Path) -> None:
    load = BatchLoader(Counted(tmp_path), workers=2, pin_memory=False)
    passing = load([[number] for number in range(40)])
    next(passing)
    deadline = time.monotonic() + 20
    while len(list(tmp_path.iterdir())) < 1 + 2 * PREFETCHED and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    assert len(list(tmp_path.iterdir())) == 1 + 2 * PREFETCHED
    assert [int(batch[0, 0]) for batch in passing] == list(range(1, 40))


def test_workers_live_on_from_pass_to_pass(tmp_path: Path) -> None:
    load = BatchLoader(Counted(tmp_path), workers=2, pin_memory=False)
    pids = [{int(batch[0, 1]) for batch in load([[number] for number in range(8)])} for _ in range(2)]
    assert pids[0] == pids[1]
    assert len(pids[0]) == 2
    assert os.getpid() not in pids[0]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_pass_that_was_left_does_not_leak_into_the_next(workers: int, tmp_path: Path) -> None:
    load = BatchLoader(Counted(tmp_path), workers, pin_memory=False)
    first_pass = load([[number] for number in range(10)])
    assert next(first_pass)[0, 0] == 0
    assert [int(batch[0, 0]) for batch in load([[7], [5], [6]])] == [7, 5, 6]


@pytest.mark.parametrize("workers", [0, 2])
def test_loading_does_not_touch_the_random_state(workers: int, table: pd.DataFrame, audio: Path) -> None:
    state = torch.random.get_rng_state()
    batches(Clips(table, audio, CROP, "random"), workers, epochs=(0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)


# precision


class Rounding(torch.nn.Module):
    """A front-end of one matrix; autocast rounds what it multiplies."""

    def __init__(self, offset: float = 0.0) -> None:
        super().__init__()
        self.matrix = torch.nn.Linear(CROP, 3, bias=False)
        torch.nn.init.constant_(self.matrix.weight, 1 / CROP)
        self._offset = offset

    def forward(self, wav: Tensor) -> Tensor:
        return self.matrix(wav + self._offset)[:, None] - self._offset


def test_half_precision_is_near_and_float32_again() -> None:
    front_end, wav = Rounding(1.0), torch.full((2, CROP), 0.7)
    rounded = precision.run(front_end, wav, "bfloat16")
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - front_end(wav)).abs().max() < 0.02
    assert torch.equal(precision.run(front_end, wav, "float32"), front_end(wav))


def test_half_precision_is_refused_where_features_move(table: pd.DataFrame, audio: Path) -> None:
    # The features are small differences of large numbers: 8 bits of 1,000 leave steps of 4.
    features = StreamedFeatures(Clips(table, audio, CROP), Rounding(1_000.0), CPU, 0, "bfloat16")
    with pytest.raises(precision.PrecisionError, match="front_end_precision bfloat16 moves the features of 8 clips by"):
        next(features.batches(in_order(20, 8)))


def test_half_precision_is_refused_where_scores_move() -> None:
    exact = torch.tensor([-2.0, 0.0, 2.0])
    precision.require_small_shift(exact + 0.1, exact, exact.std(), "bfloat16")
    with pytest.raises(precision.PrecisionError, match="moves scores by up to 0.15 of their standard deviation"):
        precision.require_small_shift(exact + torch.tensor([0.0, 0.3, 0.0]), exact, exact.std(), "bfloat16")


# training


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    tones.write_protocol(tmp_path / "train.tsv", range(8))
    tones.write_protocol(tmp_path / "dev.tsv", range(8, 10))
    return tmp_path


SETTINGS = TrainSettings(
    detector=DetectorSettings({"name": "mel", "log": True}, {"name": "lcnn", "width": 0.125}),
    crop_samples=2_000,
    crop="random",
    augmentation=[{"name": "rawboost_stationary", "probability": 0.5}],
    batch_size=4,
    epochs=3,
    checkpoint_steps=2,
    tensorboard=False,
)


def run(audio: Path, lists: Path, output: Path, workers: int = 0, **changes: Any) -> None:
    settings = dataclasses.replace(SETTINGS, **changes)
    train([lists / "train.tsv"], [lists / "dev.tsv"], audio, output, settings, CPU, workers)


def run_until_killed(audio: Path, lists: Path, output: Path, checkpoints: int) -> None:
    """In a process of its own: it gets SIGKILL right after it has written so many checkpoints."""
    torch.set_num_threads(1)
    save, saved = checkpoint.save, []

    def save_and_die(path: Path, *arguments: Any) -> None:
        save(path, *arguments)
        saved.append(path)
        if len(saved) == checkpoints:
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoint.save = save_and_die
    run(audio, lists, output, workers=2)


@pytest.mark.long
@pytest.mark.parametrize("checkpoints", [1, 4])
def test_training_with_workers_that_is_killed_and_started_again_ends_in_the_same_bytes(
    checkpoints: int, audio: Path, lists: Path, caplog: pytest.LogCaptureFixture
) -> None:
    undisturbed, killed = lists / "undisturbed", lists / "killed"
    run(audio, lists, undisturbed, workers=0)
    running = get_context("fork").Process(target=run_until_killed, args=(audio, lists, killed, checkpoints))
    running.start()
    running.join(60)
    assert running.exitcode == -signal.SIGKILL
    with caplog.at_level("INFO", "codecfake.training.checkpoint"):
        run(audio, lists, killed, workers=2)
    assert "continuing at epoch" in caplog.text
    for name in ("weights.safetensors", "settings.json", "history.tsv"):
        assert (killed / name).read_bytes() == (undisturbed / name).read_bytes(), name


def test_a_damaged_checkpoint_is_named(audio: Path, lists: Path) -> None:
    (lists / "model").mkdir()
    (lists / "model" / "checkpoint.pt").write_bytes(b"PK\3\4 and no more")
    with pytest.raises(CheckpointError, match="checkpoint.pt: damaged .*; delete it to train"):
        run(audio, lists, lists / "model")


def test_the_record_of_a_model_holds_its_augmentation_with_every_default(audio: Path, lists: Path) -> None:
    (lists / "noise").mkdir()
    soundfile.write(lists / "noise" / "hiss.wav", np.full(100, 0.1), 16_000)
    noise = {"name": "noise", "settings": {"folder": str(lists / "noise")}}
    run(audio, lists, lists / "model", epochs=1, augmentation=[noise])
    record = models.read_record(lists / "model")
    (link,) = record["settings"]["augmentation"]
    assert link == {
        "name": "noise",
        "probability": 1.0,
        "settings": {"folder": str(lists / "noise"), "pattern": "*", "min_snr_db": 0.0, "max_snr_db": 20.0},
    }
    (mixed_in,) = record["mixed_in"]
    assert (mixed_in["folder"], mixed_in["files"]) == (str(lists / "noise"), 1)


def test_dev_clips_are_neither_cropped_at_random_nor_augmented(audio: Path, lists: Path) -> None:
    detector = Detector(SETTINGS.detector, SETTINGS.crop_samples)
    data = TrainingData(SETTINGS, detector, CPU, audio, 0, None)
    dev = trials.read([lists / "dev.tsv"])
    first, later = (next(data.dev(dev).batches([np.arange(4)], epoch)) for epoch in (0, 3))
    assert torch.equal(first, later)
    first, later = (next(data.train(dev).batches([np.arange(4)], epoch)) for epoch in (0, 3))
    assert not torch.equal(first, later)


def test_scoring_pads_as_training_did(audio: Path, lists: Path) -> None:
    scores = {}
    for pad in ("repeat", "zero"):
        run(audio, lists, lists / pad, crop_samples=9_000, epochs=1, pad=pad)
        conditions.score(lists / pad, [lists / "dev.tsv"], audio, lists / pad, CPU)
        scores[pad] = files.read_tsv(lists / pad / "dev.tsv")["score"].astype(float)
    table = trials.read([lists / "dev.tsv"])
    detector, _ = models.load(lists / "zero", CPU)
    with torch.no_grad():
        logits = detector(torch.stack([Clips(table, audio, 9_000, pad="zero")[trial] for trial in range(4)]))
    np.testing.assert_allclose(scores["zero"], (logits[:, 1] - logits[:, 0]).numpy(), rtol=1e-4, atol=1e-5)


def test_scores_are_measured_against_exact_ones_where_training_had_fewer_bits(
    audio: Path, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(audio, lists, lists / "model", epochs=1, front_end_precision="bfloat16")
    monkeypatch.setattr(precision, "LARGEST_SHIFT", 1e9)
    conditions.score(lists / "model", [lists / "dev.tsv"], audio, lists / "scores", CPU)
    monkeypatch.setattr(precision, "LARGEST_SHIFT", 0.0)
    with pytest.raises(precision.PrecisionError, match="bfloat16 moves scores by up to .*; at most 0.0 is allowed"):
        conditions.score(lists / "model", [lists / "dev.tsv"], audio, lists / "scores", CPU)
