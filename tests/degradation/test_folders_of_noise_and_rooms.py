"""Noise and rooms from folders: laws of each, the list of the files, and what a folder is refused for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from codecfake.audio.decoding import AudioError, Recording
from codecfake.audio.shard_index import ShardError
from codecfake.audio.shards import AudioStore, Provenance, ShardWriter
from codecfake.audio.waveforms import FULL_SCALE
from codecfake.base import files
from codecfake.base.settings import FaultsError
from codecfake.degradation import mixing
from codecfake.degradation.folders import FolderError, FolderFiles, write_list
from codecfake.degradation.settings import DegradationSettings, FolderSettings, Ladder, Ladders
from codecfake.degradation.shard import write_shard

RATE = 16_000


def draw(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


def speech(num_samples: int = RATE) -> np.ndarray:
    return 0.2 * np.sin(np.arange(num_samples) / 20) * np.sin(np.arange(num_samples) / 3_000)


def recording(*channels: np.ndarray, sample_rate: int = RATE) -> Recording:
    return Recording(np.stack(channels, axis=1).astype(np.float32), sample_rate, "PCM_16")


def hiss(num_samples: int, seed: int = 1) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(num_samples)


def room_response(tail: float = 0.3) -> np.ndarray:
    taps = tail * hiss(4_000) * np.exp(-np.arange(4_000) / 800)
    taps[:200] = 0
    taps[100] = 1.0
    return taps


def ratio_db(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(one**2) / np.sum(other**2)))


@pytest.mark.parametrize("num_samples", [1, 100, 16_000, 40_000])
@pytest.mark.parametrize("snr", [20, -5])
def test_recorded_noise_has_its_signal_to_noise_ratio_whatever_its_length(num_samples: int, snr: int) -> None:
    noisy = mixing.noise(speech(), recording(hiss(num_samples)), snr, draw())
    assert ratio_db(speech(), noisy - speech()) == pytest.approx(snr, abs=1e-6)


def test_noise_that_is_too_short_is_repeated_from_a_random_place() -> None:
    sound = np.arange(1, 11) / 100
    parts = {tuple(np.round(mixing.noise_part(recording(sound), 25, draw(seed)), 2)) for seed in range(20)}
    assert len(parts) > 3
    for part in parts:
        assert part[:10] == part[10:20]
        assert sorted(part[:10]) == pytest.approx(sound)


def test_a_part_of_long_noise_is_one_piece_of_it() -> None:
    part = mixing.noise_part(recording(np.arange(1, 1_001) / 2_000), 100, draw())
    assert np.allclose(np.diff(part), 1 / 2_000, atol=1e-6)


def test_a_silent_part_is_moved_to_the_next_sound() -> None:
    sound = np.zeros(10_000)
    sound[9_000:9_010] = 0.5
    assert all(mixing.noise_part(recording(sound), 50, draw(seed)).any() for seed in range(20))


def test_noise_of_another_rate_keeps_its_frequency() -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(48_000) / 48_000)
    spectrum = np.abs(np.fft.rfft(mixing.noise_part(recording(tone, sample_rate=48_000), RATE // 2, draw())))
    assert spectrum.argmax() * 2 == 1_000


@pytest.mark.parametrize("ratio", [20, 0, -10])
def test_a_recorded_room_has_its_direct_to_reverberant_ratio(ratio: int) -> None:
    click = np.zeros(RATE)
    click[1_000] = 1.0
    output = mixing.room(click, recording(room_response()), ratio, draw())
    assert int(np.abs(output).argmax()) == 1_000
    assert ratio_db(output[: 1_000 + mixing.DIRECT + 1], output[1_000 + mixing.DIRECT + 1 :]) == pytest.approx(ratio)
    assert np.mean(output**2) == pytest.approx(np.mean(click**2))


def test_a_response_without_sound_or_reverberation_is_refused() -> None:
    click = np.zeros(1_000)
    with pytest.raises(AudioError, match="all samples of a channel are zero"):
        mixing.require_room(recording(room_response(), np.zeros(4_000)))
    click[10] = 1.0
    with pytest.raises(AudioError, match=r"no reverberation after the direct sound \(2.5 ms\)"):
        mixing.require_room(recording(click))


@pytest.mark.parametrize("require", [mixing.require_noise, mixing.require_room])
def test_samples_that_are_not_finite_are_refused(require: Callable[[Recording], None]) -> None:
    sound = room_response()
    require(recording(sound))
    sound[7] = np.nan
    with pytest.raises(AudioError, match="not finite"):
        require(recording(sound))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three recordings of noise, one in a folder below."""
    (tmp_path / "noise/more").mkdir(parents=True)
    for number, name in enumerate(("b.wav", "a.wav", "more/c.flac")):
        soundfile.write(tmp_path / "noise" / name, hiss(3_000, number), RATE)
    return tmp_path / "noise"


def files_of(folder: Path) -> FolderFiles:
    write_list(FolderSettings("noise", str(folder)), folder.parent / "list.tsv")
    return FolderFiles(folder.parent / "list.tsv", folder)


