"""Data sets of the Hugging Face Hub: rows of parquet files are utterances, and their bytes go the way of files."""

import hashlib
import tarfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import hub_parquet
import pyarrow as pa
import pytest

from codecfake import corpora
from codecfake.audio import decoding, parquet_rows, recordings, waveforms
from codecfake.audio.settings import RecordingsSettings
from codecfake.audio.waveforms import AudioError
from codecfake.base import files, utterances
from codecfake.base.settings import SettingsError
from codecfake.corpora import ingest, parquet_tables, sizes
from codecfake.corpora.inspection import inspect
from codecfake.corpora.listing import CorpusError, Listing
from codecfake.corpora.settings import IngestSettings

ALL_SPOOFS = {"key": "spoof", "language": "en"}


def read(root: Path, **options: object) -> Listing:
    return corpora.layout("parquet").utterances(root, options)


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """A data set of 20 recordings, with the options that read it; no test changes it."""
    root = tmp_path_factory.mktemp("benchmark")
    return root, hub_parquet.benchmark(root)


# --- rows ---


def test_labels_by_number_mean_their_names_in_the_metadata(benchmark: tuple[Path, dict[str, object]]) -> None:
    root, options = benchmark
    rows = {one.utterance_id: one for one in read(root, **options).utterances}
    assert {(one.key, one.attack == "-") for one in rows.values()} == {("bonafide", True), ("spoof", False)}
    assert (rows["u12"].key, rows["u12"].speaker_id, rows["u12"].split) == ("bonafide", "100", "eval")
    assert (rows["u3"].key, rows["u3"].attack, rows["u3"].split) == ("spoof", "codec3", "train")
    assert rows["u12"].path == "data/test-00000-of-00002.parquet/audio/2"


def test_several_splits_are_read_or_those_that_are_named(benchmark: tuple[Path, dict[str, object]]) -> None:
    root, options = benchmark
    assert Counter(one.split for one in read(root, **options).utterances) == {"train": 10, "eval": 10}
    assert {one.split for one in read(root, **options, splits={"test": "dev"}).utterances} == {"dev"}
    assert {one.split for one in read(root, **options, splits={"train": None, "test": None}).utterances} == {None}


def test_only_some_rows_are_in_memory_at_a_time(
    benchmark: tuple[Path, dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, options = benchmark
    whole = read(root, **options)
    monkeypatch.setattr(parquet_tables, "ROWS", 2)
    assert read(root, **options) == whole


def test_a_plan_counts_the_rows(benchmark: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    root, options = benchmark
    assert sizes.likely("parquet", {}, options, root).utterances == 20
    (tmp_path / "train.parquet").write_text("cut")
    assert not sizes.likely("parquet", {}, options, tmp_path).is_known


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train-00000-of-00001.parquet", "train"),
        ("validation-00000-of-00002-1f2e3d4c5b6a7988.parquet", "dev"),
        ("default/test/0000.parquet", "eval"),
        ("data/valid.parquet", "dev"),
    ],
)
def test_the_name_of_a_file_says_its_split(tmp_path: Path, name: str, split: str) -> None:
    hub_parquet.write(tmp_path / name, {"audio": hub_parquet.audio(["a.wav"])})
    (one,) = read(tmp_path, **ALL_SPOOFS).utterances
    assert one.split == split


def test_a_column_can_say_the_split_and_others_the_rest(tmp_path: Path) -> None:
    columns = {
        "clip": hub_parquet.audio([None, None]),
        "id": ["a", "b"], "subset": ["dev", "other"], "lang": ["de", "fr"],
        "words": ["Ja.", None], "channel": ["opus", None],
    }  # fmt: skip
    hub_parquet.write(tmp_path / "train.parquet", columns)
    names = {
        "audio": "clip",
        "utterance_id": "id",
        "split": "subset",
        "language": "lang",
        "text": "words",
        "coding": "channel",
    }
    first, second = read(tmp_path, columns=names, key="spoof", splits={"dev": "dev", "other": None}).utterances
    assert (first.utterance_id, first.split, first.language, first.text, first.coding) == (
        "a",
        "dev",
        "de",
        "Ja.",
        "opus",
    )
    assert (second.split, second.language, second.text, second.coding) == (None, "fr", None, "-")
    assert (second.speaker_id, second.attack) == ("-", "unknown")


def test_recordings_without_names_can_be_numbered(tmp_path: Path) -> None:
    hub_parquet.write(tmp_path / "data/train-00000-of-00001.parquet", {"audio": hub_parquet.audio([None, None])})
    rows = read(tmp_path, **ALL_SPOOFS, ids="row").utterances
    assert [one.utterance_id for one in rows] == ["train-00000-of-00001_0", "train-00000-of-00001_1"]


# --- faults ---

COLUMNS = {"audio": hub_parquet.audio(["a.wav", "b.wav"]), "label": ["real", "fake"]}


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (COLUMNS, {"columns": {"key": "labels"}, "bonafide": ["real"]}, r"train\.parquet: no column 'labels'; .*label"),
        (COLUMNS, {"columns": {"key": "audio"}, "bonafide": ["real"]}, "column 'audio' has struct.*no texts"),
        (COLUMNS, {"columns": {"audio": "label"}, "key": "spoof"}, "column 'label' has string, no bytes of audio"),
        (COLUMNS, {"columns": {"audio": "wav"}, "key": "spoof"}, "no column 'wav' of audio"),
        (
            COLUMNS,
            {"columns": {"key": "label"}, "bonafide": ["bona-fide"], "spoof": ["fake"]},
            "row 0: label 'real' is not one of bona-fide, fake; add it to the option bonafide or spoof",
        ),
        (
            {**COLUMNS, "label": ["real", None]},
            {"columns": {"key": "label"}, "bonafide": ["real"]},
            "row 1: its key is empty; correct the data set, or map another column",
        ),
        ({"audio": hub_parquet.audio([None])}, {"key": "spoof"}, "row 0: its audio has no name; map a column of names"),
        ({"audio": hub_parquet.audio(["a.wav", "x/a.wav"])}, {"key": "spoof"}, "utterance 'a' appears twice"),
        (COLUMNS, {"key": "spoof", "splits": {"test": "eval"}}, r"no split 'test' \(option splits\); choose from"),
    ],
)  # fmt: skip
def test_a_data_set_that_does_not_fit_the_options_is_refused_with_its_row(
    tmp_path: Path, columns: dict[str, object], options: dict[str, object], message: str
) -> None:
    hub_parquet.write(tmp_path / "train.parquet", columns)
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, **options, language="en")


