"""Scores by segment: windows cover the recording, a score depends on the audio alone, tables have all segments."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_detectors import write_model, write_noise

from codecfake.__main__ import main
from codecfake.audio.shards import Provenance, ShardWriter
from codecfake.base import files
from codecfake.base.settings import FaultsError
from codecfake.protocols.trials import COLUMNS, TrialsError
from codecfake.scoring.conditions import ScoringError
from codecfake.scoring.judging import Judge
from codecfake.scoring.reading import Waveform
from codecfake.scoring.segment_settings import SegmentSettings
from codecfake.scoring.segments import Segmenter, score, segment_starts

RATE = 16_000
CPU = torch.device("cpu")
SETTINGS = SegmentSettings(window=0.2, hop=0.1)
NO_CODEC = Provenance("none", 0, 0.0, "", "0")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


def noise(seed: int, num_samples: int = 10_000) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9_000, 9_000, num_samples).astype(np.int16)


@pytest.mark.parametrize(
    ("num_samples", "starts"),
    [(1, [0]), (3_200, [0]), (3_201, [0, 1]), (4_800, [0, 1_600]), (5_000, [0, 1_600, 1_800])],
)
def test_windows_start_at_every_hop_and_the_last_ends_with_the_recording(num_samples: int, starts: list[int]) -> None:
    assert segment_starts(num_samples, 3_200, 1_600) == starts


def test_a_segment_scores_as_a_recording_of_its_own(model: Path) -> None:
    judge, samples = Judge(model, CPU), noise(0)
    segments = list(Segmenter(judge, SETTINGS)(Waveform(Path(), samples, 0)))
    assert [round(segment.start * RATE) for segment in segments] == segment_starts(len(samples), 3_200, 1_600)
    assert segments[-1].end == len(samples) / RATE
    for segment in segments:
        part = samples[round(segment.start * RATE) : round(segment.end * RATE)]
        assert judge.of_waveform(Waveform(Path(), part, 0)).score == pytest.approx(segment.score, abs=1e-5)


def test_windows_longer_than_the_detector_s_input_are_refused(model: Path) -> None:
    with pytest.raises(ScoringError, match=r"windows of 0.3 s are longer than the detector's input of 0.25 s"):
        Segmenter(Judge(model, CPU), SegmentSettings(window=0.3, hop=0.1))


def test_a_hop_beyond_the_window_is_refused() -> None:
    with pytest.raises(FaultsError, match=r"hop: 0.6 s, but windows of 0.5 s would leave gaps"):
        SegmentSettings(window=0.5, hop=0.6)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A recording, its control and another one, in shards; two protocols share the recordings."""
    for source, seeds in (("F00", (0, 1)), ("P00", (0, 1))):
        with ShardWriter(tmp_path / f"audio/speech/{source}/0000.tar", "", NO_CODEC) as writer:
            for seed in seeds:
                writer.add(f"u{seed}", noise(seed) / 32_768, RATE)
    for condition in ("C1", "C2"):
        rows = [(f"{s}_u{n}", "speech", s, f"u{n}", "bonafide" if s == "F00" else "spoof")
                for s in ("F00", "P00") for n in (0, 1)]  # fmt: skip
        files.write_tsv(tmp_path / f"eval/{condition}.tsv", pd.DataFrame(rows, columns=COLUMNS))
    return tmp_path


def test_every_recording_is_scored_once_and_equal_audio_gets_equal_scores(run: Path, model: Path) -> None:
    protocols = [run / "eval/C1.tsv", run / "eval/C2.tsv"]
    score(model, protocols, run / "audio", run / "segments.tsv", SETTINGS, CPU)
    table = files.read_tsv(run / "segments.tsv")
    assert not table.duplicated(["corpus", "source", "utterance_id", "start"]).any()
    recordings, controls = (table[table["source"] == source].reset_index(drop=True) for source in ("F00", "P00"))
    assert len(recordings) == 2 * len(segment_starts(10_000, 3_200, 1_600))
    assert recordings.drop(columns="source").equals(controls.drop(columns="source"))


def test_recordings_of_training_are_refused(run: Path, model: Path) -> None:
    protocol = run / "eval/C1.tsv"
    with pytest.raises(TrialsError, match="no recording may be in both"):
        score(model, [protocol], run / "audio", run / "segments.tsv", SETTINGS, CPU, [protocol])


def test_the_command_writes_the_segments_of_files(tmp_path: Path, model: Path) -> None:
    for number in (0, 1):
        write_noise(tmp_path / f"in/{number}.wav", number)
    tables = ["--segments", str(tmp_path / "s.tsv"), "--output", str(tmp_path / "o.tsv")]
    main(["score", str(tmp_path / "in"), "--model", str(model), *tables, "--window", "0.2", "--hop", "0.1"])
    table = files.read_tsv(tmp_path / "s.tsv")
    assert list(table.columns) == ["trial_id", "start", "end", "score"]
    assert table["trial_id"].tolist() == ["0"] * 5 + ["1"] * 5
    assert table["start"].tolist()[:5] == ["0.0000", "0.1000", "0.2000", "0.3000", "0.3626"]
    assert len(files.read_tsv(tmp_path / "o.tsv")) == 2


def test_a_table_of_segments_without_rows_is_not_written(tmp_path: Path, model: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no audio")
    with pytest.raises(SystemExit):
        main(["score", str(tmp_path / "a.wav"), "--model", str(model), "--segments", str(tmp_path / "s.tsv")]
             + ["--window", "0.2", "--hop", "0.1"])  # fmt: skip
    assert not (tmp_path / "s.tsv").exists()


def test_lengths_of_segments_need_a_table_of_segments(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_noise(tmp_path / "a.wav")
    with pytest.raises(SystemExit):
        main(["score", str(path), "--model", str(model), "--hop", "0.1"])
    assert "--hop is of segments; give --segments FILE" in capsys.readouterr().err
