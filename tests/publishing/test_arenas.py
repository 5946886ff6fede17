"""The forms of arenas: the tables of the Speech DF Arena, and data sets in the schema of speech-spoof-bench."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest
import yaml
from finished_runs import FACTS
from round_trips import CONDITIONS, digest, digests, is_part_of, of_run, protocol, utterances

from codecfake.base import files
from codecfake.publishing import forms, publication
from codecfake.publishing.checks.check import check
from codecfake.publishing.clips import Place, PublishingError
from codecfake.publishing.publish import publish
from codecfake.publishing.selection import Selection


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_table_of_the_arena_has_the_trials_of_a_condition(
    name: str, data_sets: dict[str, Path], finished_run: Path, audio: dict[str, str]
) -> None:
    root = data_sets["arena"]
    with (root / f"protocol_files/{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = [(Path(row["file_name"]), row["label"]) for row in csv.DictReader(file)]
    expected = files.read_tsv(finished_run / f"results/protocols/eval/{name}.tsv")
    assert sorted((path.stem, label) for path, label in rows) == sorted(
        zip(expected["trial_id"], expected["key"], strict=True)
    )
    assert is_part_of({path.stem: digest((root / path).read_bytes()) for path, _ in rows}, audio)


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_data_set_of_speech_spoof_bench_has_the_trials_of_a_condition(
    name: str, data_sets: dict[str, Path], finished_run: Path, audio: dict[str, str]
) -> None:
    root = data_sets["spoof_bench"] / name
    options = {"columns": {"key": "label"}, "bonafide": ["bonafide"], "spoof": ["spoof"], "language": "en"}
    splits = {path.stem: "eval" for path in root.glob("data/test-*.parquet")}
    table = utterances(root, "parquet", {**options, "splits": splits})
    trials = protocol(table, "eval")
    expected = of_run(finished_run, [f"eval/{name}"])
    pd.testing.assert_frame_equal(trials[["trial_id", "key"]], expected[["trial_id", "key"]])
    assert is_part_of(digests(root, table), audio)


def test_a_data_set_of_speech_spoof_bench_keeps_the_rules_of_its_validator(data_sets: dict[str, Path]) -> None:
    """D1 to D7: columns, classes, sample rate, notes, unique ids and paths, the header of the card, the metric."""
    root = data_sets["spoof_bench"] / "C1"
    rows: list[dict] = []
    for path in sorted(root.glob("data/test-*.parquet")):
        table = pyarrow.parquet.read_table(path)
        assert table.schema.names == ["path", "audio", "label", "notes"]
        features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        assert features["label"]["names"] == ["bonafide", "spoof"] and features["audio"]["sampling_rate"] == 16000
        rows += table.to_pylist()
    ids = [json.loads(row["notes"])["utterance_id"] for row in rows]
    assert len(set(ids)) == len({row["path"] for row in rows}) == len(rows) == 8
    labels = pyarrow.parquet.read_table(root / "data/labels.parquet").to_pylist()
    by_id = {id_of_clip: row["label"] for id_of_clip, row in zip(ids, rows, strict=True)}
    assert {row["utterance_id"]: row["label"] for row in labels} == by_id and len(labels) == len(rows)
    header = yaml.safe_load((root / "README.md").read_text(encoding="utf-8").split("---")[1])
    needed = {"license", "language", "pretty_name", "task_categories", "size_categories", "configs", "tags", "arxiv"}
    assert needed <= set(header) and "arena-ready" in header["tags"]
    tasks = yaml.safe_load((root / "eval.yaml").read_text(encoding="utf-8"))["tasks"]
    assert (tasks[0]["split"], tasks[0]["metrics"]) == ("test", ["eer_percent"])


def test_evaluation_alone_has_room_in_an_arena(finished_run: Path, tmp_path: Path) -> None:
    with pytest.raises(PublishingError, match="the form has no room for these parts and splits"):
        publish(finished_run, FACTS, Selection(splits=("train",)), "arena", tmp_path / "to")
    assert forms.place_of("arena")(Place("codec", "dev")) is None


def test_the_data_set_of_a_condition_is_checked_alone(data_sets: dict[str, Path]) -> None:
    findings = check(data_sets["spoof_bench"] / "C1")
    assert findings.faults == [] and "8 clips in the form spoof_bench" in findings.notes
    assert not any("digests of files were not checked" in note for note in findings.notes)


def test_another_sample_rate_is_refused_by_speech_spoof_bench(finished_run: Path) -> None:
    data = publication.read(finished_run, FACTS, Selection())
    other = replace(data, sources=(replace(data.sources[0], sample_rates=(24000,)),))
    with pytest.raises(PublishingError, match="english/F00: sample rates 24000 Hz, but speech-spoof-bench has 16000"):
        forms.require("spoof_bench", other)