def test_a_number_without_a_name_is_named(tmp_path: Path) -> None:
    columns = {"audio": hub_parquet.audio(["a.wav", "b.wav"]), "label": pa.array([0, -1])}
    hub_parquet.write(tmp_path / "train.parquet", columns, {"label": ["real", "fake"]})
    with pytest.raises(CorpusError, match=r"row 1: label -1 has no name: the file names 2 labels \(real, fake\)"):
        read(tmp_path, columns={"key": "label"}, bonafide=["real"], language="en")


def test_a_split_of_an_unknown_name_is_named_with_the_option(tmp_path: Path) -> None:
    hub_parquet.write(tmp_path / "C1-00000-of-00001.parquet", COLUMNS)
    with pytest.raises(CorpusError, match=r"split 'C1' is not one of train, .*`splits: \{C1: eval\}`"):
        read(tmp_path, **ALL_SPOOFS)


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.parquet").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(CorpusError, match=r"train\.parquet: cannot be read as parquet .*download the file again"):
        read(tmp_path, **ALL_SPOOFS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"language": "en"}, "give either `columns: {key: …}`"),
        ({"language": "en", "key": "spoof", "columns": {"key": "label"}}, "give either `columns: {key: …}`"),
        ({"language": "en", "columns": {"key": "label"}}, "bonafide: name the values"),
        ({"key": "spoof"}, "give either `columns: {language: …}`"),
        ({**ALL_SPOOFS, "columns": {"speakr": "x"}}, "unknown setting 'speakr'; did you mean 'speaker'"),
    ],
)
def test_options_that_contradict_each_other_are_refused_before_the_corpus_is_read(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        corpora.layout("parquet").build_options(options)


# --- audio ---


def test_the_bytes_of_a_row_are_those_of_its_file(benchmark: tuple[Path, dict[str, object]]) -> None:
    root, _ = benchmark
    path = root / "data/train-00001-of-00002.parquet/audio"
    for row in (4, 0, 3, 1, 2):
        assert decoding.read_bytes(path / str(row)) == hub_parquet.flac(5 + row)
    digest = hashlib.sha256(hub_parquet.flac(7)).hexdigest()
    assert waveforms.read(path / "2", digest).sample_rate == hub_parquet.RATE
    with pytest.raises(AudioError, match="the file changed since its corpus was ingested"):
        waveforms.read(path / "1", digest)


def test_a_column_of_bytes_alone_is_audio_too(tmp_path: Path) -> None:
    hub_parquet.write(tmp_path / "train.parquet", {"flac": pa.array([hub_parquet.flac(7)]), "id": ["a"]})
    (one,) = read(tmp_path, columns={"audio": "flac", "utterance_id": "id"}, **ALL_SPOOFS).utterances
    assert decoding.read_bytes(tmp_path / one.path) == hub_parquet.flac(7)


def test_no_more_groups_of_rows_are_kept_than_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = parquet_rows._Groups()
    monkeypatch.setattr(parquet_rows, "_GROUPS", groups)
    monkeypatch.setattr(parquet_rows, "MOST_BYTES_KEPT", 3 * len(hub_parquet.flac(0)))
    file = hub_parquet.write(tmp_path / "a.parquet", {"audio": hub_parquet.audio([None] * 8)}, rows_of_group=1)
    for row in range(8):
        assert decoding.read_bytes(file / "audio" / str(row)) == hub_parquet.flac(row)
        assert len(groups.tables) <= 3


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("a.parquet/audio/1", "its row holds no bytes, only the name of a file"),
        ("a.parquet/audio/9", "the parquet file has 2 rows, so no row 9"),
        ("a.parquet/voice/0", "cannot be read as parquet"),
        ("b.parquet/audio/0", r"cannot be read \(No such file or directory\)"),
        ("text.parquet/audio/0", "cannot be read as parquet"),
    ],
)
def test_a_row_that_cannot_be_read_is_a_fault_of_its_recording(tmp_path: Path, place: str, reason: str) -> None:
    values = [{"bytes": hub_parquet.flac(0), "path": None}, {"bytes": None, "path": "elsewhere.wav"}]
    hub_parquet.write(tmp_path / "a.parquet", {"audio": pa.array(values, hub_parquet.AUDIO)})
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(AudioError, match=reason):
        decoding.read_bytes(tmp_path / place)


