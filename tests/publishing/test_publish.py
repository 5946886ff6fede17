"""A run is published whole, in the same bytes each time, after a kill too, and without what may not be passed on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import finished_runs
import pandas as pd
import pytest
from finished_runs import FACTS
from places import ROOT

from codecfake.audio.shards import AudioStore
from codecfake.base import files
from codecfake.publishing import FORMS, publication
from codecfake.publishing.catalog import Catalog
from codecfake.publishing.clips import Clip, PublishingError
from codecfake.publishing.output import JOURNAL, MANIFEST, begin
from codecfake.publishing.publish import publish
from codecfake.publishing.selection import Selection

SPLIT_OF = {"codec": {"train", "dev"}, "C1": {"eval"}, "P00": {"eval"}, "P00-all": {"eval"}}
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests/support'}"}


def digests(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): files.sha256(path) for path in paths}


def clips(run: Path, selection: Selection) -> list[Clip]:
    return list(publication.read(run, FACTS, selection).clips())


# the records


def test_every_trial_of_every_protocol_is_a_place_of_one_clip(
    finished_run: Path, published_clips: tuple[Clip, ...]
) -> None:
    found = sorted((*place, clip.clip_id) for clip in published_clips for place in clip.places)
    expected = []
    for part, splits in SPLIT_OF.items():
        for split in splits:
            path = f"eval/{part}.tsv" if split == "eval" else f"{part}/{split}.tsv"
            table = files.read_tsv(finished_run / "results/protocols" / path)
            expected += [(part, split, trial) for trial in table["trial_id"]]
    assert [each for each in found if each[0] != "bonafide"] == sorted(expected)
    recordings = {clip.clip_id for clip in published_clips if clip.key == "bonafide"}
    assert sorted(trial for part, _, trial in found if part == "bonafide") == sorted(recordings)


def test_a_clip_has_the_audio_and_facts_of_its_shard(finished_run: Path, published_clips: tuple[Clip, ...]) -> None:
    store = AudioStore(finished_run / "results/audio", [("english", "F01"), ("mandarin", "P00")])
    by_id = {clip.clip_id: clip for clip in published_clips}
    clip = by_id["F01_e000_001"]
    assert clip.audio() == store.read_bytes("english", "F01", "e000_001")
    assert (clip.twin_id, clip.codec, clip.quantizers, clip.bitrate_kbps) == ("e000_001", "encodec", 2, 1.5)
    assert clip.license == "CC-BY-4.0 AND MIT AND CC-BY-NC-4.0"
    assert by_id["e000_001"].twin_id == "" and by_id["e000_001"].license == "CC-BY-4.0"
    assert clip.duration == finished_runs.NUM_SAMPLES / finished_runs.SAMPLE_RATE


def test_codings_of_a_corpus_are_published(finished_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished_run, tmp_path / "run")
    path = run / "results/protocols/eval/C1.tsv"
    table = files.read_tsv(path)
    files.write_tsv(path, table.assign(coding="alaw"))
    codings = {clip.clip_id: clip.coding for clip in clips(run, Selection(sources=("F01",)))}
    assert {name for name, coding in codings.items() if coding == "alaw"} == set(table["trial_id"]) & set(codings)
    assert set(codings.values()) == {"alaw", "-"}


def test_at_most_one_shard_of_clips_and_no_audio_is_kept_in_memory(finished_run: Path) -> None:
    alive: weakref.WeakSet[Clip] = weakref.WeakSet()
    most = number = 0
    for clip in publication.read(finished_run, FACTS, Selection()).clips():
        alive.add(clip)
        most, number = max(most, len(alive)), number + 1
        assert isinstance(clip.audio(), bytes) and not any(isinstance(value, bytes) for value in vars(clip).values())
    # a shard has four clips, and the last one is alive while the next shard is read
    assert most <= 4 + 1 < number


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run with a second of audio in each clip, and one with five times the clips and shards."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finished_runs, "NUM_SAMPLES", finished_runs.SAMPLE_RATE)
        one, five = (finished_runs.write(folder / str(times), 4 * times, 16, times) for times in (1, 5))
    return one, five


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_five_times_the_audio_needs_about_the_same_memory(form: str, runs: tuple[Path, Path], tmp_path: Path) -> None:
    code = """
import resource, sys, finished_runs
from pathlib import Path
from codecfake.publishing.publish import publish
from codecfake.publishing.selection import Selection
publish(Path(sys.argv[1]), finished_runs.FACTS, Selection(), sys.argv[3], Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""
    peaks, sizes = [], []
    for run in runs:
        command = [sys.executable, "-c", code, str(run), str(tmp_path / run.name), form]
        peaks.append(int(subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=True).stdout))
        sizes.append(sum(path.stat().st_size for path in (tmp_path / run.name).rglob("*") if path.is_file()))
    assert peaks[1] - peaks[0] < 0.4 * (sizes[1] - sizes[0])


