"""Corpora of others as released: keys, speakers, languages, splits, attacks and codings come from their own lists."""

from pathlib import Path

import pytest
import released_corpora
from places import ROOT
from released_corpora import RELEASED, build

from codecfake import corpora
from codecfake.base.utterances import SPLITS, Utterance
from codecfake.corpora.listing import Listing


def read(layout: str, root: Path, **options: object) -> Listing:
    return corpora.layout(layout).utterances(root, options)


def by_id(listing: Listing) -> dict[str, Utterance]:
    assert listing.rejections == ()
    return {one.utterance_id: one for one in listing.utterances}


def ids(listing: Listing) -> list[str]:
    return [one.utterance_id for one in listing.utterances]


def facts(one: Utterance) -> tuple[object, ...]:
    return one.speaker_id, one.language, one.key, one.split, one.attack, one.coding


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Layout -> root of such a corpus; no test changes them."""
    return {name: build(tmp_path_factory.mktemp(name), texts) for name, (_, texts) in RELEASED.items()}


@pytest.mark.parametrize("layout", RELEASED)
def test_every_recording_of_a_released_corpus_is_listed_once_with_valid_values(
    roots: dict[str, Path], layout: str
) -> None:
    for one in by_id(read(layout, roots[layout], **RELEASED[layout][0])).values():
        assert (roots[layout] / one.path).is_file()
        assert (one.attack == "-") == (one.key == "bonafide")
        assert one.split in (None, *SPLITS)
        assert len(one.language) == 2


@pytest.mark.parametrize("layout", [name for name in corpora.LAYOUTS if name not in ("listed", "parquet")])
def test_a_layout_of_a_released_corpus_says_its_license(layout: str) -> None:
    assert corpora.layout(layout).license


# --- challenges ---


def test_asvspoof_2021_la_has_the_trials_of_phase_eval_and_their_codecs(roots: dict[str, Path]) -> None:
    trials = by_id(read("asvspoof2021la", roots["asvspoof2021la"]))
    assert {name: facts(one) for name, one in trials.items()} == {
        "LA_E_9000001": ("LA_9009", "en", "spoof", "eval", "A07", "alaw"),
        "LA_E_9000003": ("LA_9010", "en", "bonafide", "eval", "-", "opus"),
        "LA_E_9000005": ("LA_9012", "en", "bonafide", "eval", "-", "alaw"),
    }


def test_the_phases_of_asvspoof_2021_can_be_chosen(roots: dict[str, Path]) -> None:
    listing = read("asvspoof2021la", roots["asvspoof2021la"], phases=["progress", "hidden"])
    assert ids(listing) == ["LA_E_9000002", "LA_E_9000004"]
    assert listing.rejections == ()


def test_asvspoof_2021_df_has_the_attacks_of_three_challenges_and_the_compression(roots: dict[str, Path]) -> None:
    trials = by_id(read("asvspoof2021df", roots["asvspoof2021df"]))
    assert facts(trials["DF_E_9000002"]) == ("TEF2", "en", "spoof", "eval", "Task1-team20", "low_m4a")
    assert facts(trials["DF_E_9000004"]) == ("LA_9030", "en", "bonafide", "eval", "-", "high_ogg")
    assert set(trials) == {"DF_E_9000002", "DF_E_9000003", "DF_E_9000004"}


def test_asvspoof_5_has_its_splits_its_attacks_and_the_codecs_of_eval(roots: dict[str, Path]) -> None:
    trials = by_id(read("asvspoof5", roots["asvspoof5"]))
    assert facts(trials["T_0000900001"]) == ("T_9001", "en", "spoof", "train", "ASVspoof5-A05", "-")
    assert facts(trials["D_0000900002"]) == ("D_9063", "en", "bonafide", "dev", "-", "-")
    assert facts(trials["E_0000900001"]) == ("E_9001", "en", "spoof", "eval", "ASVspoof5-A26", "C05")
    assert facts(trials["E_0000900004"]) == ("E_9003", "en", "bonafide", "eval", "-", "C05")
    assert facts(trials["E_0000900005"]) == ("E_9004", "en", "spoof", "eval", "ASVspoof5-A31", "-")


def test_the_splits_of_asvspoof_5_can_be_chosen_and_its_archives_unpacked_into_folders_of_their_own(
    tmp_path: Path,
) -> None:
    texts = {
        "ASVspoof5_protocols/ASVspoof5.train.tsv": released_corpora.ASVSPOOF5["ASVspoof5.train.tsv"],
        "ASVspoof5_train/flac_T/T_0000900001.flac": "",
        "ASVspoof5_train/flac_T/T_0000900002.flac": "",
    }
    assert ids(read("asvspoof5", build(tmp_path, texts), splits=["train"])) == ["T_0000900001", "T_0000900002"]


# --- codec fakes ---


def test_codecfake_takes_the_attack_from_the_name_and_speakers_from_vctk_and_aishell3(roots: dict[str, Path]) -> None:
    recordings = by_id(read("codecfake", roots["codecfake"]))
    assert {name: facts(one)[:5] for name, one in recordings.items()} == {
        "SSB99990001": ("SSB9999", "zh", "bonafide", "train", "-"),
        "F01_SSB99990001": ("SSB9999", "zh", "spoof", "train", "Codecfake-F01"),
        "F02_SSB99990001": ("SSB9999", "zh", "spoof", "train", "Codecfake-F02"),
        "p999_001": ("p999", "en", "bonafide", "dev", "-"),
        "F06_p999_001": ("p999", "en", "spoof", "dev", "Codecfake-F06"),
        "p999_002": ("p999", "en", "bonafide", "eval", "-"),
        "F01_p999_002": ("p999", "en", "spoof", "eval", "Codecfake-F01"),
        "C3-1_p999_002": ("p999", "en", "spoof", "eval", "Codecfake-C3-1"),
        "Yabcdefghi-1": ("-", "en", "bonafide", "eval", "-"),
        "27110": ("-", "en", "spoof", "eval", "Codecfake-A3"),
    }


def test_one_list_of_codecfake_has_the_trials_of_its_condition(roots: dict[str, Path]) -> None:
    recordings = by_id(read("codecfake", roots["codecfake"], lists=["C3-1"]))
    assert {name: one.path for name, one in recordings.items()} == {
        "p999_002": "C3-1/p999_002.wav", "C3-1_p999_002": "C3-1/C3-1_p999_002.wav",
    }  # fmt: skip


@pytest.mark.parametrize("layout", ["codecfake_wu", "codecfake_plus_cors"])
def test_codecfake_of_wu_and_cors_have_the_splits_of_its_speakers_and_codecs_as_attacks(
    roots: dict[str, Path], layout: str
) -> None:
    recordings = read(layout, roots[layout]).utterances
    assert {(one.speaker_id, one.split) for one in recordings} == {("p225", "train"), ("p226", "dev"), ("p227", "eval")}
    attacks = {one.attack for one in recordings if one.key == "spoof"}
    assert attacks == (
        {"encodec_24khz", "descript-audio-codec-16k"} if layout == "codecfake_wu" else {"bigcodec", "Encodec_24b24k"}
    )
    codec = min(attacks)
    files = read(layout, roots[layout], codecs=[codec]).utterances
    assert {one.attack for one in files} == {"-", codec}
    assert sum(one.key == "bonafide" for one in files) == sum(one.key == "bonafide" for one in recordings) == 3


@pytest.mark.parametrize(
    ("attack", "attacks"),
    [("model", ["EXAMPLETTS", "EXAMPLEVC"]), ("quantizer", ["Mvq", "Rvq"]), ("decoder", ["Freq", "Time"])],
)
def test_cosg_groups_its_spoofs_by_model_or_by_the_classes_of_their_codecs(
    roots: dict[str, Path], attack: str, attacks: list[str]
) -> None:
    clips = by_id(read("codecfake_plus_cosg", roots["codecfake_plus_cosg"], attack=attack))
    assert [clips[name].attack for name in ("EXAMPLETTS_1", "EXAMPLEVC_1")] == attacks
    assert facts(clips["EXAMPLETTS_2"]) == ("-", "en", "bonafide", "eval", "-", "-")


def test_coded_speech_of_cdd_is_a_spoof_or_bona_fide_speech_with_a_coding(roots: dict[str, Path]) -> None:
    spoofs, coded = (by_id(read("cdd", roots["cdd"], coded=key)) for key in ("spoof", "bonafide"))
    assert facts(spoofs["Mimi_T_1"])[2:] == ("spoof", "train", "Mimi", "-")
    assert facts(coded["Mimi_T_1"])[2:] == ("bonafide", "train", "-", "Mimi")
    for recordings in (spoofs, coded):
        assert facts(recordings["D_1"])[2:] == ("bonafide", "dev", "-", "-")
        assert facts(recordings["CoSG_1"])[2:] == ("spoof", "eval", "unknown", "-")
    assert {name for name in spoofs if name.startswith("XCodec2")} == {"XCodec2_E_1"}


def test_cdd_has_speakers_where_the_protocols_of_asvspoof_5_are_there(tmp_path: Path) -> None:
    protocol = "T_9001 T_1 F - - - - bonafide bonafide -\n"
    root = build(tmp_path, {**released_corpora.CDD, "ASVspoof5_protocols/ASVspoof5.train.tsv": protocol})
    recordings = by_id(read("cdd", root, splits=["train"]))
    assert {name: one.speaker_id for name, one in recordings.items()} == {
        "T_1": "T_9001", "Mimi_T_1": "T_9001", "EnCodecVocos_T_1": "T_9001",
    }  # fmt: skip


# --- text to speech and vocoders ---


def test_spoofceleb_has_paths_relative_to_the_folder_of_its_split_and_attack_a00_is_bona_fide(
    roots: dict[str, Path],
) -> None:
    trials = by_id(read("spoofceleb", roots["spoofceleb"], splits=["dev"]))
    assert {name: facts(one)[:5] for name, one in trials.items()} == {
        "a00_id906_AbCdEfGhIjK-00002-006": ("id906", "en", "bonafide", "dev", "-"),
        "a06_id906_AbCdEfGhIjK-00002-006": ("id906", "en", "spoof", "dev", "a06"),
    }
    assert len(ids(read("spoofceleb", roots["spoofceleb"]))) == 6


def test_spoofceleb_is_the_same_from_its_inner_folder(roots: dict[str, Path]) -> None:
    inner = roots["spoofceleb"] / "spoofceleb"
    assert ids(read("spoofceleb", inner)) == ids(read("spoofceleb", roots["spoofceleb"]))


def test_mlaad_finds_recordings_beside_their_table_and_keeps_quotation_marks(roots: dict[str, Path]) -> None:
    fakes = by_id(read("mlaad", roots["mlaad"]))
    assert facts(fakes["zh-cn_example_bark_book_02_f000003"]) == ("reader_b", "zh", "spoof", None, "example/bark", "-")
    assert fakes["de_example_vits_book_01_f000002"].text == 'Noch "einer.'
    assert {one.key for one in fakes.values()} == {"spoof"}
    assert {one.attack for one in read("mlaad", roots["mlaad"], attack="architecture").utterances} == {"vits", "bark"}


def test_the_readings_that_mlaad_imitates_are_bona_fide_and_have_the_readers_of_the_fakes(
    roots: dict[str, Path],
) -> None:
    recordings = by_id(read("mlaad", roots["mlaad"], originals="M-AILABS"))
    readings = {name: facts(one)[:4] for name, one in recordings.items() if one.key == "bonafide"}
    assert readings == {
        "de_DE_book_01_f000001": ("reader_a", "de", "bonafide", None),
        "de_DE_book_01_f000002": ("reader_a", "de", "bonafide", None),
        "en_US_book_02_f000003": ("reader_b", "en", "bonafide", None),
    }
    german = read("mlaad", roots["mlaad"], originals="M-AILABS", languages=["de"])
    assert {one.language for one in german.utterances} == {"de"}


def test_wavefake_has_a_folder_for_each_attack_and_one_speaker_for_each_corpus(roots: dict[str, Path]) -> None:
    fakes = by_id(read("wavefake", roots["wavefake"]))
    assert facts(fakes["ljspeech_melgan_LJ999-0001_gen"])[:5] == ("ljspeech", "en", "spoof", None, "ljspeech_melgan")
    assert facts(fakes["jsut_parallel_wavegan_BASIC5000_9999_gen"])[:2] == ("jsut", "ja")
    assert sum(one.speaker_id == "ljspeech" for one in fakes.values()) == 3
    assert ids(read("wavefake", roots["wavefake"], folders=["ljspeech_melgan"])) == ["ljspeech_melgan_LJ999-0001_gen"]


def test_the_table_of_the_documentation_has_every_layout_with_its_license() -> None:
    text = (ROOT / "docs/corpora.md").read_text(encoding="utf-8").split("## Sources")[0]
    rows = [line.strip().split("|")[1:-1] for line in text.splitlines() if line.startswith("| `")]
    licenses = {row[0].strip(" `"): row[-1].strip() for row in rows}
    assert licenses == {name: corpora.layout(name).license for name in corpora.LAYOUTS}
