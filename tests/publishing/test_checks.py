"""A sound data set has no faults, in any form; each planted fault is found and named."""

import csv
import hashlib
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
import soundfile

from codecfake.publishing import FORMS, forms
from codecfake.publishing.checks.check import check
from codecfake.publishing.checks.findings import MOST_OF_A_KIND, Fault, Findings
from codecfake.publishing.checks.leaks import Leaks
from codecfake.publishing.clips import Place, PublishingError
from codecfake.publishing.output import JOURNAL, MANIFEST
from codecfake.publishing.published import PublishedClip
from codecfake.publishing.rows import KEY_NAMES

EVAL, TRAIN, DEV = Place("C1", "eval"), Place("codec", "train"), Place("codec", "dev")


def kinds(folder: Path) -> set[str]:
    return set(check(folder).numbers)


def texts(folder: Path) -> str:
    return "\n".join(check(folder).lines())


@pytest.fixture
def copy(data_set: Path, tmp_path: Path) -> Path:
    return shutil.copytree(data_set, tmp_path / "copy")


def change_rows(
    folder: Path, change: Callable[[list[dict]], None], glob: str = "data/english/F01/eval-*.parquet"
) -> None:
    """Change the rows of a parquet file, and the manifest too: as someone who published them so."""
    path = next(folder.glob(glob))
    table = pyarrow.parquet.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    name = path.relative_to(folder).as_posix()
    lines = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    changed = [f"{digest}  {name}" if line.endswith(f"  {name}") else line for line in lines]
    (folder / MANIFEST).write_text("\n".join(changed) + "\n", encoding="utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_a_sound_data_set_has_no_faults(form: str, data_sets: dict[str, Path]) -> None:
    findings = check(data_sets[form])
    assert findings.faults == []
    number = 48 if forms.place_of(form)(TRAIN) else 24  # 8 recordings and 16 fakes are evaluated
    assert f"{number} clips in the form {form}" in findings.notes


# files


def test_a_missing_file_is_found(copy: Path) -> None:
    next(copy.glob("data/english/F01/eval-*.parquet")).unlink()
    assert kinds(copy) == {"file", "count"}
    assert "is missing, but manifest.sha256 names it" in texts(copy)
    assert "count: C1/eval: 2 spoof clips, but publication.json says 4" in texts(copy)


def test_a_changed_file_is_found(copy: Path) -> None:
    with (copy / "README.md").open("a", encoding="utf-8") as card:
        card.write("more\n")
    assert texts(copy).startswith("digest: README.md: its sha256 is not the one in manifest.sha256")


def test_a_damaged_parquet_file_is_named(copy: Path) -> None:
    path = next(copy.glob("data/english/F01/eval-*.parquet"))
    path.write_bytes(path.read_bytes()[:-10])
    assert "damaged: it cannot be read as parquet" in texts(copy)
    assert kinds(copy) == {"digest", "file"}


def test_an_unfinished_data_set_is_named(copy: Path) -> None:
    (copy / JOURNAL).touch()
    assert kinds(copy) == {"file"}
    assert "the data set is not complete; give the command that writes it again" in texts(copy)


def test_a_file_that_the_manifest_does_not_name_is_noted(copy: Path) -> None:
    (copy / "LICENSE").touch()
    assert kinds(copy) == set()
    assert "note: 1 files are not in manifest.sha256, the first is LICENSE" in texts(copy)


WITH_DIGESTS = [form for form in FORMS if "sha256" not in forms.without(form)]


@pytest.mark.parametrize("form", WITH_DIGESTS)
def test_a_changed_byte_of_audio_is_found_by_the_digest_of_its_clip(
    form: str, data_sets: dict[str, Path], tmp_path: Path
) -> None:
    folder = shutil.copytree(data_sets[form], tmp_path / "copy")
    (folder / MANIFEST).unlink()  # so that only the digests of clips can tell
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and b"fLaC" in path.read_bytes()]
    data = bytearray(paths[0].read_bytes())
    data[data.index(b"fLaC") + 60] ^= 1  # after the header: in a tag or a frame
    paths[0].write_bytes(data)
    assert kinds(folder) & {"digest", "audio", "file"}


# rows


def test_a_swapped_label_of_a_fake_is_found(copy: Path) -> None:
    change_rows(copy, lambda rows: rows[0].update(key=KEY_NAMES.index("bonafide")))
    assert kinds(copy) == {"key", "count"}
    assert "is bonafide, but was made from" in texts(copy)


def test_a_swapped_label_of_a_recording_is_found(copy: Path) -> None:
    change_rows(copy, lambda rows: rows[0].update(key=KEY_NAMES.index("spoof")), "data/english/F00/eval-*.parquet")
    assert kinds(copy) == {"twin", "count"}
    assert "whose key is spoof" in texts(copy)


def test_a_broken_digest_of_a_clip_is_found(copy: Path) -> None:
    change_rows(copy, lambda rows: rows[1].update(sha256="0" * 64))
    assert kinds(copy) == {"digest"}
    assert "row 1: F01_e" in texts(copy) and "the audio has another sha256 than its row says" in texts(copy)


def test_undecodable_audio_is_found(copy: Path) -> None:
    def damage(rows: list[dict]) -> None:
        rows[0]["audio"]["bytes"] = b"no audio"
        rows[0]["sha256"] = hashlib.sha256(b"no audio").hexdigest()

    change_rows(copy, damage)
    assert kinds(copy) == {"audio"}


def test_a_clip_that_occurs_twice_is_found(copy: Path) -> None:
    change_rows(copy, lambda rows: rows.append(rows[0]))
    assert kinds(copy) == {"id", "count"}


