"""Files that macOS, network disks and file managers leave beside recordings are no recordings, in any reader."""

from pathlib import Path

import hub_parquet
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from released_corpora import RELEASED

from codecfake import corpora
from codecfake.audio import export
from codecfake.base.hidden_files import is_hidden
from codecfake.corpora import sizes
from codecfake.corpora.listing import Listing
from codecfake.features.augmentation.folders import Folder
from codecfake.features.augmentation.settings import AugmentationError
from codecfake.scoring.audio_files import audio_files

PROTOCOL = "LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.dev.trl.txt"
CORPORA: dict[str, tuple[dict[str, object], dict[str, str]]] = {  # layout -> options, and texts by path
    "vctk": ({}, {"wav48_silence_trimmed/p225/p225_001_mic1.flac": "", "txt/p225/p225_001.txt": "Hello."}),
    "aishell3": ({}, {"train/wav/SSB0011/SSB00110001.wav": "", "train/content.txt": "SSB00110001.wav\t我 wo3\n"}),
    "libritts": ({}, {"dev-clean/84/1/84_1_000007_000000.wav": ""}),
    "asvspoof2019la": (
        {"splits": ["dev"]},
        {"LA/ASVspoof2019_LA_dev/flac/a.flac": "", PROTOCOL: "LA_1 a - - bonafide\n"},
    ),
    "in_the_wild": ({}, {"0.wav": "", "meta.csv": "file,speaker,label\n0.wav,A,spoof\n"}),
    "audiocaps": ({}, {"audio/xyz.wav": "", "a.csv": "audiocap_id,youtube_id,start_time,caption\n1,xyz,0,Rain\n"}),
    "listed": ({"key": "real", "language": "en"}, {"a.wav": ""}),
    "parquet": ({"key": "bonafide", "language": "en"}, {}),
    **RELEASED,
}
BESIDE = ("._{}", ".nfs0000000012{}", ".{}.part", "__MACOSX/{}", ".Trashes/{}", "@eaDir/{}")


def write(root: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def litter(root: Path) -> int:
    """Leave hidden files beside every file; returns their number."""
    places = [path for path in root.rglob("*") if path.is_file()]
    for path in places:
        for pattern in BESIDE:
            hidden = path.parent / pattern.format(path.name)
            hidden.parent.mkdir(exist_ok=True)
            hidden.write_bytes(b"\0\5\x16\7 no recording")
        for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
            (path.parent / name).touch()
    return len(places) * len(BESIDE)


def read(layout: str, root: Path) -> Listing:
    return corpora.layout(layout).utterances(root, CORPORA[layout][0])


@pytest.mark.parametrize("layout", corpora.LAYOUTS)
def test_a_corpus_with_hidden_files_is_read_as_without(layout: str, tmp_path: Path) -> None:
    write(tmp_path, CORPORA[layout][1])
    if layout == "parquet":
        hub_parquet.write(tmp_path / "data/train.parquet", {"audio": hub_parquet.audio(["a.wav"])})
    clean = read(layout, tmp_path)
    assert clean.utterances
    litter(tmp_path)
    assert read(layout, tmp_path) == clean


def test_hidden_files_are_counted_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, {"a.wav": "", "._a.wav": "", "._b.wav": ""})
    with caplog.at_level("INFO"):
        read("listed", tmp_path)
    assert "2 hidden files, such as '._a.wav', are no recordings" in caplog.text


def test_a_hidden_file_in_a_table_is_an_expected_rejection(tmp_path: Path) -> None:
    write(tmp_path, {"a.wav": "", "._a.wav": "", "list.csv": "path\na.wav\n._a.wav\n"})
    listing = corpora.layout("listed").utterances(tmp_path, {"table": "list.csv", "key": "real", "language": "en"})
    assert [one.path for one in listing.utterances] == ["a.wav"]
    (rejection,) = listing.rejections
    assert (rejection.path, rejection.expected) == ("._a.wav", True)
    assert rejection.reason == "listed in list.csv, but a hidden file is no recording"


def test_score_takes_no_hidden_files_from_a_folder_and_counts_them(tmp_path: Path) -> None:
    write(tmp_path, {"a.wav": "", "sub/b.flac": ""})
    count = litter(tmp_path) + 2 * 3
    listing = audio_files([tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in listing.paths] == ["a.wav", "sub/b.flac"]
    assert listing.left_out.others == count


def test_noise_and_rooms_are_no_hidden_files(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "noise.wav", np.zeros(100), 16000)
    litter(tmp_path)
    assert Folder(str(tmp_path), "*").record["files"] == 1
    (tmp_path / "noise.wav").unlink()
    with pytest.raises(AugmentationError, match="no .wav or .flac file"):
        Folder(str(tmp_path), "*")


def test_the_plan_counts_no_hidden_files(tmp_path: Path) -> None:
    write(tmp_path, {"a.wav": "", "b.wav": ""})
    litter(tmp_path)
    size = sizes.likely("listed", {}, {"key": "bonafide"}, tmp_path)
    assert size.utterances == 2


def test_export_unpacks_no_hidden_tar(tmp_path: Path) -> None:
    write(tmp_path, {"audio/vctk/F01/._0000.tar": "no tar"})
    with pytest.raises(ValueError, match="no shards of any source"):
        export.export(tmp_path / "audio", tmp_path / "to")


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=8)


@given(st.lists(NAMES.filter(lambda name: not name.startswith(".")), min_size=1, max_size=4))
def test_a_name_that_does_not_begin_with_a_dot_is_a_recording(names: list[str]) -> None:
    path = Path(*names, "a.wav")
    assert not is_hidden(path)
    assert is_hidden(path.with_name("._a.wav"))
    assert is_hidden(".cache" / path)
    assert is_hidden("__MACOSX" / path)
