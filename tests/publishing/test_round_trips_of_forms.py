"""Laws of the forms: what is published and read again by a reader of that format gives the same protocols and audio.

The readers are those of corpora, or short ones by the description of the format; none of them knows how we write.
"""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from finished_runs import FACTS
from round_trips import PARTS, digests, in_order, is_part_of, of_run, places, protocol, utterances

from codecfake import corpora
from codecfake.base import files
from codecfake.corpora.ingest import ingest
from codecfake.corpora.settings import IngestSettings
from codecfake.publishing import forms, publication
from codecfake.publishing.clips import PublishingError
from codecfake.publishing.publish import publish
from codecfake.publishing.selection import Selection

# ASVspoof 2019 LA and ASVspoof 5: one protocol for each split, and one for each part


@pytest.mark.parametrize("split", PARTS)
@pytest.mark.parametrize(
    ("form", "layout", "prefix"), [("asvspoof", "asvspoof2019la", ""), ("asvspoof5", "asvspoof5", "ASVspoof5-")]
)
def test_the_protocols_of_asvspoof_are_those_of_all_parts(
    form: str,
    layout: str,
    prefix: str,
    split: str,
    data_sets: dict[str, Path],
    finished_run: Path,
    audio: dict[str, str],
) -> None:
    table = utterances(data_sets[form], layout, {"splits": [split]})
    table["attack"] = table["attack"].str.removeprefix(prefix)
    pd.testing.assert_frame_equal(protocol(table, split), of_run(finished_run, PARTS[split]))
    assert is_part_of(digests(data_sets[form], table), audio)


@pytest.mark.parametrize(("form", "names"), [
    ("asvspoof", ["speaker_id", "trial_id", None, "attack", "key"]),
    ("asvspoof5", ["speaker_id", "trial_id", None, None, None, None, None, "attack", "key", None]),
])  # fmt: skip
def test_the_lists_of_parts_are_the_protocols_of_the_run(
    form: str, names: list[str | None], data_sets: dict[str, Path], finished_run: Path
) -> None:
    for name in (name for of_split in PARTS.values() for name in of_split):
        path = f"{name.removeprefix('eval/')}/eval" if name.startswith("eval/") else name
        lines = (data_sets[form] / f"parts/{path}.txt").read_text(encoding="utf-8").splitlines()
        rows = [dict(zip(names, line.split(" "), strict=True)) for line in lines]
        table = pd.DataFrame(rows).replace({"attack": {"bonafide": "-"}})
        pd.testing.assert_frame_equal(in_order(table), of_run(finished_run, [name]))


def test_codings_come_back_from_asvspoof5(finished_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished_run, tmp_path / "run")
    path = run / "results/protocols/eval/C1.tsv"
    trials = files.read_tsv(path)
    trials["coding"] = ["C05" if number % 2 else "-" for number in range(len(trials))]
    files.write_tsv(path, trials)
    publish(run, FACTS, Selection(parts=("C1",)), "asvspoof5", tmp_path / "to")
    listing = corpora.layout("asvspoof5").utterances(tmp_path / "to", {"splits": ["eval"]})
    assert {one.utterance_id: one.coding for one in listing.utterances} == dict(
        zip(trials["trial_id"], trials["coding"], strict=True)
    )


# the forms of `datasets`


def test_parquet_for_the_hub_is_a_corpus_of_the_layout_parquet(
    data_set: Path, finished_run: Path, tmp_path: Path, audio: dict[str, str]
) -> None:
    """The files of one split of a part, as the header of the card names them."""
    header = yaml.safe_load((data_set / "README.md").read_text(encoding="utf-8").split("---")[1])
    globs = {(c["config_name"], d["split"]): d["path"] for c in header["configs"] for d in c["data_files"]}
    columns = {
        "key": "key", "utterance_id": "clip_id", "speaker": "speaker_id", "language": "language", "attack": "attack",
    }  # fmt: skip
    for part, split, name in places():
        root = tmp_path / part / split / "data"
        for path in (path for glob in globs[part, split] for path in data_set.glob(glob)):
            to = root / path.relative_to(data_set / "data")
            to.parent.mkdir(parents=True, exist_ok=True)
            to.symlink_to(path)
        splits = {path.stem: split for path in root.rglob("*.parquet")}
        table = utterances(root, "parquet", {"columns": columns, "bonafide": ["bonafide"], "splits": splits})
        pd.testing.assert_frame_equal(protocol(table, split), of_run(finished_run, [name]))
        assert is_part_of(digests(root, table), audio)