# the files


def test_the_same_run_gives_the_same_bytes_anywhere(finished_run: Path, data_set: Path, tmp_path: Path) -> None:
    shutil.copytree(finished_run, tmp_path / "elsewhere")
    publish(tmp_path / "elsewhere", FACTS, Selection(), "hf", tmp_path / "again")
    assert digests(tmp_path / "again") == digests(data_set)


@pytest.mark.parametrize("form", FORMS)
def test_the_manifest_names_every_other_file_with_its_digest(form: str, data_sets: dict[str, Path]) -> None:
    lines = (data_sets[form] / MANIFEST).read_text(encoding="utf-8").splitlines()
    expected = {name: digest for name, digest in digests(data_sets[form]).items() if name != MANIFEST}
    assert dict(reversed(line.split("  ")) for line in lines) == expected


class StopError(Exception):
    """Raised in place of a kill."""


@pytest.mark.parametrize("form", FORMS)
def test_a_stopped_publication_continues_and_keeps_what_is_written(
    form: str, finished_run: Path, data_sets: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to, rest = tmp_path / "to", iter([True] * 3)

    def shards(self: publication.Publication) -> Iterator[publication.ClipShard]:
        for shard in whole(self):
            if not next(rest, False):
                raise StopError
            yield shard

    whole = publication.Publication.shards
    with monkeypatch.context() as patch, pytest.raises(StopError):
        patch.setattr(publication.Publication, "shards", shards)
        publish(finished_run, FACTS, Selection(), form, to)
    assert (to / JOURNAL).is_file() and not (to / MANIFEST).exists()
    written = {path: path.stat().st_mtime_ns for path in to.rglob("*") if path.is_file() and path.name != JOURNAL}
    assert written
    publish(finished_run, FACTS, Selection(), form, to)
    assert digests(to) == digests(data_sets[form])
    kept = [path for path, time in written.items() if path.stat().st_mtime_ns == time]
    assert [path for path in written if path not in kept and path.suffix != ".csv"] == []


def test_a_file_that_was_cut_after_a_stop_is_written_again(finished_run: Path, data_set: Path, tmp_path: Path) -> None:
    to = shutil.copytree(data_set, tmp_path / "to")
    cut = next(to.glob("data/**/*.parquet"))
    os.truncate(cut, 100)
    publish(finished_run, FACTS, Selection(), "hf", to)
    assert digests(to) == digests(data_set)


@pytest.mark.long
def test_a_killed_publication_continues(finished_run: Path, data_set: Path, tmp_path: Path) -> None:
    """SIGKILL at the moment when a file has its name, and at later ones."""
    to = tmp_path / "to"
    code = f"""
import finished_runs, os, signal
from pathlib import Path
from codecfake.publishing import output
from codecfake.publishing.publish import publish
from codecfake.publishing.selection import Selection
record, numbers = output.Output._record, iter(range(7))
def killed(self, name, digest):
    if next(numbers, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
    record(self, name, digest)
output.Output._record = killed
publish(Path({str(finished_run)!r}), finished_runs.FACTS, Selection(), "hf", Path({str(to)!r}))
"""
    kills = 0
    while (killed := subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT)).returncode == -signal.SIGKILL:
        kills += 1
        assert kills < 20
    assert killed.returncode == 0 and kills >= 3
    assert digests(to) == digests(data_set)


