"""Released corpora that are cut, changed or incomplete: named with the line, the rule and the remedy."""

import logging
from pathlib import Path

import pytest
from released_corpora import MLAAD, RELEASED, ROWS_OF_MLAAD, build

from codecfake import corpora
from codecfake.base.settings import SettingsError
from codecfake.corpora.listing import CorpusError, Listing

LA, DF = "keys/LA/CM/trial_metadata.txt", "keys/DF/CM/trial_metadata.txt"
DEV = "ASVspoof5.dev.track_1.tsv"
TABLE = "fake/de/example_vits/meta.csv"
CELEB = "spoofceleb/metadata/train.csv"
FOLDERS = (
    "flac_T",
    "train",
    "flac/development",
    "CoRS",
    "CoSG",
    "ASVspoof2021_LA_eval/flac",
    "ASVspoof2021_DF_eval/flac",
)


def read(layout: str, root: Path, **options: object) -> Listing:
    return corpora.layout(layout).utterances(root, RELEASED[layout][0] | options)


def changed(root: Path, layout: str, texts: dict[str, str | None]) -> Path:
    """A corpus with other texts; None removes a file."""
    files = {**RELEASED[layout][1], **texts}
    return build(root, {name: text for name, text in files.items() if text is not None})


@pytest.mark.parametrize(
    ("layout", "path", "text", "message"),
    [
        # another number of words
        ("asvspoof2021la", LA, "LA_9 LA_E_1 alaw ita_tx A07 spoof notrim\n", r":1: .* has 7 words, not 8 as `speaker"),
        ("asvspoof2021df", DF, "LA_9 DF_E_1 nocodec asvspoof A14 spoof notrim eval\n", r":1: .* has 8 words, not 13"),
        ("asvspoof5", DEV, "D_9 D_1 F - A11 spoof\n", r"track_1\.tsv:1: .* has 6 words, not 10 .*restore the corpus"),
        ("codecfake", "label/C1.txt", "F01_p999_002.wav\n", r"C1\.txt:1: .* has 1 word, not 2 or 3 as `file label"),
        ("codecfake_plus_cors", "CoRS_labels.txt", "p225_001.wav bonafide\n", r":1: .* has 2 words, not 3"),
        ("codecfake_plus_cosg", "CoSG_labels.txt", "A A_1 Mvq None Freq\n", r":1: .* has 5 words, not 6 as `model"),
        ("spoofceleb", CELEB, "file,speaker,attack\na00/id1/a.flac,id1\n", r"train\.csv:2: the number of cells"),
        ("mlaad", TABLE, f"{ROWS_OF_MLAAD}\n./fake/de/a.wav|x|de|True|4|t|m|vits|A | bar\n", r"csv:2: the number"),
        # unknown labels; a header is one, too
        ("asvspoof2021la", LA, "s t c x a Spoof n eval\n", r":1: label 'Spoof' is neither bonafide nor spoof; restore"),
        ("asvspoof2021la", LA, "s t c x a spoof n test\n", r":1: label 'test' is neither progress nor eval nor hidden"),
        ("asvspoof5", DEV, "s f g c q s t a key -\n", r":1: label 'key' is neither bonafide nor spoof"),
        ("codecfake", "label/dev.txt", "a.wav bonafide 0\n", r"dev\.txt:1: label 'bonafide' is neither real nor fake"),
        ("codecfake_plus_cors", "CoRS_labels.txt", "p225 a.wav Spoof\n", r":1: label 'Spoof' is neither bonafide nor"),
        ("codecfake_plus_cosg", "CoSG_labels.txt", "A A_1 M N F Bonafide\n", r":1: label 'Bonafide' is neither"),
        # other columns
        ("spoofceleb", CELEB, "a00/id1/a.flac,id1,a00\n", r"train\.csv:1: no column 'file'"),
        ("mlaad", TABLE, "path|language\n", r"meta\.csv:1: no column 'original_file'"),
        # names that contradict the rest of the line
        ("codecfake_plus_cors", "CoRS_labels.txt", "p225 p225_001.wav spoof\n", r":1: .* has no codec after its"),
        ("spoofceleb", CELEB, "file,speaker,attack\na00/id1/a.flac,id1,a01\n", r":2: file a00/.* not in the folder of"),
        # one name on two lines
        ("asvspoof2021la", LA, "s t c x a spoof n eval\n" * 2, r":2: t is listed twice, .*:1"),
        ("asvspoof5", DEV, "s f g - - - - a spoof -\n" * 2, r"tsv:2: f is listed twice"),
        ("codecfake_plus_cors", "CoRS_labels.txt", "p a.wav bonafide\np a.flac bonafide\n", r":2: a is listed twice"),
        ("mlaad", TABLE, MLAAD[TABLE] + MLAAD[TABLE].splitlines()[1] + "\n", r"meta\.csv:4: book_01_f000001 is listed"),
    ],
)  # fmt: skip
def test_a_list_that_is_not_as_published_is_refused_with_its_line(
    tmp_path: Path, layout: str, path: str, text: str, message: str
) -> None:
    with pytest.raises(CorpusError, match=message):
        read(layout, changed(tmp_path, layout, {path: text}))


