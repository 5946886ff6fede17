"""Ingest: the utterance table and the rejections of a corpus, whatever its files do to a decoder."""

import hashlib
import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from bad_audio import BAD_AUDIO

from codecfake.base import files, utterances
from codecfake.base.settings import SettingsError, from_json
from codecfake.corpora import ingest
from codecfake.corpora.ingest import IngestError, IngestSettings
from codecfake.corpora.listing import CorpusError


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten utterances, three of them bad: silent, a text, and a pipe."""
    root = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    for number in range(8):
        samples = rng.uniform(-0.5, 0.5, 1600 + number) if number else np.zeros(1600)
        soundfile.write(root / f"u{number}.wav", samples, 16000)
    (root / "u8.wav").write_text("a text")
    os.mkfifo(root / "u9.wav")
    return root


def settings(max_rejected: float = 0.5, deadline: float = 2.0) -> IngestSettings:
    options = {"table": None, "key": "real", "language": "en"}
    return IngestSettings("mine", "listed", options, max_rejected=max_rejected, deadline=deadline)


def run(root: Path, output: Path, settings: IngestSettings, workers: int = 2) -> tuple[Path, Path]:
    table, rejected = output / "utterances.parquet", output / "rejected.tsv"
    ingest.ingest(root, settings, table, rejected, workers)
    return table, rejected


@pytest.fixture(scope="module")
def ingested(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return run(corpus, tmp_path_factory.mktemp("ingested"), settings(), workers=3)


def test_the_table_has_its_columns_and_a_row_for_every_good_utterance(
    corpus: Path, ingested: tuple[Path, Path]
) -> None:
    table = pd.read_parquet(ingested[0])
    assert tuple(table.columns) == utterances.COLUMNS
    assert table["utterance_id"].tolist() == [f"u{number}" for number in range(1, 8)]
    assert table["num_samples"].tolist() == [1600 + number for number in range(1, 8)]
    assert set(zip(table["corpus"], table["sample_rate"], table["channels"], strict=True)) == {("mine", 16000, 1)}
    assert table["text"].isna().all()
    assert table["split"].isna().all()
    for row in table.itertuples():
        assert row.sha256 == hashlib.sha256((corpus / row.path).read_bytes()).hexdigest()


def test_the_table_has_a_column_of_codings_only_where_a_recording_is_coded(tmp_path: Path) -> None:
    rows = [dict.fromkeys(utterances.COLUMNS, "-") | dict.fromkeys(("sample_rate", "channels", "num_samples"), 1)] * 2
    plain = ingest._table([row | {"coding": "-"} for row in rows])
    coded = ingest._table([row | {"coding": coding} for row, coding in zip(rows, ("alaw", "-"), strict=True)])
    assert tuple(plain.columns) == utterances.COLUMNS
    assert tuple(coded.columns) == (*utterances.COLUMNS, "coding")
    for table, name in ((plain, "plain"), (coded, "coded")):
        files.write_parquet(tmp_path / name, table)
        pd.testing.assert_frame_equal(utterances.read(tmp_path / name), table)


def test_every_bad_file_is_listed_with_its_reason(ingested: tuple[Path, Path]) -> None:
    rejected = files.read_tsv(ingested[1])
    assert dict(zip(rejected["path"], rejected["reason"], strict=True)) == {
        "u0.wav": "digital silence: every sample is 0",
        "u8.wav": "cannot be decoded (Format not recognised.)",
        "u9.wav": "cannot be read (it is a named pipe (FIFO), not a regular file; copy its content to a file)",
    }


def test_the_bytes_written_do_not_depend_on_the_number_of_workers(
    corpus: Path, ingested: tuple[Path, Path], tmp_path: Path
) -> None:
    for mine, theirs in zip(run(corpus, tmp_path, settings(), workers=1), ingested, strict=True):
        assert mine.read_bytes() == theirs.read_bytes()


@pytest.mark.long
def test_too_many_rejections_stop_with_the_list_in_the_message_the_log_and_the_file(
    corpus: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "utterances.parquet").write_text("of an earlier run")
    with caplog.at_level(logging.ERROR), pytest.raises(IngestError) as error:
        run(corpus, tmp_path, settings(max_rejected=0.2))
    message = str(error.value)
    assert "3 of 10 utterances (30.00%) are rejected, but max_rejected is 0.2" in message
    assert "max_rejected is only for damage of the published corpus" in message
    assert "max_rejected: 0" not in message
    assert str(tmp_path / "rejected.tsv") in message
    for reason in files.read_tsv(tmp_path / "rejected.tsv")["reason"]:
        assert reason in message
        assert reason in caplog.text
    assert not (tmp_path / "utterances.parquet").exists()


def hang_on_u3(root: Path, path: str, min_duration: float) -> object:
    from codecfake.corpora.inspection import inspect

    if path == "u3.wav":
        time.sleep(60)
    return inspect(root / path, min_duration)


def crash_on_u3(root: Path, path: str, min_duration: float) -> object:
    from codecfake.corpora.inspection import inspect

    if path == "u3.wav":
        os.kill(os.getpid(), signal.SIGSEGV)
    return inspect(root / path, min_duration)


@pytest.mark.long
@pytest.mark.parametrize(
    ("decoder", "reason"),
    [
        (crash_on_u3, "the decoder crashed on it (SIGSEGV)"),
        (hang_on_u3, "not read and decoded within 2 s, so the attempt was killed"),
    ],
)
def test_a_decoder_that_crashes_or_never_ends_rejects_its_file_alone(
    decoder: Callable[..., Any], reason: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "inspect_below", decoder)
    _, rejected = run(corpus, tmp_path, settings(max_rejected=1))
    reason_of = dict(files.read_tsv(rejected).itertuples(index=False))
    assert reason_of["u3.wav"] == reason
    assert set(reason_of) == {"u0.wav", "u3.wav", "u8.wav", "u9.wav"}


def test_files_that_would_exhaust_memory_or_are_no_files_cost_no_other_file(tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    (root / "sub").mkdir(parents=True)
    soundfile.write(root / "good.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 1600), 16000)
    soundfile.write(tmp_path / "outside.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 1600), 16000)
    soundfile.write(root / "hours.flac", np.zeros(17_000_000, dtype=np.int16), 1000)
    with (root / "sparse.wav").open("wb") as file:
        file.truncate(2**42)
    (root / "device.wav").symlink_to("/dev/zero")
    paths = ["good.wav", "hours.flac", "sparse.wav", "device.wav", "../outside.wav", "sub/../good.wav"]
    rows = [f"{path},u{number}" for number, path in enumerate(paths)]
    (root / "list.csv").write_text("\n".join(["path,utterance_id", *rows]))
    options = {"table": "list.csv", "key": "real", "language": "en"}
    table, rejected = run(root, tmp_path, IngestSettings("bad", "listed", options, max_rejected=0.9))
    assert utterances.read(table)["path"].tolist() == ["good.wav"]
    reasons = [
        ("../outside.wav", "its path has `..`"),
        ("device.wav", "cannot be read (it is a device, not a regular file"),
        ("hours.flac", "too long: its header promises 4.7 hours (17000000 samples of 1 channels)"),
        ("sparse.wav", "cannot be read (it has 4398046511104 bytes, and at most 1073741824 are read"),
        ("sub/../good.wav", "its path has `..`"),
    ]
    for (path, reason), row in zip(reasons, files.read_tsv(rejected).itertuples(index=False), strict=True):
        assert row.path == path
        assert row.reason.startswith(reason)


def test_every_damaged_or_odd_file_is_accepted_or_rejected_for_the_right_reason(shared: Path, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    root.mkdir()
    for name in BAD_AUDIO:
        (root / name).symlink_to(shared / "data/bad_audio" / name)
    there = {path.name for path in (shared / "data/bad_audio").iterdir() if path.suffix != ".tsv"}
    assert there == set(BAD_AUDIO)
    rows = [f"{name},{name}" for name in BAD_AUDIO]
    (root / "list.csv").write_text("\n".join(["path,utterance_id", *rows]), encoding="utf-8")
    options = {"table": "list.csv", "key": "real", "language": "en"}

    table, rejected = run(root, tmp_path, IngestSettings("bad", "listed", options, max_rejected=0.6))

    reason_of = dict(files.read_tsv(rejected).itertuples(index=False))
    assert reason_of == {name: reason for name, reason in BAD_AUDIO.items() if reason}
    accepted = utterances.read(table).set_index("utterance_id")
    assert set(accepted.index) == {name for name, reason in BAD_AUDIO.items() if reason is None}
    assert accepted.loc["stereo_lr_differ.wav", "channels"] == 2
    assert accepted.loc["rate_96k.wav", "sample_rate"] == 96000


@pytest.mark.long
def test_expected_rejections_are_listed_and_do_not_count(shared: Path, tmp_path: Path) -> None:
    root = tmp_path / "corpus"
    root.mkdir()
    (root / "audio").symlink_to(shared / "data/AudioCaps-like/audio")
    captions = (shared / "data/AudioCaps-like/captions.csv").read_text()
    (root / "captions.csv").write_text(captions + "1,dead,0,A dead link\n2,dead2,0,Another\n")
    table, rejected = run(root, tmp_path, IngestSettings("sounds", "audiocaps", {}, max_rejected=0))
    assert len(utterances.read(table)) == 10
    assert files.read_tsv(rejected)["path"].tolist() == ["audio/dead.wav", "audio/dead2.wav"]


def test_real_corpora_are_ingested_whole_and_the_list_of_rejections_is_written_even_if_empty(
    shared: Path, tmp_path: Path
) -> None:
    vctk_settings = IngestSettings("vctk", "vctk", {}, max_rejected=0)
    table, rejected = run(shared / "data/VCTK-Corpus-0.92", tmp_path, vctk_settings)
    assert rejected.read_text() == "path\treason\n"
    rows = utterances.read(table)
    assert len(rows) == 48
    assert set(rows["sample_rate"]) == {48000}
    assert set(rows["split"].isna()) == {True}


def test_a_corpus_without_any_good_recording_stops_whatever_the_limit(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/a.wav").write_bytes(b"")
    with pytest.raises(IngestError, match=r"no usable recordings.*\n  a\.wav: the file is empty"):
        run(tmp_path / "corpus", tmp_path, settings(max_rejected=1))


def test_a_root_without_the_corpus_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(CorpusError):
        run(tmp_path / "nowhere", tmp_path, settings())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", ['"max_rejected": 1.5', '"deadline": 0', '"max_reject": 0.1'])
def test_settings_out_of_range_or_unknown_are_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match=wrong.split('"')[1]):
        from_json(IngestSettings, f'{{"corpus": "c", "layout": "vctk", {wrong}}}')