def test_a_folder_with_something_else_is_refused(finished_run: Path, data_set: Path, tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").touch()  # and what a kill at the very beginning leaves
    begin(tmp_path, "x")
    (tmp_path / JOURNAL).unlink()
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(PublishingError, match="is not empty, and is no publication; choose another folder"):
        publish(finished_run, FACTS, Selection(), "hf", tmp_path)
    to = shutil.copytree(data_set, tmp_path / "other")
    with pytest.raises(PublishingError, match="holds another publication; choose another folder"):
        publish(finished_run, FACTS, Selection(sources=("F00",)), "hf", to)
    assert digests(to) == digests(data_set)


def test_a_journal_with_a_cut_line_counts_up_to_it(tmp_path: Path) -> None:
    output = begin(tmp_path, "x")
    output.write_text("a.txt", "a")
    with (tmp_path / JOURNAL).open("a") as journal:
        journal.write('{"file": "b.tx')
    assert begin(tmp_path, "x").keeps("a.txt")
    assert not begin(tmp_path, "x").keeps("b.txt")


# the choices


@pytest.mark.parametrize(
    ("selection", "column", "values"),
    [
        (Selection(sources=("F00", "F01")), "source", {"F00", "F01"}),
        (Selection(languages=("zh",)), "language", {"zh"}),
        (Selection(licenses=("Apache-2.0", "MIT", "CC-BY-NC-4.0")), "corpus", {"mandarin"}),
    ],
)
def test_only_what_is_chosen_is_published(
    finished_run: Path, published_clips: tuple[Clip, ...], selection: Selection, column: str, values: set[str]
) -> None:
    chosen = clips(finished_run, selection)
    expected = [clip.clip_id for clip in published_clips if getattr(clip, column) in values]
    assert [clip.clip_id for clip in chosen] == expected


def test_only_the_chosen_parts_and_splits_are_published(finished_run: Path) -> None:
    chosen = clips(finished_run, Selection(splits=("eval",)))
    assert {place.split for clip in chosen for place in clip.places} == {"eval"}
    chosen = clips(finished_run, Selection(parts=("C1",)))
    assert {place for clip in chosen for place in clip.places} == {("C1", "eval")}


@pytest.mark.parametrize(
    ("selection", "match"),
    [
        (Selection(sources=("F1",)), "--sources: unknown source of this run 'F1'; did you mean"),
        (Selection(languages=("de",)), "--languages: unknown language of this run 'de'; choose from en, zh"),
        (Selection(sources=("P00",), splits=("train",)), "no trial has source P00 and|no trial has"),
        (Selection(licenses=("GPL-3.0",)), "nothing of the selection may be redistributed"),
    ],
)
def test_an_impossible_choice_is_refused_before_anything_is_written(
    finished_run: Path, tmp_path: Path, selection: Selection, match: str
) -> None:
    with pytest.raises(PublishingError, match=match):
        publish(finished_run, FACTS, selection, "hf", tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_what_may_not_be_redistributed_is_withheld_and_its_recipe_is_named(finished_run: Path, tmp_path: Path) -> None:
    permissive = Selection(licenses=("Apache-2.0", "CC-BY-4.0", "MIT"))
    publish(finished_run, FACTS, permissive, "hf", tmp_path)
    withheld = pd.read_csv(tmp_path / "withheld.tsv", sep="\t")
    assert list(withheld["source"]) == ["F01", "F01"]
    recipe = "codecfake run tiny --run DIR -- results/audio/english/F01/shards.tsv"
    assert recipe in withheld["recipe"][0] and withheld["recipe"][0].startswith(
        "Get the corpus from https://vctk.example"
    )
    assert not list(tmp_path.glob("data/*/F01"))
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "## Withheld" in card and recipe in card
    counts = json.loads((tmp_path / "publication.json").read_text(encoding="utf-8"))["counts"]
    assert "spoof" not in counts["codec"]["train"] and "spoof" in counts["P00"]["eval"]


def test_an_unstated_license_is_withheld_unless_the_user_asks_for_it(finished_run: Path) -> None:
    credits = {**FACTS.corpora, "english": finished_runs.CorpusFacts("english", "listed", finished_runs.Credit())}
    facts = finished_runs.RunFacts(FACTS.title, FACTS.description, FACTS.command, credits, FACTS.codecs)
    withheld = publication.read(finished_run, facts, Selection()).withheld
    assert {item.corpus for item in withheld} == {"english"} and len(withheld) == 3
    named = Selection(licenses=("unstated", "Apache-2.0", "MIT", "CC-BY-NC-4.0"))
    assert publication.read(finished_run, facts, named).withheld == ()


def test_an_unfinished_run_is_refused_by_name(finished_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished_run, tmp_path / "run")
    (run / "results/audio/mandarin/P00/0001.parquet").unlink()
    with pytest.raises(PublishingError, match=r"mandarin/P00: .*0001.parquet is missing; finish the run first"):
        clips(run, Selection())
    shutil.rmtree(run / "results/protocols")
    with pytest.raises(PublishingError, match="no protocols; finish the run first"):
        clips(run, Selection())


def test_a_recording_in_several_splits_is_published_where_it_is_evaluated() -> None:
    rows = [("codec", "train"), ("C1", "eval"), ("bonafide", "eval")]
    columns = {"trial_id": "a", "corpus": "c", "source": "F00", "utterance_id": "a", "key": "bonafide"}
    table = pd.DataFrame([{**columns, "part": part, "split": split} for part, split in rows])
    assert Catalog(table).parts() == {"codec": ["train"], "C1": ["eval"], "bonafide": ["eval"]}