def test_a_group_of_rows_that_memory_may_not_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_rows, "MOST_BYTES_OF_GROUP", 1000)
    file = hub_parquet.write(tmp_path / "a.parquet", {"audio": hub_parquet.audio(["a.wav", "b.wav"])})
    with pytest.raises(AudioError, match=r"its group of rows has \d+ bytes, and at most 1000 are read; save the data"):
        decoding.read_bytes(file / "audio/0")


def test_a_folder_that_is_named_like_a_parquet_file_has_files(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet/audio/1"
    path.parent.mkdir(parents=True)
    path.write_bytes(hub_parquet.flac(3))
    assert decoding.read_bytes(path) == hub_parquet.flac(3)


def test_the_recordings_of_rows_are_written_to_shards(
    benchmark: tuple[Path, dict[str, object]], tmp_path: Path
) -> None:
    root, options = benchmark
    rows = [
        {"corpus": "hub", **asdict(one), **asdict(inspect(root / one.path, 0.1))}
        for one in read(root, **options).utterances
    ]
    files.write_parquet(tmp_path / "hub/utterances.parquet", ingest._table(rows))
    settings = RecordingsSettings(num_shards=1)
    recordings.write_shard(settings, tmp_path / "hub/utterances.parquet", root, 0, tmp_path / "0000.tar")
    with tarfile.open(tmp_path / "0000.tar") as tar:
        assert len(tar.getnames()) == 20
        member = tar.extractfile("u7.flac")
        assert member is not None
        samples, rate = waveforms.decode_int16(member.read())
    expected, _ = waveforms.decode_int16(hub_parquet.flac(7))
    assert (samples.tolist(), rate) == (expected.tolist(), hub_parquet.RATE)


@pytest.mark.long
def test_a_data_set_is_ingested_whole(benchmark: tuple[Path, dict[str, object]], tmp_path: Path) -> None:
    root, options = benchmark
    table, rejected = tmp_path / "utterances.parquet", tmp_path / "rejected.tsv"
    ingest.ingest(root, IngestSettings("hub", "parquet", options), table, rejected, 2)
    assert rejected.read_text() == "path\treason\n"
    rows = utterances.read(table).set_index("utterance_id")
    assert len(rows) == 20
    assert rows.loc["u7", "sha256"] == hashlib.sha256(hub_parquet.flac(7)).hexdigest()
