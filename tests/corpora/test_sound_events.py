"""Corpora of sound events: their sources take the place of speakers, so that no recording is in two splits."""

from pathlib import Path

import pytest
from released_corpora import ESC50, FSD50K, build

from codecfake import corpora
from codecfake.base.settings import SettingsError
from codecfake.base.utterances import Utterance
from codecfake.corpora.listing import CorpusError, Listing

TABLE = "meta/esc50.csv"
DEV, INFO = "FSD50K.ground_truth/dev.csv", "FSD50K.metadata/dev_clips_info_FSD50K.json"


def read(layout: str, root: Path, **options: object) -> Listing:
    return corpora.layout(layout).utterances(root, options)


def facts(listing: Listing) -> dict[str, tuple[str, str | None, str | None]]:
    def of(one: Utterance) -> tuple[str, str | None, str | None]:
        return one.speaker_id, one.split, one.text

    return {one.utterance_id: of(one) for one in listing.utterances}


@pytest.mark.parametrize(("layout", "content"), [("esc50", "sound"), ("audiocaps", "sound"), ("vctk", "speech")])
def test_a_layout_says_whether_its_recordings_are_speech(layout: str, content: str) -> None:
    assert corpora.layout(layout).content == content


def test_the_speaker_of_a_clip_of_esc_50_is_its_recording_and_folds_are_splits(tmp_path: Path) -> None:
    assert facts(read("esc50", build(tmp_path, ESC50))) == {
        "1-9001-A-0": ("freesound-9001", "train", "dog"),
        "1-9001-B-0": ("freesound-9001", "train", "dog"),
        "4-9002-A-46": ("freesound-9002", "dev", "church bells"),
        "5-9003-A-10": ("freesound-9003", "eval", "rain"),
    }


def test_other_folds_of_esc_50_can_be_held_out(tmp_path: Path) -> None:
    splits = {
        name: split for name, (_, split, _) in facts(read("esc50", build(tmp_path, ESC50), dev=5, eval=1)).items()
    }
    assert splits == {"1-9001-A-0": "eval", "1-9001-B-0": "eval", "4-9002-A-46": "train", "5-9003-A-10": "dev"}


@pytest.mark.parametrize(
    ("options", "message"),
    [({"dev": 5}, "dev and eval are both fold 5; choose two folds"), ({"eval": 6}, "eval")],
)
def test_folds_that_cannot_be_held_out_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        corpora.layout("esc50").build_options(options)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1-9001-B-0.wav,1,", "1-9001-B-0.wav,4,", "esc50.csv:3: recording 9001 has clips in folds 1 and 4"),
        ("5-9003-A-10.wav,5,", "5-9003-A-10.wav,6,", "esc50.csv:5: fold '6' is none of 1, 2, 3, 4, 5"),
        ("1-9001-B-0.wav", "1-9001-A-0.wav", "esc50.csv:3: 1-9001-A-0 is listed twice, first at .*esc50.csv:2"),
        (",src_file", ",source", "esc50.csv:1: no column 'src_file'"),
    ],
)
def test_a_table_of_esc_50_that_was_changed_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read("esc50", build(tmp_path, {**ESC50, TABLE: ESC50[TABLE].replace(old, new)}))


def test_clips_that_are_listed_or_present_alone_are_rejected_with_the_reason(tmp_path: Path) -> None:
    texts = {name: text for name, text in ESC50.items() if not name.endswith("9003-A-10.wav")}
    listing = read("esc50", build(tmp_path, {**texts, "audio/x.wav": ""}))
    assert [(one.path, one.reason) for one in listing.rejections] == [
        ("audio/5-9003-A-10.wav", "listed in meta/esc50.csv but the file is absent"),
        ("audio/x.wav", "not listed in meta/esc50.csv, so its source is not known"),
    ]
    assert len(listing.utterances) == 3


def test_the_speaker_of_a_clip_of_fsd50k_is_its_uploader(tmp_path: Path) -> None:
    assert facts(read("fsd50k", build(tmp_path, FSD50K))) == {
        "9101": ("freesound-user-Anna B.", "train", "Church bell, Bell"),
        "9102": ("freesound-user-carl", "dev", "Rain"),
        "9103": ("freesound-user-dora", "eval", "Bark, Dog"),
    }


def test_a_part_of_fsd50k_can_be_read_without_the_other(tmp_path: Path) -> None:
    root = build(tmp_path, {name: text for name, text in FSD50K.items() if ".eval" not in name})
    assert list(facts(read("fsd50k", root, parts=["dev"]))) == ["9101", "9102"]
    with pytest.raises(CorpusError, match=r"recordings of part eval are in none of .*leave them out \(option parts\)"):
        corpora.layout("fsd50k").require(root, {})


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        (DEV, ",val", ",test", "dev.csv:3: label 'test' is neither train nor val"),
        (INFO, '"uploader": "carl"', '"uploader": " "', r"dev.csv:3: .*_FSD50K.json has no uploader of 9102"),
        (INFO, "}", "", "dev_clips_info_FSD50K.json: damaged: not JSON"),
    ],
)
def test_faults_of_fsd50k_are_named(tmp_path: Path, path: str, old: str, new: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read("fsd50k", build(tmp_path, {**FSD50K, path: FSD50K[path].replace(old, new)}))


def test_real_clips_of_esc_10_are_read_with_a_table_as_that_of_esc_50(shared: Path, tmp_path: Path) -> None:
    """ESC-10 has one folder a class, and Ogg; names hold fold, recording and take, as those of ESC-50 do."""
    clips = sorted((shared / "data/ESC-10").glob("*/*.ogg"))
    (tmp_path / "audio").mkdir()
    rows = ["filename,fold,target,category,esc10,src_file,take"]
    for number, path in enumerate(clips):
        fold, source, take = path.stem.split("-")
        (tmp_path / f"audio/{number}-{path.name}").symlink_to(path)
        rows.append(f"{number}-{path.name},{fold},0,{path.parent.name[6:].lower()},True,{source},{take}")
    (tmp_path / "meta").mkdir()
    (tmp_path / TABLE).write_text("\n".join(rows), encoding="utf-8")
    listing = read("esc50", tmp_path)
    assert listing.rejections == () and len(listing.utterances) == len(clips) == 48
    assert len({one.text for one in listing.utterances}) == 10