@pytest.mark.parametrize(
    ("layout", "path", "reason"),
    [
        ("asvspoof2021la", "ASVspoof2021_LA_eval/flac/LA_E_9000001.flac", f"listed in {LA} but the file is absent"),
        ("asvspoof5", "flac_E_eval/E_0000900002.flac", "listed in ASVspoof5.eval.track_1.tsv but the file is absent"),
        ("codecfake", "test/C1/F01_p999_002.wav", "listed in label/C1.txt but the file is absent"),
        ("codecfake_plus_cors", "CoRS/p225_001.wav", "listed in CoRS_labels.txt but the file is absent"),
        ("codecfake_plus_cosg", "CoSG/EXAMPLEVC_1.wav", "listed in CoSG_labels.txt but the file is absent"),
        ("mlaad", "fake/de/example_vits/book_01_f000002.wav", "listed in fake/de/example_vits/meta.csv but"),
        ("mlaad", "M-AILABS/en_US/by_book/male/reader_b/book_02/wavs/book_02_f000003.wav", "the original at "),
        (
            "spoofceleb",
            "spoofceleb/flac/train/a01/id901/AbCdEfGhIjK-00002-006.flac",
            "listed in spoofceleb/metadata/train.csv but the file is absent",
        ),
    ],
)
def test_a_recording_that_is_missing_is_rejected_and_no_other(
    tmp_path: Path, layout: str, path: str, reason: str
) -> None:
    whole = len(read(layout, changed(tmp_path / "whole", layout, {})).utterances)
    listing = read(layout, changed(tmp_path / "cut", layout, {path: None}))
    (rejection,) = listing.rejections
    assert (rejection.path, rejection.expected) == (path, False)
    assert rejection.reason.startswith(reason)
    assert len(listing.utterances) == whole - 1


@pytest.mark.parametrize(
    ("layout", "path", "reason"),
    [
        ("asvspoof2021df", "ASVspoof2021_DF_eval/flac/DF_E_9.flac", f"not listed in {DF}, so its key is not known"),
        ("codecfake", "dev/F01_p999_009.wav", "not listed in label/dev.txt, so its key is not known"),
        ("codecfake_wu", "processed/encodec_24khz+demo.wav", "not named as CodecFake names its recordings"),
        ("mlaad", "fake/de/another_model/a.wav", "its folder has no meta.csv, so nothing is known of it"),
        ("wavefake", "generated_audio/new_melgan/a.wav", "its folder is named after neither ljspeech nor jsut"),
    ],
)
def test_a_recording_that_no_list_explains_is_rejected(tmp_path: Path, layout: str, path: str, reason: str) -> None:
    (rejection,) = read(layout, changed(tmp_path, layout, {path: ""})).rejections
    assert rejection.path == path
    assert rejection.reason.startswith(reason)


