"""The table of partial fakes: keys of segments, pairs with recordings, stretches of time, and controls at chance."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from codecfake.base import files
from codecfake.protocols.trials import RECORDING
from codecfake.tables.partial import COLUMNS, MEASURES, write_partial
from codecfake.tables.partial_settings import PartialTableSettings
from codecfake.tables.segments import lowest, pairs, read_segments, read_spans, stretches
from codecfake.tables.trials import ScoreError

MODEL = "mel-lcnn/codec/erm/seed1"
SPEAKERS = ("a", "b", "c")
STARTS = np.arange(5) / 2  # windows of 1 s over 3 s
SPANS = [(0.25, 0.75), (2.5, 2.75)]  # coded: the first two windows, and the last one
IS_CODED = [True, True, False, False, True]  # of the starts 0, 0.5, 1, 1.5, 2


def write_run(root: Path, source: str, score: dict[str, list[float]]) -> Path:
    """Three recordings and their partial fakes; `score` has those of the segments of F00 and of the fakes."""
    rows, segments = [], []
    for speaker in SPEAKERS:
        for name, key in (("F00", "bonafide"), (source, "spoof")):
            own = {"trial_id": f"{name}_{speaker}", "corpus": "any", "source": name, "utterance_id": f"u{speaker}"}
            rows.append({**own, "speaker_id": speaker, "key": key, "attack": "-"})
            for start, value in zip(STARTS, score[key], strict=True):
                place = {column: own[column] for column in RECORDING}
                segments.append({**place, "start": start, "end": start + 1, "score": value + ord(speaker) / 1e6})
    files.write_tsv(root / "eval/C1.tsv", pd.DataFrame(rows))
    files.write_tsv(root / f"segments/{MODEL}.tsv", pd.DataFrame(segments))
    spans = [{"utterance_id": f"u{name}", "start": start, "end": end} for name in SPEAKERS for start, end in SPANS]
    files.write_tsv(root / f"spans/any/{source}.tsv", pd.DataFrame(spans))
    return root


def table_of(root: Path, spoof_share: float = 0) -> pd.DataFrame:
    settings = PartialTableSettings([MODEL], {"C1": "F01-p"}, spoof_share, resamples=20)
    write_partial(root / "segments", root / "eval", root / "spans", settings, root)
    return pd.read_csv(root / "partial.csv", keep_default_na=False).set_index("measure")


def segments_of(root: Path, spoof_share: float = 0) -> pd.DataFrame:
    return read_segments(root / f"segments/{MODEL}.tsv", root / "eval/C1.tsv", root / "spans", "F01-p", spoof_share, {})


@pytest.fixture
def perfect(tmp_path: Path) -> Path:
    return write_run(
        tmp_path, "F01-p", {"bonafide": [1.0] * 5, "spoof": [-1.0 if coded else 1.0 for coded in IS_CODED]}
    )


@pytest.fixture
def control(tmp_path: Path) -> Path:
    same = [0.5, -2.0, 3.0, 0.25, 0.125]
    return write_run(tmp_path, "F01-p", {"bonafide": same, "spoof": same})


@pytest.mark.parametrize(
    ("spoof_share", "expected"),
    [(0, IS_CODED), (0.25, IS_CODED), (0.3, [True, False, False, False, False]), (0.6, [False] * 5)],
)
def test_a_segment_is_coded_by_its_share_in_spans(spoof_share: float, expected: list[bool], perfect: Path) -> None:
    segments = segments_of(perfect, spoof_share)
    assert segments.loc[segments["trial_id"] == "F01-p_a", "is_coded"].tolist() == expected
    assert not segments.loc[segments["key"] == "bonafide", "is_coded"].any()


def test_coded_segments_are_compared_with_the_same_ones_of_their_recordings(perfect: Path) -> None:
    table = pairs(segments_of(perfect))
    places = [set(zip(rows["utterance_id"], rows["start"], strict=True)) for _, rows in table.groupby("is_coded")]
    assert places[0] == places[1]
    assert len(table) == 2 * 3 * len(SPEAKERS)


def test_an_utterance_has_the_score_of_its_lowest_segment(perfect: Path) -> None:
    table = lowest(segments_of(perfect)).set_index("trial_id")["score"].round(2)
    assert table.to_dict() == {f"{source}_{name}": value for name in SPEAKERS
                               for source, value in (("F00", 1.0), ("F01-p", -1.0))}  # fmt: skip


def test_stretches_have_all_time_once_and_the_mean_of_the_windows_over_them(perfect: Path) -> None:
    spans = read_spans(perfect / "spans", ["any"], "F01-p")
    table = stretches(segments_of(perfect), spans)
    assert table["milliseconds"].sum() == 3_000 * 2 * len(SPEAKERS)
    assert table.loc[table["is_coded"], "milliseconds"].sum() == 750 * len(SPEAKERS)
    fakes = table[table["utterance"] == "any/ua"].round(3)
    assert fakes.loc[fakes["is_coded"], "score"].round(0).tolist() == [-1, -1, -1]
    # 1.0 to 1.5 s is under the windows at 0.5 (−1) and at 1 s (+1)
    assert 0.0 in fakes["score"].round(3).tolist()


def test_a_perfect_detector_has_no_error_by_segment_and_by_utterance(perfect: Path) -> None:
    table = table_of(perfect)
    assert list(table.reset_index().columns) == ["measure", *(name for name in COLUMNS if name != "measure")]
    assert table.index.tolist() == list(MEASURES)
    assert table.loc[["segment", "utterance", "pooled"], "eer_percent"].tolist() == [0, 0, 0]
    assert 0 < table.loc["range", "eer_percent"] < 50  # windows are coarser than spans
    assert table.loc["segment", ["num_bonafide", "num_spoof", "clusters"]].tolist() == [9, 9, 3]
    assert table.loc["range", "num_spoof"] == 0.75 * 3


def test_a_control_is_at_exactly_one_half_by_segment_and_by_utterance(control: Path) -> None:
    table = table_of(control)
    for measure in ("segment", "utterance"):
        assert table.loc[measure, ["eer_percent", "eer_low_percent", "eer_high_percent"]].tolist() == [50, 50, 50]


def test_with_one_speaker_utterances_are_drawn_and_the_note_says_so(control: Path) -> None:
    protocol = files.read_tsv(control / "eval/C1.tsv").assign(speaker_id="a")
    files.write_tsv(control / "eval/C1.tsv", protocol)
    row = table_of(control).loc["segment"]
    assert row["clusters"] == 3
    assert "no resampling of speakers" in row["note"]


def test_segments_without_a_counterpart_are_refused(perfect: Path) -> None:
    path = perfect / f"segments/{MODEL}.tsv"
    table = files.read_tsv(path)
    files.write_tsv(path, table[~((table["source"] == "F00") & (table["start"] == "0.0"))])
    with pytest.raises(ScoreError, match=r"the segment of any/ua at 0.0 s has no counterpart in its recording"):
        table_of(perfect)


def test_a_trial_without_segments_is_named(perfect: Path) -> None:
    path = perfect / f"segments/{MODEL}.tsv"
    table = files.read_tsv(path)
    files.write_tsv(path, table[table["utterance_id"] != "ub"])
    with pytest.raises(ScoreError, match=r"no segments of trial F00_b; delete"):
        table_of(perfect)