def test_a_folder_of_an_audiofolder_is_a_corpus_of_the_layout_listed(
    data_sets: dict[str, Path], audio: dict[str, str]
) -> None:
    names: set[str] = set()
    for metadata in sorted(data_sets["audiofolder"].rglob("metadata.csv")):
        with metadata.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        table = utterances(metadata.parent, "listed", {"key": rows[0]["key"], "language": rows[0]["language"]})
        assert list(table["utterance_id"]) == sorted(row["clip_id"] for row in rows)
        assert is_part_of(digests(metadata.parent, table), audio)
        names |= set(table["utterance_id"])
    assert names == audio.keys()


@pytest.mark.long
def test_ingest_takes_every_clip_of_a_published_layout(data_sets: dict[str, Path], tmp_path: Path) -> None:
    settings = IngestSettings(
        corpus="published", layout="asvspoof2019la", options={"splits": ["eval"]}, min_duration=0.01
    )
    ingest(data_sets["asvspoof"], settings, tmp_path / "utterances.parquet", tmp_path / "rejected.tsv", 2)
    assert len(pd.read_parquet(tmp_path / "utterances.parquet")) == 24


# names and lists


def test_odd_names_come_back(finished_run: Path, tmp_path: Path) -> None:
    """Blanks, # and percent signs in ids of clips and speakers, in lists with blanks between words."""
    odd = {"e003": "Ann #3%20", "m000": "-"}
    run = shutil.copytree(finished_run, tmp_path / "run")
    for path in (run / "results/protocols").glob("*/*.tsv"):
        table = files.read_tsv(path)
        files.write_tsv(path, table.assign(speaker_id=table["speaker_id"].replace(odd)))
    selection = Selection(parts=("C1",))
    expected = {clip.clip_id: clip.speaker_id for clip in publication.read(run, FACTS, selection).clips()}
    assert set(odd.values()) == set(expected.values())
    for form in ("kaldi", "asvspoof"):
        publish(run, FACTS, selection, form, tmp_path / form)
        read = {clip.clip_id: clip.speaker_id for clip in forms.form(form).read(tmp_path / form)}
        assert read == expected


@pytest.mark.parametrize("form", ["kaldi", "asvspoof", "asvspoof5", "xie2025", "arena"])
def test_two_clips_of_one_name_are_refused(form: str, finished_run: Path) -> None:
    data = publication.read(finished_run, FACTS, Selection(), forms.place_of(form))
    trials = data.catalog.trials.astype(str)
    trials.loc[trials["trial_id"] == "m000_000", "trial_id"] = "e003_000"
    other = replace(data, catalog=type(data.catalog)(trials))
    with pytest.raises(PublishingError, match="e003_000 is a clip of english and of mandarin, but this form"):
        forms.require(form, other)


@pytest.mark.parametrize(
    ("form", "file", "line", "match"),
    [
        ("asvspoof", "parts/C1/eval.txt", "a b c", "parts/C1/eval.txt, line 1: 3 words, not those of `speaker clip"),
        ("asvspoof5", "parts/C1/eval.txt", "a b c", "3 words, not those of `speaker clip gender"),
        ("xie2025", "label/C1.txt", "a", "1 words, not those of `file label number` or `file label`"),
        ("kaldi", "data/C1/eval/wav.scp", "a flac -c -d -s a.flac |", "its audio comes from a command"),
        ("lhotse", "manifests/C1_cuts_eval.jsonl", "{}", "line 1: no cut of one recording in a file"),
        ("arena", "protocol_files/C1.csv", "file_name\na", "line 2 has no file_name or label"),
    ],
)
def test_a_damaged_list_is_named(form: str, file: str, line: str, match: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(PublishingError, match=match):
        list(forms.form(form).read(tmp_path))
