"""Readers of corpora: the utterances of each official layout, and the messages for folders with another layout."""

import re
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from places import PUBLISHED

from codecfake import corpora
from codecfake.base.files import read_tsv
from codecfake.base.settings import SettingsError
from codecfake.corpora import vctk as vctk_layout
from codecfake.corpora.listing import CorpusError, Listing, Rejection

TAKE_ALL = {"table": None, "key": "bonafide", "language": "en"}  # what `listed` must be told
OPTIONS = {"listed": TAKE_ALL, "parquet": {"key": "bonafide", "language": "en"}}  # options without a default


def audio(root: Path, *names: str) -> None:
    """Make tiny recordings; a reader never decodes them."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.zeros(4, dtype=np.int16), 16000, format="WAV")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def read(layout: str, root: Path, **options: object) -> Listing:
    return corpora.layout(layout).utterances(root, options)


def ids(listing: Listing) -> list[str]:
    return [utterance.utterance_id for utterance in listing.utterances]


# --- every layout ---


def test_a_layout_that_is_not_known_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CorpusError, match=r"unknown layout 'vtck'; did you mean 'vctk'\? Choose from vctk, aishell3"):
        corpora.layout("vtck")


@pytest.mark.parametrize("layout", corpora.LAYOUTS)
def test_an_option_that_is_not_known_is_refused(layout: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="unknown setting 'color'"):
        read(layout, tmp_path, color="red")


@pytest.mark.parametrize("layout", corpora.LAYOUTS)
def test_a_root_that_does_not_exist_is_refused_with_the_official_layout(layout: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as error:
        read(layout, tmp_path / "nowhere", **OPTIONS.get(layout, {}))
    assert "no such folder" in str(error.value)
    assert corpora.layout(layout).reader.OFFICIAL in str(error.value)


@pytest.mark.parametrize("layout", [layout for layout in corpora.LAYOUTS if layout != "listed"])
def test_a_root_of_another_layout_is_refused_with_what_was_looked_for_and_what_is_there(
    layout: str, tmp_path: Path
) -> None:
    audio(tmp_path, "somewhere/else.wav")
    with pytest.raises(CorpusError) as error:
        read(layout, tmp_path, **OPTIONS.get(layout, {}))
    for marker in corpora.layout(layout).reader.MARKER:
        assert marker in str(error.value)
    assert "The folder contains somewhere" in str(error.value)


@pytest.mark.parametrize("above", ["VCTK-Corpus-0.92", "datasets/VCTK"])
def test_a_layout_that_is_deeper_in_the_folder_is_named_as_the_root(tmp_path: Path, above: str) -> None:
    audio(tmp_path / above, "wav48/p225/p225_001.wav")
    audio(tmp_path, "__MACOSX/VCTK/wav48/p225/._p225_001.wav")
    with pytest.raises(CorpusError, match=rf"set the corpus's root to {tmp_path / above}$"):
        read("vctk", tmp_path)


def test_a_layout_without_any_recording_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wav48").mkdir()
    with pytest.raises(CorpusError, match="contains no recording"):
        read("vctk", tmp_path)


def test_a_folder_that_is_a_link_is_read_and_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    audio(tmp_path / "disk", "p225/p225_001.wav")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/wav48").symlink_to(tmp_path / "disk")
    assert ids(read("vctk", tmp_path / "corpus")) == ["p225_001"]

    (tmp_path / "disk/p225/again").symlink_to(tmp_path / "disk")
    with pytest.raises(CorpusError, match="again: a link to .*disk, which was already read"):
        read("vctk", tmp_path / "corpus")


# --- real recordings ---


@pytest.mark.parametrize(
    ("layout", "folder", "count", "speakers", "with_text"),
    [
        ("vctk", "VCTK-Corpus-0.92", 48, 13, 48),
        ("vctk", "VCTK-Corpus-0.80", 3, 1, 3),
        ("vctk", "VCTK-16k", 32, 14, 32),
        ("aishell3", "AISHELL3", 48, 12, 26),
        ("libritts", "LibriTTS", 8, 8, 0),
        ("asvspoof2019la", "ASVspoof2019_standin", 42, 21, 0),
        ("in_the_wild", "In-the-Wild_standin", 16, 16, 0),
        ("audiocaps", "AudioCaps-like", 10, 1, 10),
    ],
)
def test_real_recordings_in_the_official_layouts_are_all_listed(
    shared: Path, layout: str, folder: str, count: int, speakers: int, with_text: int
) -> None:
    listing = read(layout, shared / "data" / folder)
    assert listing.rejections == ()
    assert len(listing.utterances) == count
    assert len({utterance.speaker_id for utterance in listing.utterances}) == speakers
    assert sum(utterance.text is not None for utterance in listing.utterances) == with_text
    assert all((shared / "data" / folder / utterance.path).is_file() for utterance in listing.utterances)


@pytest.mark.long
def test_the_published_protocols_of_asvspoof_2019_have_their_published_counts(shared: Path) -> None:
    listing = read("asvspoof2019la", shared / "data/ASVspoof2019_real_protocol")
    assert ids(listing) == ["LA_T_1000137"]
    folder_of = Counter(rejection.path.split("/")[1] for rejection in listing.rejections)
    assert folder_of == {
        "ASVspoof2019_LA_train": 25_380 - 1,
        "ASVspoof2019_LA_dev": 24_844,
        "ASVspoof2019_LA_eval": 71_237,
    }


def test_the_official_captions_are_one_dead_link_a_clip_where_nothing_was_fetched(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    for part in ("val", "test"):
        (tmp_path / f"{part}.csv").symlink_to(shared / f"data/AudioCaps-official-csv/dataset/{part}.csv")
    listing = read("audiocaps", tmp_path)
    assert len(listing.rejections) == 495 + 975
    assert all(rejection.expected for rejection in listing.rejections)


# --- vctk ---


@pytest.fixture
def vctk(tmp_path: Path) -> Path:
    """p225_001 with both microphones, p225_002 with the second alone, s5_001 with the first alone."""
    names = ("p225/p225_001_mic1.flac", "p225/p225_001_mic2.flac", "p225/p225_002_mic2.flac", "s5/s5_001_mic1.flac")
    audio(tmp_path / "wav48_silence_trimmed", *names)
    write(tmp_path / "wav48_silence_trimmed/log.txt", "not a recording")
    write(tmp_path / "txt/p225/p225_001.txt", "Please call Stella.\n")
    return tmp_path


def microphones(listing: Listing) -> dict[str, str]:
    return {utterance.utterance_id: Path(utterance.path).stem[-4:] for utterance in listing.utterances}


def test_vctk_gives_the_first_microphone_of_each_utterance_and_the_second_where_there_is_no_first(vctk: Path) -> None:
    assert microphones(read("vctk", vctk)) == {"p225_001": "mic1", "p225_002": "mic2", "s5_001": "mic1"}


def test_the_order_of_vctk_microphones_is_the_users(vctk: Path) -> None:
    listing = read("vctk", vctk, microphones=["mic2", "mic1"])
    assert microphones(listing) == {"p225_001": "mic2", "p225_002": "mic2", "s5_001": "mic1"}


def test_vctk_utterances_without_the_only_wanted_microphone_are_rejected(vctk: Path) -> None:
    listing = read("vctk", vctk, microphones=["mic1"])
    assert ids(listing) == ["p225_001", "s5_001"]
    (rejection,) = listing.rejections
    assert rejection.path == "wav48_silence_trimmed/p225/p225_002_mic2.flac"
    assert rejection.reason == "no mic1 recording of p225_002 (only mic2)"
    assert not rejection.expected


def test_vctk_transcripts_are_read_and_may_be_missing(vctk: Path) -> None:
    text_of = {utterance.utterance_id: utterance.text for utterance in read("vctk", vctk).utterances}
    assert text_of == {"p225_001": "Please call Stella.", "p225_002": None, "s5_001": None}


def test_a_vctk_transcript_that_is_not_utf8_is_named(vctk: Path) -> None:
    (vctk / "txt/p225/p225_001.txt").write_bytes(b"caf\xe9")
    with pytest.raises(CorpusError, match=r"p225_001\.txt:1: not UTF-8 text .*probably WINDOWS-1252"):
        read("vctk", vctk)


def test_names_without_a_microphone_are_read_in_the_folder_of_release_092_too(tmp_path: Path) -> None:
    audio(tmp_path / "wav48_silence_trimmed", "p225/p225_001.flac", "s5/s5_002.flac")
    assert ids(read("vctk", tmp_path)) == ["p225_001", "s5_002"]
    audio(tmp_path / "wav48_silence_trimmed", "p225/p225_002_mic1.flac")
    assert ids(read("vctk", tmp_path)) == ["p225_002"]
    assert len(read("vctk", tmp_path).rejections) == 2


def test_release_080_of_vctk_has_one_recording_an_utterance_and_one_file_that_is_no_wav(tmp_path: Path) -> None:
    audio(tmp_path / "wav48", "p376/p376_294.wav", "p376/p376_296.WAV", "p376/p376_295.raw")
    listing = read("vctk", tmp_path)
    assert ids(listing) == ["p376_294", "p376_296"]
    assert [(rejection.path, rejection.expected) for rejection in listing.rejections] == [
        ("wav48/p376/p376_295.raw", True)
    ]


def test_files_that_are_not_named_as_vctk_names_them_are_rejected(vctk: Path) -> None:
    audio(vctk / "wav48_silence_trimmed", "p225/p225_001_mic1 (copy).flac")
    (rejection,) = read("vctk", vctk).rejections
    assert "not named as VCTK" in rejection.reason


@pytest.fixture
def converted(tmp_path: Path) -> Path:
    """Release 0.92 as WAV in the folder of release 0.80; p280 and p315 have no second microphone."""
    names = [f"p225/p225_00{take}_mic{microphone}.wav" for take in (1, 2) for microphone in (1, 2)]
    audio(tmp_path / "wav48", *names, "p280/p280_001_mic1.wav", "p315/p315_001_mic1.wav")
    return tmp_path


def test_release_092_of_vctk_as_wav_is_read_with_its_microphones(converted: Path) -> None:
    assert set(microphones(read("vctk", converted)).values()) == {"mic1"}
    assert microphones(read("vctk", converted, microphones=["mic2", "mic1"])) == {
        "p225_001": "mic2", "p225_002": "mic2", "p280_001": "mic1", "p315_001": "mic1",
    }  # fmt: skip


@pytest.mark.parametrize("folder", ["wav48", "wav48_silence_trimmed"])
def test_the_second_microphone_that_vctk_does_not_have_of_two_speakers_is_expected(
    converted: Path, folder: str
) -> None:
    (converted / "wav48").rename(converted / folder)
    (converted / folder / "p225/p225_002_mic2.wav").unlink()
    listing = read("vctk", converted, microphones=["mic2"])
    assert ids(listing) == ["p225_001"]
    assert {(Path(one.path).name, one.expected) for one in listing.rejections} == {
        ("p225_002_mic1.wav", False), ("p280_001_mic1.wav", True), ("p315_001_mic1.wav", True),
    }  # fmt: skip


def test_names_of_both_releases_of_vctk_in_one_folder_are_refused(converted: Path) -> None:
    audio(converted / "wav48", "p225/p225_003.wav")
    with pytest.raises(CorpusError, match=r"two releases in one folder \(.*p225_003\.wav and .*p225_001_mic1\.wav\)"):
        read("vctk", converted)


def test_two_releases_of_vctk_in_one_folder_are_refused(vctk: Path) -> None:
    audio(vctk, "wav48/p225/p225_001.wav")
    with pytest.raises(CorpusError, match="two releases in one folder"):
        read("vctk", vctk)


def test_one_vctk_recording_in_two_formats_is_refused(vctk: Path) -> None:
    audio(vctk, "wav48_silence_trimmed/p225/p225_001_mic1.wav")
    with pytest.raises(CorpusError, match="p225_001_mic1.wav has the same name as .*p225_001_mic1.flac"):
        read("vctk", vctk)


@pytest.mark.parametrize(
    ("names", "release"),
    [
        (["wav48_silence_trimmed/p225/p225_001_mic1.flac"], r"release 0\.92 \(two microphones, 110 speakers\)"),
        (["wav48/p225/p225_001_mic1.wav"], r"release 0\.92 \(two microphones, 110 speakers\)"),
        (["wav48/p225/p225_001.wav"], r"release 0\.80 \(no microphone in the names, 109 speakers\)"),
    ],
)
def test_the_release_of_vctk_is_logged_beside_the_counts_of_the_papers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, names: list[str], release: str
) -> None:
    audio(tmp_path, *names)
    with caplog.at_level("INFO"):
        read("vctk", tmp_path)
    papers = r"the papers count, of release 0\.80: 44,242 \(Xie et al\. 2025\), 44,242 \(Wu et al\. 2024\)"
    (line,) = caplog.messages
    assert re.search(f"named as in VCTK {release}: 1 utterances of 1 speakers; {papers}$", line)


def test_the_counts_of_vctk_are_those_that_the_papers_print() -> None:
    rows = read_tsv(PUBLISHED / "wu2024_table2.tsv")
    parts = rows[(rows["data"] == "VCTK") & (rows["count"] == "utterances")]["value"]
    assert vctk_layout.PUBLISHED["Wu et al. 2024"] == sum(map(int, parts))
    # Xie et al. pool VCTK with the 88,035 utterances of AISHELL-3
    counts = read_tsv(PUBLISHED / "xie2025_counts.tsv").set_index("list").loc[["train", "dev", "eval"], "bonafide"]
    aishell3_size = corpora.layout("aishell3").size
    assert aishell3_size is not None
    assert vctk_layout.PUBLISHED["Xie et al. 2025"] + aishell3_size.utterances == sum(map(int, counts))


# --- aishell3 ---


@pytest.fixture
def aishell3(tmp_path: Path) -> Path:
    audio(tmp_path, "train/wav/SSB0011/SSB00110001.wav", "test/wav/SSB0005/SSB00050353.wav")
    write(tmp_path / "train/content.txt", "SSB00110001.wav\t我 wo3 知 zi1 道 dao4\n")
    return tmp_path


def test_aishell3_text_is_the_characters_without_their_pinyin(aishell3: Path) -> None:
    text_of = {utterance.utterance_id: utterance.text for utterance in read("aishell3", aishell3).utterances}
    assert text_of == {"SSB00110001": "我知道", "SSB00050353": None}


def test_aishell3_speakers_are_ssb_and_four_digits_and_its_parts_are_not_our_splits(aishell3: Path) -> None:
    listing = read("aishell3", aishell3)
    assert [utterance.speaker_id for utterance in listing.utterances] == ["SSB0005", "SSB0011"]
    assert {(utterance.split, utterance.language) for utterance in listing.utterances} == {(None, "zh")}


def test_aishell3_texts_without_audio_are_rejected(aishell3: Path) -> None:
    write(aishell3 / "test/content.txt", "SSB00050353.wav\t广 guang3\nSSB00050354.wav\t州 zhou1\n")
    (rejection,) = read("aishell3", aishell3).rejections
    assert rejection.path == "test/wav/SSB0005/SSB00050354.wav"
    assert rejection.reason == "listed in test/content.txt but absent"


@pytest.mark.parametrize("gap", ["\t", " ", "  ", " \t", "\u3000"])
def test_aishell3_texts_may_have_blanks_in_place_of_the_tab(aishell3: Path, gap: str) -> None:
    write(aishell3 / "test/content.txt", f"SSB00050353.wav{gap}广 guang3 州{gap}zhou1\n")
    text_of = {utterance.utterance_id: utterance.text for utterance in read("aishell3", aishell3).utterances}
    assert text_of["SSB00050353"] == "广州"


def test_an_aishell3_line_without_a_name_is_named(aishell3: Path) -> None:
    write(aishell3 / "test/content.txt", "广 guang3 SSB00050353.wav\n")
    with pytest.raises(CorpusError, match=r"test/content\.txt:1: '广' is no name of AISHELL-3"):
        read("aishell3", aishell3)


def test_one_utterance_in_both_parts_of_aishell3_is_refused(aishell3: Path) -> None:
    audio(aishell3, "test/wav/SSB0011/SSB00110001.wav")
    with pytest.raises(CorpusError, match="'SSB00110001' appears twice, as t.*/SSB00110001.wav and as t"):
        read("aishell3", aishell3)


# --- libritts ---


@pytest.fixture
def libritts(tmp_path: Path) -> Path:
    audio(tmp_path, "train-clean-100/103/1241/103_1241_000000_000001.wav")
    audio(tmp_path, "dev-clean/84/121123/84_121123_000007_000000.wav")
    write(tmp_path / "dev-clean/84/121123/84_121123_000007_000000.normalized.txt", "Maximilian.\n")
    return tmp_path


def test_libritts_reads_all_its_subsets_and_their_texts(libritts: Path) -> None:
    text_of = {utterance.speaker_id: utterance.text for utterance in read("libritts", libritts).utterances}
    assert text_of == {"103": None, "84": "Maximilian."}


def test_libritts_reads_the_subsets_that_are_asked_for(libritts: Path) -> None:
    assert ids(read("libritts", libritts, subsets=["dev-clean"])) == ["84_121123_000007_000000"]


def test_a_libritts_subset_that_is_not_there_is_refused_with_those_that_are(libritts: Path) -> None:
    with pytest.raises(CorpusError, match="no subset 'dev-cleen'; choose from dev-clean, train-clean-100"):
        read("libritts", libritts, subsets=["dev-cleen"])


# --- asvspoof2019la ---


@pytest.fixture
def asvspoof(tmp_path: Path) -> Path:
    """A bona fide and a spoof in every split."""
    for split, protocol in (("train", "train.trn"), ("dev", "dev.trl"), ("eval", "eval.trl")):
        audio(tmp_path / f"LA/ASVspoof2019_LA_{split}/flac", f"{split}_1.flac", f"{split}_2.flac")
        lines = f"LA_0079 {split}_1 - - bonafide\nLA_0080 {split}_2 - A07 spoof\n"
        write(tmp_path / f"LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.{protocol}.txt", lines)
    return tmp_path


def test_asvspoof_keys_splits_attacks_and_speakers_come_from_its_protocols(asvspoof: Path) -> None:
    listing = read("asvspoof2019la", asvspoof)
    assert listing.rejections == ()
    spoof = {utterance.utterance_id: utterance for utterance in listing.utterances}["dev_2"]
    assert (spoof.speaker_id, spoof.key, spoof.split, spoof.attack) == ("LA_0080", "spoof", "dev", "A07")
    assert Counter((utterance.split, utterance.key) for utterance in listing.utterances) == {
        (split, key): 1 for split in ("train", "dev", "eval") for key in ("bonafide", "spoof")
    }


def test_asvspoof_is_the_same_from_the_folder_la_itself(asvspoof: Path) -> None:
    above, itself = read("asvspoof2019la", asvspoof), read("asvspoof2019la", asvspoof / "LA")
    assert ids(above) == ids(itself)
    assert [one.path for one in above.utterances] == [f"LA/{utterance.path}" for utterance in itself.utterances]


def test_asvspoof_reads_the_splits_that_are_asked_for(asvspoof: Path) -> None:
    assert ids(read("asvspoof2019la", asvspoof, splits=["eval"])) == ["eval_1", "eval_2"]
    with pytest.raises(CorpusError, match="unknown split 'test'; choose from train, dev, eval"):
        read("asvspoof2019la", asvspoof, splits=["test"])


def test_asvspoof_trials_without_audio_are_rejected_and_audio_without_a_trial_is_expected(asvspoof: Path) -> None:
    flac = asvspoof / "LA/ASVspoof2019_LA_dev/flac"
    (flac / "dev_1.flac").rename(flac / "enrollment.flac")
    rejected = {rejection.path: rejection for rejection in read("asvspoof2019la", asvspoof).rejections}
    absent = rejected.pop("LA/ASVspoof2019_LA_dev/flac/dev_1.flac")
    assert "dev.trl.txt but the file is absent" in absent.reason
    assert not absent.expected
    assert rejected.pop("LA/ASVspoof2019_LA_dev/flac/enrollment.flac").expected
    assert not rejected


def test_an_asvspoof_line_that_is_no_trial_is_named(asvspoof: Path) -> None:
    write(asvspoof / "LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.dev.trl.txt", "LA_0079 dev_1 - - real\n")
    with pytest.raises(CorpusError, match=r"cm\.dev\.trl\.txt:1: 'LA_0079 dev_1 - - real' is not"):
        read("asvspoof2019la", asvspoof)


def test_a_missing_asvspoof_protocol_is_named(asvspoof: Path) -> None:
    (asvspoof / "LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.eval.trl.txt").unlink()
    with pytest.raises(CorpusError, match=r"eval\.trl\.txt: no such protocol"):
        read("asvspoof2019la", asvspoof)


# --- in_the_wild ---


@pytest.fixture
def in_the_wild(tmp_path: Path) -> Path:
    audio(tmp_path / "release_in_the_wild", "0.wav", "1.wav")
    lines = "file,speaker,label\n0.wav,Alec Guinness,spoof\n1.wav,Christopher Hitchens,bona-fide\n"
    write(tmp_path / "release_in_the_wild/meta.csv", lines)
    return tmp_path


def test_in_the_wild_is_for_evaluation_and_does_not_say_what_made_its_spoofs(in_the_wild: Path) -> None:
    spoof, bonafide = read("in_the_wild", in_the_wild).utterances
    assert (spoof.utterance_id, spoof.speaker_id, spoof.key) == ("0", "Alec Guinness", "spoof")
    assert (spoof.split, spoof.attack) == ("eval", "unknown")
    assert (bonafide.utterance_id, bonafide.key) == ("1", "bonafide")
    assert (bonafide.split, bonafide.attack) == ("eval", "-")


def test_in_the_wild_is_the_same_from_its_inner_folder(in_the_wild: Path) -> None:
    assert ids(read("in_the_wild", in_the_wild / "release_in_the_wild")) == ids(read("in_the_wild", in_the_wild))


def test_in_the_wild_files_and_rows_without_each_other_are_rejected(in_the_wild: Path) -> None:
    folder = in_the_wild / "release_in_the_wild"
    (folder / "1.wav").rename(folder / "2.wav")
    reason_of = {rejection.path: rejection.reason for rejection in read("in_the_wild", in_the_wild).rejections}
    assert reason_of == {
        "release_in_the_wild/1.wav": "listed in meta.csv but the file is absent",
        "release_in_the_wild/2.wav": "not listed in meta.csv, so its key is not known",
    }


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("file,speaker,label\n0.wav,Someone,fake\n", r"meta\.csv:2: label 'fake' is neither bona-fide nor spoof"),
        ("file,speaker,label\n0.wav,A,spoof\n0.wav,A,bona-fide\n", r"meta\.csv:3: .*0\.wav is listed twice"),
        ("file,speaker,label\n0.wav,Someone\n", r"meta\.csv:2: the number of cells differs from the header"),
        ("file,speaker\n0.wav,Someone\n", "no column 'label'; the header's columns are file, speaker"),
    ],
)
def test_a_faulty_table_of_in_the_wild_is_named_with_its_line(in_the_wild: Path, lines: str, message: str) -> None:
    write(in_the_wild / "release_in_the_wild/meta.csv", lines)
    with pytest.raises(CorpusError, match=message):
        read("in_the_wild", in_the_wild)


# --- audiocaps ---

CAPTIONS = "audiocap_id,youtube_id,start_time,caption\n1,-abc,20,Rain falls\n2,-abc,20,It rains\n3,xyz,0,A dog barks\n"


@pytest.mark.parametrize("name", ["-abc.wav", "-abc.FLAC", "Y-abc.wav", "-abc_20.wav", "Y-abc_20.flac"])
def test_audiocaps_clips_are_found_under_the_names_that_downloaders_give(tmp_path: Path, name: str) -> None:
    audio(tmp_path / "audio", name)
    write(tmp_path / "train.csv", CAPTIONS)
    (utterance,) = read("audiocaps", tmp_path).utterances
    assert (utterance.utterance_id, utterance.speaker_id) == ("Y-abc", "-")
    assert (utterance.text, utterance.path) == ("Rain falls", f"audio/{name}")


def test_audiocaps_dead_links_and_clips_of_other_parts_are_listed_but_expected(tmp_path: Path) -> None:
    audio(tmp_path / "audio", "-abc.wav", "other.wav")
    write(tmp_path / "train.csv", CAPTIONS)
    rejected = read("audiocaps", tmp_path).rejections
    assert [(rejection.path, rejection.expected) for rejection in rejected] == [
        ("audio/other.wav", True),
        ("audio/xyz.wav", True),
    ]


def test_audiocaps_captions_may_be_chosen_and_must_be_there(tmp_path: Path) -> None:
    audio(tmp_path / "audio", "-abc.wav", "xyz.wav")
    with pytest.raises(CorpusError, match="no .csv with captions"):
        read("audiocaps", tmp_path)
    write(tmp_path / "dataset/val.csv", CAPTIONS)
    assert ids(read("audiocaps", tmp_path, csv="dataset/val.csv")) == ["Y-abc", "Yxyz"]
    with pytest.raises(CorpusError, match=r"test\.csv: no such table"):
        read("audiocaps", tmp_path, csv=["dataset/test.csv"])


# --- listed ---


def test_a_folder_without_a_table_is_taken_whole(tmp_path: Path) -> None:
    audio(tmp_path, "F01/F01_p225_001.wav", "F02/name with space é 语音.FLAC", "F02/refused later.m4a", "notes.txt")
    listing = read("listed", tmp_path, table=None, key="fake", language="en")
    assert [(utterance.utterance_id, utterance.path) for utterance in listing.utterances] == [
        ("F01_p225_001", "F01/F01_p225_001.wav"),
        ("name with space é 语音", "F02/name with space é 语音.FLAC"),
        ("refused later", "F02/refused later.m4a"),
    ]
    assert {(utterance.key, utterance.attack, utterance.speaker_id) for utterance in listing.utterances} == {
        ("spoof", "unknown", "-")
    }


@pytest.mark.parametrize(("suffix", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_a_table_says_all_there_is_to_say_of_an_utterance(tmp_path: Path, suffix: str, delimiter: str) -> None:
    audio(tmp_path, "a b/ü.wav")
    header = ("path", "utterance_id", "speaker", "label", "language", "text", "split", "attack", "notes")
    row = ("a b/ü.wav", "u1", "p225", "Fake", "zh", "广州", "dev", "L1", "-")
    write(tmp_path / f"list.{suffix}", delimiter.join(header) + "\n" + delimiter.join(row) + "\n")
    (utterance,) = read("listed", tmp_path, table=f"list.{suffix}").utterances
    assert (utterance.utterance_id, utterance.speaker_id, utterance.key) == ("u1", "p225", "spoof")
    assert (utterance.language, utterance.text, utterance.split, utterance.attack) == ("zh", "广州", "dev", "L1")
    assert utterance.path == "a b/ü.wav"


@pytest.mark.parametrize("label", ["bonafide", "bona-fide", "real", "genuine", "REAL"])
def test_the_words_in_use_for_bona_fide_speech_are_understood(tmp_path: Path, label: str) -> None:
    audio(tmp_path, "a.wav")
    write(tmp_path / "list.csv", f"path,key\na.wav,{label}\n")
    (utterance,) = read("listed", tmp_path, table="list.csv", language="en").utterances
    assert (utterance.key, utterance.attack) == ("bonafide", "-")


def test_rows_without_audio_are_rejected(tmp_path: Path) -> None:
    audio(tmp_path, "a.wav")
    write(tmp_path / "list.csv", "path\na.wav\nb.wav\n")
    listing = read("listed", tmp_path, table="list.csv", key="real", language="en")
    assert ids(listing) == ["a"]
    assert [(rejection.path, rejection.reason) for rejection in listing.rejections] == [
        ("b.wav", "listed in list.csv but the file is absent")
    ]


@pytest.mark.parametrize(("name", "in_table"), [("Clip.WAV", "clip.wav"), ("sub/ÉTÉ.wav", "sub/été.wav")])
def test_a_row_whose_letters_differ_in_case_is_rejected_with_the_name_of_the_file(
    tmp_path: Path, name: str, in_table: str
) -> None:
    audio(tmp_path, "a.wav", unicodedata.normalize("NFD", name))
    write(tmp_path / "list.csv", f"path\na.wav\n{in_table}\n")
    (rejection,) = read("listed", tmp_path, table="list.csv", key="real", language="en").rejections
    assert unicodedata.normalize("NFC", rejection.reason).startswith(
        f"listed in list.csv but the file is absent; the folder has '{Path(name).name}', so correct the case"
    )


@pytest.mark.parametrize("target", ["nowhere.wav", "b.wav"])
def test_rows_of_links_that_lead_nowhere_are_rejected(tmp_path: Path, target: str) -> None:
    audio(tmp_path, "a.wav")
    (tmp_path / "b.wav").symlink_to(target)
    write(tmp_path / "list.csv", "path\na.wav\nb.wav\n")
    (rejection,) = read("listed", tmp_path, table="list.csv", key="real", language="en").rejections
    assert rejection.reason == "listed in list.csv, but it is a link that leads nowhere; restore its target"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("file\na.wav\n", "no column 'path'"),
        ("path,language\na.wav,en\n", "key None is not one of"),
        ("path,key,language\na.wav,true,en\n", r"list\.csv:2: key 'true' is not one of bonafide"),
        ("path,key\na.wav,real\n", r"list\.csv:2: no language"),
        ("path,key,language,split\na.wav,real,en,test\n", "split 'test' is not one of train, dev, eval"),
        ("path,key,label,language\na.wav,real,real,en\n", "columns key and label mean the same"),
        ("path,key,language\n/data/a.wav,real,en\n", "'/data/a.wav' is not relative to the corpus's root"),
        ("path,key,language,utterance_id\na.wav,real,en,x/y\n", "'x/y' is empty or contains a slash"),
        ("path,key,language\na.wav,real,en\nsub/a.wav,real,en\n", "utterance 'a' appears twice"),
        (
            "path,key,language,utterance_id\na.wav,real,en,1\n./a.wav,fake,en,2\n",
            r"csv:3: a\.wav is listed twice, first at .*csv:2",
        ),
        ("path,key,language\na.wav,real,en,and,more\n", r"list\.csv:2: the number of cells"),
    ],
)
def test_a_faulty_table_is_refused_and_says_why(tmp_path: Path, table: str, message: str) -> None:
    audio(tmp_path, "a.wav", "sub/a.wav")
    write(tmp_path / "list.csv", table)
    with pytest.raises(CorpusError, match=message):
        read("listed", tmp_path, table="list.csv")


def test_fakes_named_as_the_recordings_they_imitate_get_names_of_their_own(tmp_path: Path) -> None:
    audio(tmp_path, "p225_001.wav")
    (utterance,) = read("listed", tmp_path, key="spoof", language="en", attack="VALL-E", prefix="A1_").utterances
    assert (utterance.utterance_id, utterance.attack, utterance.path) == ("A1_p225_001", "VALL-E", "p225_001.wav")


def test_a_suffix_of_phones_and_recorders_hides_no_recording_and_other_files_are_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = ["a.wave", "b.bwf", "c.3gp", "d.mpga", "e.m4b", "f.spx", "g.MOV", "h.dss", "i.gsm", "j.pcm"]
    for name in (*names, "notes.txt", "sub/recording"):
        write(tmp_path / name, "")
    with caplog.at_level("INFO"):
        listing = read("listed", tmp_path, key="real", language="en")
    assert [utterance.path for utterance in listing.utterances] == names
    assert "2 files without an audio suffix, such as 'notes.txt', are no recordings" in caplog.text


def test_a_folder_taken_whole_needs_a_key(tmp_path: Path) -> None:
    audio(tmp_path, "a.wav")
    with pytest.raises(CorpusError, match="or set the option key for all"):
        read("listed", tmp_path, table=None, language="en")


def test_a_file_with_a_name_that_is_not_utf8_is_rejected_and_no_other(tmp_path: Path) -> None:
    audio(tmp_path, "a.wav", "b.wav")
    (tmp_path / "a.wav").rename(tmp_path / b"caf\xe9.wav".decode("utf-8", "surrogateescape"))
    listing = read("listed", tmp_path, **TAKE_ALL)
    assert ids(listing) == ["b"]
    assert listing.rejections == (
        Rejection(r"caf\udce9.wav", "the name of the file is not UTF-8; rename it (e.g. with convmv)"),
    )
