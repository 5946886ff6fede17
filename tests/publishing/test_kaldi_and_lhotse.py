"""Data directories of Kaldi and manifests of Lhotse, by their descriptions and by Lhotse itself."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import round_trips
from finished_runs import FACTS
from round_trips import digest, in_order, is_part_of, of_run, places

from codecfake.base import files
from codecfake.publishing.publish import publish
from codecfake.publishing.selection import Selection

NO_READER = "the packages of envs/readers.txt are not installed"


def tables_of(directory: Path) -> dict[str, dict[str, str]]:
    texts = {path.name: path.read_text(encoding="utf-8") for path in directory.iterdir()}
    return {name: dict(line.split(" ", 1) for line in text.splitlines()) for name, text in texts.items()}


def test_a_data_directory_of_kaldi_is_a_protocol_of_the_run(
    data_sets: dict[str, Path], finished_run: Path, audio: dict[str, str]
) -> None:
    root = data_sets["kaldi"]
    for part, split, name in places():
        tables = tables_of(root / "data" / part / split)
        speaker = tables["utt2spk"]
        clip = {utterance: utterance.removeprefix(f"{speaker[utterance]}-") for utterance in tables["wav.scp"]}
        rows = [
            {
                "trial_id": clip[one],
                "key": tables["utt2lab"][one],
                "speaker_id": speaker[one],
                "attack": tables["utt2attack"][one],
            }
            for one in clip
        ]
        pd.testing.assert_frame_equal(in_order(pd.DataFrame(rows)), of_run(finished_run, [name]))
        assert is_part_of(
            {clip[one]: digest((root / path).read_bytes()) for one, path in tables["wav.scp"].items()}, audio
        )


def test_data_directories_keep_the_rules_of_kaldi(data_sets: dict[str, Path]) -> None:
    """Sorted by bytes, by utterance and by speaker alike; the same utterances in each table; inverse tables agree."""
    for directory in data_sets["kaldi"].glob("data/*/*"):
        tables = tables_of(directory)
        for table in tables.values():
            assert list(table) == sorted(table, key=str.encode)
        speaker = tables["utt2spk"]
        assert list(speaker) == sorted(speaker, key=lambda utterance: (speaker[utterance].encode(), utterance.encode()))
        per_utterance = [table for name, table in tables.items() if not name.endswith("2utt")]
        assert len(per_utterance) >= 6 and all(table.keys() == speaker.keys() for table in per_utterance)
        for table, inverse in (("utt2spk", "spk2utt"), ("utt2lab", "lab2utt")):
            pairs = {(utterance, value) for value, line in tables[inverse].items() for utterance in line.split(" ")}
            assert pairs == set(tables[table].items())


def test_kaldi_and_lhotse_have_transcripts_where_the_run_has_them(finished_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished_run, tmp_path / "run")
    path = run / "results/corpora/english/utterances.parquet"
    table = pd.read_parquet(path)
    table["text"] = [f"words  of\n{name}" for name in table["utterance_id"]]
    files.write_parquet(path, table)
    for form in ("kaldi", "lhotse"):
        publish(run, FACTS, Selection(languages=("en",), parts=("C1",)), form, tmp_path / form)
        publish(run, FACTS, Selection(parts=("C1",)), form, tmp_path / f"{form}-both")
    text = tables_of(tmp_path / "kaldi/data/C1/eval")["text"]
    assert text["e003-F01_e003_000"] == text["e003-e003_000"] == "words of e003_000"
    # Kaldi drops utterances that are not in all tables
    assert not (tmp_path / "kaldi-both/data/C1/eval/text").exists()
    lines = (tmp_path / "lhotse-both/manifests/C1_supervisions_eval.jsonl").read_text(encoding="utf-8").splitlines()
    texts = {one["custom"]["clip_id"]: one.get("text") for one in map(json.loads, lines)}
    assert texts["F01_e003_000"] == "words of e003_000" and texts["F01_m000_000"] is None


def python(code: str, folder: Path) -> str:
    process = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.long
@pytest.mark.parametrize("form", ["lhotse", "kaldi"])
def test_lhotse_reads_every_place(
    form: str, data_sets: dict[str, Path], finished_run: Path, audio: dict[str, str], tmp_path: Path
) -> None:
    pytest.importorskip("lhotse", reason=NO_READER)
    code = {
        "lhotse": """
import hashlib, json, sys
from pathlib import Path
from lhotse import CutSet, RecordingSet, SupervisionSet, validate
root, result = Path(sys.argv[1]), {}
for path in sorted((root / "manifests").glob("*_cuts_*.jsonl")):
    cuts = CutSet.from_file(path).with_recording_path_prefix(root)
    recordings = RecordingSet.from_file(str(path).replace("_cuts_", "_recordings_")).with_path_prefix(root)
    supervisions = SupervisionSet.from_file(str(path).replace("_cuts_", "_supervisions_"))
    validate(cuts), validate(recordings), validate(supervisions)
    assert {one.id for one in recordings} == {one.recording_id for one in supervisions} == {cut.id for cut in cuts}
    part, split = path.stem.split("_cuts_")
    result[f"{part}/{split}"] = [
        [one.custom["clip_id"], one.custom["key"], one.speaker, one.custom["attack"],
         hashlib.sha256((cut.load_audio()[0] * 32768).round().astype("int16").tobytes()).hexdigest()]
        for cut in cuts for one in cut.supervisions
    ]
json.dump(result, sys.stdout)
""",
        "kaldi": """
import hashlib, json, os, sys
from pathlib import Path
from lhotse.kaldi import load_kaldi_data_dir
root, result = Path(sys.argv[1]), {}
os.chdir(root)
for directory in sorted(Path("data").glob("*/*")):
    recordings, supervisions, _ = load_kaldi_data_dir(directory, 16000)
    lines = {name: (directory / name).read_text().splitlines() for name in ("utt2lab", "utt2attack")}
    tables = {name: dict(line.split(" ", 1) for line in of_table) for name, of_table in lines.items()}
    audio = {one.id: one.load_audio()[0] for one in recordings}
    result["/".join(directory.parts[1:])] = [
        [one.id.removeprefix(f"{one.speaker}-"), tables["utt2lab"][one.id], one.speaker, tables["utt2attack"][one.id],
         hashlib.sha256((audio[one.recording_id] * 32768).round().astype("int16").tobytes()).hexdigest()]
        for one in supervisions
    ]
json.dump(result, sys.stdout)
""",
    }[form]
    read = json.loads(python(code, data_sets[form]))
    for part, split, name in places():
        *columns, digest_of_clip = zip(*read[f"{part}/{split}"], strict=True)
        trials = pd.DataFrame(dict(zip(round_trips.TRIAL, columns, strict=True)))
        pd.testing.assert_frame_equal(in_order(trials), of_run(finished_run, [name]))
        assert is_part_of(dict(zip(columns[0], digest_of_clip, strict=True)), audio)