def test_a_twin_of_another_speaker_is_found(copy: Path) -> None:
    change_rows(copy, lambda rows: rows[0].update(speaker_id="someone"))
    assert kinds(copy) == {"twin"}
    assert "have different speakers" in texts(copy)


def test_a_missing_twin_is_found(copy: Path) -> None:
    change_rows(copy, lambda rows: rows[0].update(twin_id="e999_000"))
    assert "1 fakes without their recording, but publication.json says 0" in texts(copy)


def test_recordings_of_training_in_evaluation_are_a_leak(copy: Path) -> None:
    train = pyarrow.parquet.read_table(next(copy.glob("data/english/F00/train-*.parquet"))).to_pylist()
    change_rows(copy, lambda rows: rows.append(train[0]), "data/english/F00/eval-*.parquet")
    assert {"leak", "id", "count"} == kinds(copy)
    assert re.search("leak: english/.*: speech is in .*/train and in .*/eval", texts(copy))


# leaks


def clip(clip_id: str, *places: Place, key: str = "bonafide", **more: str) -> PublishedClip:
    return PublishedClip(clip_id, clip_id, key, places, lambda: b"", **more)


def leaks(*clips: tuple[PublishedClip, bytes]) -> list[Fault]:
    found = Leaks()
    return [*(fault for one, digest in clips for fault in found.add(one, digest)), *found.faults()]


def test_a_fake_of_training_speech_may_be_evaluated_but_not_its_recording() -> None:
    trained = (clip("a", TRAIN), b"1")
    assert leaks(trained, (clip("F_a", EVAL, key="spoof", twin_id="a"), b"2")) == []
    (fault,) = leaks((clip("F_a", TRAIN, key="spoof", twin_id="a"), b"2"), (clip("a", EVAL), b"1"))
    assert fault == ("leak", "a", "speech is in codec/train and in C1/eval")


def test_a_clip_in_two_splits_is_a_leak_unless_both_are_evaluated() -> None:
    assert leaks((clip("a", TRAIN, DEV), b"1"))[0].what == "clip a is in codec/dev and in codec/train"
    assert leaks((clip("a", EVAL, Place("C2", "eval")), b"1")) == []
    assert leaks((clip("a", TRAIN, Place("vocoder", "dev")), b"1")) == []


def test_equal_audio_under_two_names_is_a_leak_but_not_that_of_a_control() -> None:
    (fault,) = leaks((clip("a", TRAIN), b"1"), (clip("b", EVAL), b"1"))
    assert fault.what == "the audio of b, which utterance a has too, is in codec/train and in C1/eval"
    assert leaks((clip("a", TRAIN), b"1"), (clip("P_a", EVAL, key="spoof", twin_id="a"), b"1")) == []


def test_splits_of_others_are_compared_by_our_words() -> None:
    parts = Place("", "test"), Place("", "validation")
    assert leaks((clip("a", *parts), b"1"))[0].what == "clip a is in dev and in eval"


def test_common_speakers_are_noted() -> None:
    found = Leaks()
    for one in (clip("a", TRAIN, speaker_id="s"), clip("b", EVAL, speaker_id="s"), clip("c", EVAL, speaker_id="-")):
        assert list(found.add(one, one.clip_id.encode())) == []
    assert list(found.notes()) == ["1 speakers are in training and in evaluation data, as in a split by utterance"]


# data sets of others


def flac(seed: int) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.random.default_rng(seed).uniform(-0.5, 0.5, 400), 16000, format="FLAC")
    return buffer.getvalue()


def test_an_audiofolder_of_others_is_checked_as_far_as_it_says_something(tmp_path: Path) -> None:
    for split, names in {"train": "ab", "test": "bc"}.items():
        folder = tmp_path / split
        folder.mkdir()
        for name in names:
            (folder / f"{split}_{name}.flac").write_bytes(flac(ord(name)))
        rows = [{"file_name": f"{split}_{name}.flac", "label": "genuine"} for name in names]
        pd.DataFrame(rows).to_csv(folder / "metadata.csv", index=False, quoting=csv.QUOTE_ALL)
    findings = check(tmp_path)
    assert set(findings.numbers) == {"leak"}  # `b` is in both
    assert "no manifest.sha256: the digests of files were not checked" in findings.notes
    assert "no publication.json: the numbers of clips were not checked" in findings.notes


def test_files_of_others_may_have_the_same_name_in_two_folders(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "test")):
        (tmp_path / split).mkdir()
        (tmp_path / split / "a.flac").write_bytes(flac(number))
        (tmp_path / split / "metadata.csv").write_text("file_name,label\na.flac,real\n", encoding="utf-8")
    assert check(tmp_path).faults == []


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(flac(0))
    (tmp_path / "metadata.csv").write_text("file_name,label\na.flac,maybe\n", encoding="utf-8")
    assert "key: metadata.csv, line 2: a.flac has the key 'maybe', not one of bonafide, spoof" in texts(tmp_path)


def test_a_missing_audio_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("file_name,label\na.flac,spoof\n", encoding="utf-8")
    assert "audio: metadata.csv, line 2: cannot be read" in texts(tmp_path)


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PublishingError, match="there is no such folder"):
        check(tmp_path / "x")


def test_many_faults_of_a_kind_are_counted_and_the_first_are_told() -> None:
    findings = Findings()
    findings.add(Fault("key", str(number), "wrong") for number in range(MOST_OF_A_KIND + 5))
    assert list(findings.lines())[-1] == "key: 5 more faults of this kind"
    assert json.loads(json.dumps(findings.numbers)) == {"key": MOST_OF_A_KIND + 5}