def test_the_list_of_a_folder_has_every_file_with_its_digest(folder: Path) -> None:
    files_of(folder)
    table = files.read_tsv(folder.parent / "list.tsv")
    assert list(table["file"]) == ["a.wav", "b.wav", "more/c.flac"]
    assert list(table["sha256"]) == [files.sha256(folder / name) for name in table["file"]]


def test_files_that_cannot_be_used_are_all_named(folder: Path) -> None:
    soundfile.write(folder / "silent.wav", np.zeros(100), RATE)
    (folder / "damaged.wav").write_bytes((folder / "a.wav").read_bytes()[:1_000])
    with pytest.raises(FolderError, match=r"2 of 5 files .*\ndamaged.wav: .*\nsilent.wav: all samples are zero"):
        files_of(folder)
    assert not (folder.parent / "list.tsv").exists()


def test_a_file_that_changed_after_its_list_is_refused(folder: Path) -> None:
    files_there = files_of(folder)
    for path in folder.rglob("*.*"):
        soundfile.write(path, hiss(3_000, 9), RATE)
    with pytest.raises(FolderError, match="changed after it was listed; restore it, or delete .*list.tsv"):
        files_there.draw(draw())


@pytest.fixture
def audio(folder: Path) -> Path:
    root = folder.parent
    for source in ("F00", "F01"):
        with ShardWriter(root / f"audio/speech/{source}/0000.tar", "", Provenance("none", 0, 0.0, "", "0")) as writer:
            for number in range(8):
                wav = speech(8_000 + number)
                writer.add(f"u{number}", wav if source == "F00" else np.round(wav, 2), RATE)
    rows = [("speech", f"u{number}") for number in range(8)]
    files.write_tsv(root / "C1.tsv", pd.DataFrame(rows, columns=["corpus", "utterance_id"]))
    return root


def degrade(root: Path, source: str, snr: int) -> pd.DataFrame:
    settings = DegradationSettings("speech", "noise", snr, folder_name="own")
    shard, recordings = (root / "audio/speech" / name / "0000.parquet" for name in (source, "F00"))
    tar_path = root / f"audio/speech/{source}+{settings.label}/0000.tar"
    write_shard(settings, shard, recordings, [root / "C1.tsv"], tar_path, files_of(root / "noise"))
    return pd.read_parquet(tar_path.with_suffix(".parquet"))


def test_utterances_get_different_files_but_the_same_at_every_step_and_for_both_keys(audio: Path) -> None:
    tables = [degrade(audio, *step) for step in (("F00", 20), ("F00", 0), ("F01", 0))]
    assert len(set(tables[0]["degraded_with"])) == 3
    assert all(list(table["degraded_with"]) == list(tables[0]["degraded_with"]) for table in tables)
    assert set(tables[0]["degradation"]) == {"noise-own_20"}
    noises = []
    for name in ("F00+noise-own_20", "F00+noise-own_0", "F01+noise-own_0"):
        store = AudioStore(audio / "audio", [("speech", name), ("speech", name[:3])])
        noisy, plain = (store.read("speech", each, "u3")[0] / FULL_SCALE for each in (name, name[:3]))
        noises.append((noisy - plain) / (noisy - plain).std())
    assert np.corrcoef(noises[1], noises[2])[0, 1] > 0.999
    assert np.corrcoef(noises[0], noises[1])[0, 1] > 0.99


def test_a_damaged_file_names_the_utterance_too(audio: Path) -> None:
    degrade(audio, "F00", 20)
    table = files.read_tsv(audio / "list.tsv").assign(sha256="0" * 64)
    files.write_tsv(audio / "list.tsv", table)
    settings = DegradationSettings("speech", "noise", 20, folder_name="own")
    index = audio / "audio/speech/F00/0000.parquet"
    places = (index, index, [audio / "C1.tsv"], audio / "again.tar", FolderFiles(audio / "list.tsv", audio / "noise"))
    with pytest.raises(ShardError, match="utterance u0: .*changed after it was listed"):
        write_shard(settings, *places)


def test_a_ladder_of_a_folder_has_its_name_in_its_steps() -> None:
    musan = {"kind": "noise", "folder": "/data/musan/music", "steps": [20, -5]}
    rirs = {"kind": "room", "folder": "/data/RIRS 2", "name": "rirs", "steps": [10]}
    ladders = Ladders.from_plain([{"kind": "noise", "steps": [20]}, musan, rirs])
    assert ladders.labels == ["noise_20", "noise-music_20", "noise-music_-5", "room-rirs_10"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "mp3", "folder": "/data", "steps": [32]}, "folder: mp3 needs no folder; remove it"),
        ({"kind": "noise", "folder": "data", "steps": [20]}, "folder: 'data' is a relative path; give the whole path"),
        ({"kind": "noise", "folder": "/data/my noise", "steps": [20]}, "name: 'my noise' cannot be part of names"),
        ({"kind": "noise", "pattern": "*.wav", "steps": [20]}, "pattern: it describes the files of a folder; give"),
        ({"kind": "room", "folder": "/data/rirs", "steps": [300]}, "steps.0: 300 is not the direct-to-reverberant"),
    ],
)
def test_a_folder_that_a_ladder_cannot_have_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(FaultsError, match=message):
        Ladder(**settings)
