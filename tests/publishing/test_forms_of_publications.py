"""What is published is read back by other programs: the same clips, keys and bytes."""

import base64
import csv
import io
import json
import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import soundfile
import yaml
from finished_runs import FACTS, SAMPLE_RATE
from places import ROOT

from codecfake.publishing import FORMS, benchmark, card_header, forms, publication
from codecfake.publishing.clips import Clip, PublishingError
from codecfake.publishing.forms import webdataset
from codecfake.publishing.output import begin
from codecfake.publishing.rows import COLUMNS, KEY_NAMES, row
from codecfake.publishing.selection import Selection

NO_READER = "the packages of envs/readers.txt are not installed"


@pytest.fixture(scope="module")
def clips(published_clips: tuple[Clip, ...]) -> dict[str, Clip]:
    return {clip.clip_id: clip for clip in published_clips}


def of_place(clips: dict[str, Clip], part: str, split: str) -> dict[str, Clip]:
    return {name: clip for name, clip in clips.items() if (part, split) in clip.places}


# our own readers


def test_the_bit_rate_of_latents_is_null_and_that_of_codes_a_number(clips: dict[str, Clip]) -> None:
    clip = next(iter(clips.values()))
    assert row(replace(clip, bitrate_kbps=math.nan))["bitrate_kbps"] is None
    assert row(replace(clip, bitrate_kbps=1.5))["bitrate_kbps"] == 1.5


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_recognized_by_its_files(form: str, data_sets: dict[str, Path]) -> None:
    assert forms.recognize(data_sets[form]) == form


def test_the_table_of_forms_in_the_documents_has_every_form() -> None:
    text = (ROOT / "docs/publishing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)`(?: \(default\))? \| [^|]+ \| [^|]+ \|$", text, re.MULTILINE)
    assert tuple(rows) == FORMS


def test_a_folder_of_no_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PublishingError, match="has no form that can be checked; name one with --form"):
        forms.recognize(tmp_path)


# the card


@pytest.mark.parametrize("form", FORMS)
def test_the_card_has_a_header_for_the_hub_and_names_credits_counts_and_limits(
    form: str, data_sets: dict[str, Path]
) -> None:
    text = (data_sets[form] / "README.md").read_text(encoding="utf-8")
    header = yaml.safe_load(card_header.HEADER.match(text)[1])  # type: ignore[index]
    assert header["language"] == ["en", "zh"] and header["size_categories"] == ["n<1K"]
    assert (header["license"], header["license_name"]) == ("other", "several")
    for expected in ("Yamagishi et al.", "Shi et al.", "Défossez et al. 2022", "Research on the detection of speech"):
        assert expected in text
    assert re.search(r"\| C1 +\| eval +\| 4 +\| 4 +\|", text)
    assert not re.search(r"^\s*$\n^\s*$\n^\s*$", text, re.MULTILINE)


# parquet


def test_parquet_declares_its_features_as_datasets_does(data_set: Path) -> None:
    layout = pyarrow.parquet.read_schema(next(data_set.glob("data/**/*.parquet")))
    features = json.loads(layout.metadata[b"huggingface"])["info"]["features"]
    assert features["audio"] == {"sampling_rate": SAMPLE_RATE, "_type": "Audio"}
    assert features["key"] == {"names": KEY_NAMES, "_type": "ClassLabel"}
    assert features["bitrate_kbps"] == {"dtype": "float64", "_type": "Value"}
    assert list(features) == ["audio", *COLUMNS] == layout.names


def test_a_clip_is_stored_once_however_many_parts_use_it(data_set: Path, clips: dict[str, Clip]) -> None:
    rows = [pyarrow.parquet.read_metadata(path).num_rows for path in data_set.glob("data/**/*.parquet")]
    assert sum(rows) == len(clips) < sum(len(clip.places) for clip in clips.values())