@pytest.mark.parametrize(
    ("layout", "options", "message"),
    [
        ("codecfake", {"lists": ["C9"]}, r"no list C9\.txt; choose from A3, C1, C3-1, dev, train \(option lists\)"),
        (
            "codecfake_wu",
            {"codecs": ["dac"]},
            r"no recording of codec 'dac' .*choose from descript-audio-codec-16k, enc",
        ),
        (
            "codecfake_plus_cors",
            {"codecs": ["Mimi"]},
            r"no recording of codec 'Mimi' .*choose from Encodec_24b24k, big",
        ),
        ("wavefake", {"folders": ["ljspeech"]}, r"no folder 'ljspeech' \(option folders\); choose from common_voices"),
        ("mlaad", {"languages": ["fr"]}, "no language 'fr'; choose from de, zh-cn"),
        ("mlaad", {"originals": "MAILABS"}, r"the readings of M-AILABS are in none of MAILABS; .*\(option originals\)"),
    ],
)
def test_an_option_that_the_corpus_does_not_have_is_refused_with_those_that_it_has(
    tmp_path: Path, layout: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(CorpusError, match=message):
        read(layout, changed(tmp_path, layout, {}), **options)


@pytest.mark.parametrize(
    ("layout", "options"),
    [
        ("asvspoof2021la", {"phases": ["test"]}),
        ("asvspoof5", {"splits": ["test"]}),
        ("spoofceleb", {"splits": ["development"]}),
        ("codecfake_plus_cosg", {"attack": "codec"}),
        ("cdd", {"coded": "real"}),
        ("mlaad", {"attack": "language"}),
    ],
)
def test_an_option_that_no_such_corpus_has_is_refused_before_the_corpus_is_read(
    layout: str, options: dict[str, object]
) -> None:
    with pytest.raises(SettingsError, match="unknown value"):
        corpora.layout(layout).build_options(options)


@pytest.mark.parametrize(
    ("layout", "absent", "message"),
    [
        ("asvspoof5", "flac_D", r"of split dev are in none of flac_D, .*; unpack them there, or .* \(option splits\)"),
        ("asvspoof2021la", "ASVspoof2021_LA_eval", "the recordings are in none of ASVspoof2021_LA_eval/flac; unpack"),
        ("codecfake_plus_cosg", "CoSG/", "the recordings are in none of CoSG; unpack them there$"),
        ("asvspoof5", DEV, r"ASVspoof5\.dev\.track_1\.tsv: no such protocol; restore it, or leave out its split"),
        (
            "codecfake",
            "test/C1",
            r"the recordings of label/C1\.txt are in none of C1, test/C1; unpack",
        ),
        ("cdd", "CoRS_dev", r"coded recordings are in none of CoRS_dev; .*\(option splits\)"),
        ("spoofceleb", CELEB, r"train\.csv: no such table"),
    ],
)
def test_a_part_of_a_corpus_that_was_not_unpacked_is_named(
    tmp_path: Path, layout: str, absent: str, message: str
) -> None:
    there = {name: text for name, text in RELEASED[layout][1].items() if not name.startswith(absent)}
    root = build(tmp_path, there)
    with pytest.raises(CorpusError, match=message):
        read(layout, root)
    with pytest.raises(CorpusError, match=message):  # before the first job
        corpora.layout(layout).require(root, RELEASED[layout][0])


def test_the_sounds_of_audiocaps_that_codecfake_lists_and_does_not_have_are_expected(tmp_path: Path) -> None:
    absent = {"test/A3/Yabcdefghi-1.wav": None, "test/C1/p999_002.wav": None}
    rejections = read("codecfake", changed(tmp_path, "codecfake", absent)).rejections
    assert {one.path: one.expected for one in rejections} == {
        "test/A3/Yabcdefghi-1.wav": True, "test/C1/p999_002.wav": False,
    }  # fmt: skip


def test_two_recordings_of_one_name_are_refused(tmp_path: Path) -> None:
    root = changed(tmp_path, "spoofceleb", {"spoofceleb/flac/train/a01/id901/AbCdEfGhIjK-00002-006.wav": ""})
    with pytest.raises(CorpusError, match=r"006\.wav and .*006\.flac have one name; remove one of the two"):
        read("spoofceleb", root)


def test_a_fake_of_codecfake_that_is_in_two_conditions_is_refused(tmp_path: Path) -> None:
    texts = {"label/C2.txt": "F01_p999_002.wav fake 1\n", "test/C2/F01_p999_002.wav": ""}
    with pytest.raises(CorpusError, match="utterance 'F01_p999_002' appears twice, as test/C1/.* and as test/C2"):
        read("codecfake", changed(tmp_path, "codecfake", texts))


def test_the_examples_of_published_lists_are_read_whole(
    shared: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Their recordings are absent, so every line is a rejection and none a fault."""
    names = {
        "asvspoof2021la": ("ASVspoof2021.LA.trial_metadata.txt", LA, {"phases": ["progress", "eval", "hidden"]}),
        "asvspoof2021df": ("ASVspoof2021.DF.trial_metadata.txt", DF, {"phases": ["progress", "eval"]}),
        "asvspoof5": ("ASVspoof5.train.tsv", "ASVspoof5.train.tsv", {"splits": ["train"]}),
        "spoofceleb": ("SpoofCeleb_development.csv", "metadata/development.csv", {"splits": ["dev"]}),
        "mlaad": ("MLAAD_meta.csv", TABLE, {"originals": None}),
        "codecfake": ("Codecfake_label.txt", "label/train.txt", {}),
        "codecfake_plus_cors": ("CoRS_labels.txt", "CoRS_labels.txt", {}),
        "codecfake_plus_cosg": ("CoSG_labels.txt", "CoSG_labels.txt", {}),
    }
    for layout, (name, path, options) in names.items():
        text = (shared / "formats" / name).read_text(encoding="utf-8")
        root = build(tmp_path / layout, {path: text, **{f"{folder}/.keep": "" for folder in FOLDERS}})
        with caplog.at_level(logging.ERROR):
            listing = read(layout, root, **options)
        assert listing.utterances == ()
        assert len(listing.rejections) == 5, layout
