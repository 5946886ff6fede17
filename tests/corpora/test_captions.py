"""Captions: texts for generators, also of clips that can no longer be downloaded."""

from pathlib import Path

import pytest

from codecfake.base import files
from codecfake.corpora.captions import CaptionsSettings, has_captions, write_captions
from codecfake.corpora.listing import CorpusError

HEADER = "audiocap_id,youtube_id,start_time,caption\n"
SETTINGS = CaptionsSettings("audiocaps", "audiocaps")


def captions(root: Path) -> list[tuple[str, ...]]:
    path = root / "results/captions.tsv"
    write_captions(root, SETTINGS, path)
    return list(files.read_tsv(path).itertuples(index=False, name=None))


def test_captions_need_no_recordings(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(f"{HEADER}1,-abc,20,Rain falls\n3,xyz,0,A dog barks\n", encoding="utf-8")
    (tmp_path / "val.csv").write_text(f"{HEADER}4,xyz,0,A dog again\n", encoding="utf-8")
    assert captions(tmp_path) == [
        ("Y-abc", "Rain falls", "train.csv", "en"),
        ("Yxyz", "A dog barks", "train.csv", "en"),
        ("Yxyz_4", "A dog again", "val.csv", "en"),
    ]


def test_missing_captions_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no .csv with captions; put train.csv there"):
        captions(tmp_path)


def test_the_official_tables_are_read_whole(shared: Path, tmp_path: Path) -> None:
    for part in ("val", "test"):
        (tmp_path / f"{part}.csv").symlink_to(shared / f"data/AudioCaps-official-csv/dataset/{part}.csv")
    rows = captions(tmp_path)
    assert len(rows) == len({row[0] for row in rows}) == 2475 + 4875
    assert all(row[1].strip() for row in rows)


def test_only_a_layout_that_has_captions_says_so() -> None:
    assert has_captions("audiocaps") and not has_captions("vctk")