def test_labels_have_a_row_for_each_trial_without_audio(data_set: Path, clips: dict[str, Clip]) -> None:
    labels = pyarrow.parquet.read_table(data_set / "labels.parquet").to_pylist()
    expected = [(*place, clip.clip_id, clip.key) for clip in clips.values() for place in clip.places]
    assert sorted((r["part"], r["split"], r["clip_id"], r["key"]) for r in labels) == sorted(expected)


def test_eval_yaml_has_a_task_for_each_condition(data_set: Path) -> None:
    tasks = yaml.safe_load((data_set / "eval.yaml").read_text(encoding="utf-8"))["tasks"]
    assert [task["config"] for task in tasks] == ["C1", "P00", "P00-all"]


def test_the_part_of_all_recordings_is_no_task(finished_run: Path, tmp_path: Path) -> None:
    """Of evaluation alone, it has one split, as a condition has."""
    data = publication.read(finished_run, FACTS, Selection(splits=("eval",)))
    assert data.parts["bonafide"] == ["eval"]
    benchmark.write(data, begin(tmp_path, "x"))
    assert "bonafide" not in (tmp_path / "eval.yaml").read_text(encoding="utf-8")


def test_parquet_of_others_is_read_by_the_names_of_its_files_and_columns(tmp_path: Path) -> None:
    """As a data set without a card: `train` in the name of a file, words for keys, audio under another name."""
    path = tmp_path / "data/train-00000.parquet"
    path.parent.mkdir()
    struct = pyarrow.StructArray.from_arrays([pyarrow.array([b"x"]), pyarrow.array(["a.wav"])], ["bytes", "path"])
    pyarrow.parquet.write_table(pyarrow.table({"sound": struct, "label": ["fake"], "speaker": ["s"]}), path)
    (one,) = forms.form("hf").read(tmp_path)
    assert (one.key, one.speaker_id, one.places) == ("spoof", "s", (("", "train"),))
    assert one.clip_id == "data/train-00000.parquet/a.wav"
    assert one.audio() == b"x"


def test_parquet_without_an_audio_column_is_refused(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"label": ["fake"]}), tmp_path / "x.parquet")
    with pytest.raises(PublishingError, match="x.parquet: no column with the fields `bytes` and `path`.*it has label"):
        list(forms.form("hf").read(tmp_path))


# tars and folders


def test_a_json_member_follows_each_flac_member(data_sets: dict[str, Path], clips: dict[str, Clip]) -> None:
    library = pytest.importorskip("webdataset", reason=NO_READER)
    tars = [str(path) for path in sorted(data_sets["webdataset"].glob("data/**/*.tar"))]
    seen = []
    for one in library.WebDataset(tars, shardshuffle=False):
        row = json.loads(one["json"])
        clip = clips[row["clip_id"]]
        assert (row["key"], row["twin_id"], one["flac"]) == (clip.key, clip.twin_id, clip.audio())
        seen.append(clip.clip_id)
    assert sorted(seen) == sorted(clips)


def test_a_dot_in_a_clip_id_does_not_end_its_key(clips: dict[str, Clip]) -> None:
    clip = Clip(**{**vars(clips["e000_000"]), "clip_id": "a.b c"})
    assert webdataset.key_of(clip) == "a%2Eb%20c"


def test_metadata_name_the_files_beside_them(data_sets: dict[str, Path], clips: dict[str, Clip]) -> None:
    seen = []
    for path in data_sets["audiofolder"].glob("data/**/metadata.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                assert (path.parent / row["file_name"]).read_bytes() == clips[row["clip_id"]].audio()
                seen.append(row["clip_id"])
    assert sorted(seen) == sorted(clips)


# datasets and mlcroissant, in a process of their own: their imports take seconds


def python(code: str, folder: Path, tmp_path: Path) -> str:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}
    command = [sys.executable, "-c", code, str(folder)]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.long
def test_datasets_reads_every_part_and_split(data_set: Path, clips: dict[str, Clip], tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason=NO_READER)
    code = """
import base64, json, sys, datasets
folder = sys.argv[1]
result = {}
for part in datasets.get_dataset_config_names(folder):
    for split, rows in datasets.load_dataset(folder, part).items():
        assert rows.features["audio"].sampling_rate == 16000
        rows = rows.cast_column("audio", datasets.Audio(decode=False))
        names = rows.features["key"].names
        result[f"{part} {split}"] = [
            [row["clip_id"], names[row["key"]], base64.b64encode(row["audio"]["bytes"]).decode()] for row in rows
        ]
json.dump(result, sys.stdout)
"""

    read = json.loads(python(code, data_set, tmp_path))
    places = {place for clip in clips.values() for place in clip.places}
    assert set(read) == {f"{part} {split}" for part, split in places}
    for part, split in places:
        expected = of_place(clips, part, split)
        assert {name for name, _, _ in read[f"{part} {split}"]} == set(expected)
        for name, key, data in read[f"{part} {split}"]:
            assert (key, base64.b64decode(data)) == (expected[name].key, expected[name].audio())
            samples, rate = soundfile.read(io.BytesIO(base64.b64decode(data)), dtype="int16")
            assert rate == SAMPLE_RATE and len(samples) == expected[name].num_samples


@pytest.mark.long
@pytest.mark.parametrize("form", ["webdataset", "audiofolder"])
def test_datasets_finds_the_files_of_each_split(form: str, data_sets: dict[str, Path], tmp_path: Path) -> None:
    """Loading them needs torchcodec."""
    pytest.importorskip("datasets", reason=NO_READER)
    code = """
import json, os, sys, datasets
folder = sys.argv[1]
builder = datasets.load_dataset_builder(folder, "C1")
files = {split: [os.path.relpath(path, folder) for path in paths] for split, paths in builder.config.data_files.items()}
json.dump([type(builder).__name__, files], sys.stdout)
"""
    name, files = json.loads(python(code, data_sets[form], tmp_path))
    assert name.lower().startswith(form)
    pattern = "data/**/eval*-*.tar" if form == "webdataset" else "data/**/eval*-*/*"
    places = card_header.places_by_file(data_sets[form], pattern)
    assert sorted(files["eval"]) == [name for name, of in places.items() if ("C1", "eval") in of]
    assert files["eval"]


@pytest.mark.long
def test_mlcroissant_validates_the_description_and_reads_its_records(
    data_set: Path, clips: dict[str, Clip], tmp_path: Path
) -> None:
    pytest.importorskip("mlcroissant", reason=NO_READER)
    code = """
import hashlib, itertools, json, sys, mlcroissant
data = mlcroissant.Dataset(jsonld=sys.argv[1] + "/croissant.json")
rows = [
    [row["C1/eval/clip_id"].decode(), row["C1/eval/key"], row["C1/eval/sha256"].decode(),
     hashlib.sha256(row["C1/eval/audio"]).hexdigest()]
    for row in data.records("C1/eval")
]
issues = data.metadata.issues
limits = data.metadata.data_limitations
json.dump([sorted(issues.errors), sorted(issues.warnings), rows, limits], sys.stdout, default=str)
"""
    errors, warnings, rows, limits = json.loads(python(code, data_set, tmp_path))
    assert errors == []
    # the date of publication is not known when the files are written
    assert [text for text in warnings if "datePublished" not in text] == []
    expected = [[c.clip_id, KEY_NAMES.index(c.key), c.sha256, c.sha256] for c in of_place(clips, "C1", "eval").values()]
    assert sorted(rows) == sorted(expected)
    assert limits


def test_audio_is_decoded_to_the_samples_of_the_run(data_set: Path, clips: dict[str, Clip]) -> None:
    table = pyarrow.parquet.read_table(next(data_set.glob("data/english/F01/*.parquet")))
    row = table.to_pylist()[0]
    samples, _ = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")
    expected, _ = soundfile.read(io.BytesIO(clips[row["clip_id"]].audio()), dtype="int16")
    assert np.array_equal(samples, expected)
