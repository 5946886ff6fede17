"""Label policies and laundering ladders in publications: what files, card and check say, with planted faults."""

import json
import shutil
from pathlib import Path

import finished_runs
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from finished_runs import FACTS, SAMPLE_RATE

from codecfake.__main__ import main
from codecfake.audio.shard_lists import LIST, write_list
from codecfake.audio.shards import Provenance, ShardWriter
from codecfake.base import files
from codecfake.publishing import FORMS, publication
from codecfake.publishing.checks.check import check
from codecfake.publishing.clips import Clip, PublishingError
from codecfake.publishing.output import MANIFEST
from codecfake.publishing.publish import publish
from codecfake.publishing.rows import KEY_NAMES
from codecfake.publishing.selection import Selection

STEP = "noise_20"


def protocol(run: Path, name: str) -> Path:
    return run / f"results/protocols/eval/{name}.tsv"


def clips(run: Path, selection: Selection) -> dict[str, Clip]:
    return {clip.clip_id: clip for clip in publication.read(run, FACTS, selection).clips()}


def relabel(folder: Path, clip_id: str, key: str) -> None:
    """Change the key of a clip, as someone who published it so: without a manifest."""
    (folder / MANIFEST).unlink(missing_ok=True)
    for path in folder.glob("data/*/*/*.parquet"):
        table = pyarrow.parquet.read_table(path)
        rows = table.to_pylist()
        for row in rows:
            row["key"] = KEY_NAMES.index(key) if row["clip_id"] == clip_id else row["key"]
        pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


# label policies


@pytest.fixture(scope="module")
def policy_run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Codec F01 is a channel in C1: coded bona fide speech is bona fide. Half of the recordings there are spoofs."""
    run = shutil.copytree(finished_run, tmp_path_factory.mktemp("policy") / "run")
    table = files.read_tsv(protocol(run, "C1"))
    original = table["utterance_id"].map(lambda name: "spoof" if name.endswith("1") else "bonafide")
    files.write_tsv(protocol(run, "C1"), table.assign(key=original, original_key=original))
    return run


@pytest.fixture(scope="module")
def policy_set(policy_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "policy"
    publish(policy_run, FACTS, Selection(parts=("C1",)), "hf", folder)
    return folder


@pytest.fixture
def policy_copy(policy_set: Path, tmp_path: Path) -> Path:
    return shutil.copytree(policy_set, tmp_path / "copy")


@pytest.mark.parametrize("form", [form for form in FORMS if form != "hf"])
def test_coded_bona_fide_speech_is_no_fault_under_its_policy(form: str, policy_run: Path, tmp_path: Path) -> None:
    publish(policy_run, FACTS, Selection(parts=("C1",)), form, tmp_path / "set")
    assert check(tmp_path / "set").faults == []


def test_the_record_the_card_and_the_check_say_the_policy(policy_set: Path) -> None:
    record = json.loads((policy_set / "publication.json").read_text(encoding="utf-8"))
    assert record["label_policy"] == {"encodec": {"bonafide": "bonafide", "spoof": "spoof"}}
    card = (policy_set / "README.md").read_text(encoding="utf-8")
    assert "coded bonafide speech of encodec is bonafide; coded spoof speech of encodec is spoof" in card
    findings = check(policy_set)
    assert findings.faults == []
    notes = "label policy, codec encodec: coded bonafide speech is bonafide, coded spoof speech is spoof"
    assert notes in findings.notes


def coded(folder: Path, key: str) -> str:
    """A clip of F01 with this key."""
    tables = [pyarrow.parquet.read_table(path).to_pylist() for path in folder.glob("data/*/F01/*.parquet")]
    return next(row["clip_id"] for rows in tables for row in rows if KEY_NAMES[row["key"]] == key)


@pytest.mark.parametrize("key", ["bonafide", "spoof"])
def test_a_key_that_the_policy_does_not_give_is_found(policy_copy: Path, key: str) -> None:
    other = {"bonafide": "spoof", "spoof": "bonafide"}[key]
    clip_id = coded(policy_copy, key)
    relabel(policy_copy, clip_id, other)
    findings = check(policy_copy)
    assert set(findings.numbers) == {"key", "count"}
    assert f"{clip_id} is {other}, but coded {key} speech is {key} by the label policy" in "\n".join(findings.lines())


def test_without_the_policy_in_the_record_coded_bona_fide_speech_is_a_fault(policy_copy: Path) -> None:
    path = policy_copy / "publication.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    del record["label_policy"]
    path.write_text(json.dumps(record), encoding="utf-8")
    (policy_copy / MANIFEST).unlink()
    assert set(check(policy_copy).numbers) == {"key", "twin"}


def test_the_policy_of_one_codec_does_not_excuse_another(finished_run: Path, policy_copy: Path, tmp_path: Path) -> None:
    publish(finished_run, FACTS, Selection(parts=("P00",)), "hf", tmp_path / "set")
    record = json.loads((policy_copy / "publication.json").read_text(encoding="utf-8"))
    path = tmp_path / "set/publication.json"
    own = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**own, "label_policy": record["label_policy"]}), encoding="utf-8")
    clip_id = next(name for name in clips(finished_run, Selection(parts=("P00",))) if name.startswith("P00"))
    relabel(tmp_path / "set", clip_id, "bonafide")
    findings = check(tmp_path / "set")
    assert findings.numbers["key"] == 1
    assert f"{clip_id} is bonafide, but was made from" in "\n".join(findings.lines())


def test_two_policies_for_one_clip_are_refused(policy_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(policy_run, tmp_path / "run")
    path = protocol(run, "C2")
    table = files.read_tsv(protocol(run, "C1"))
    files.write_tsv(path, table.assign(key=table["key"].where(table["source"] == "F00", "spoof")))
    with pytest.raises(PublishingError, match="by different label policies; publish the parts of one policy at a time"):
        publication.read(run, FACTS, Selection(parts=("C1", "C2")))
    assert publication.read(run, FACTS, Selection(parts=("C2",))).policy == {
        "encodec": {"bonafide": "spoof", "spoof": "spoof"}
    }


def test_a_run_without_a_policy_has_none_in_its_record(data_set: Path) -> None:
    record = json.loads((data_set / "publication.json").read_text(encoding="utf-8"))
    assert "label_policy" not in record
    assert "all output of codecs and generators is spoof" in (data_set / "README.md").read_text(encoding="utf-8")


# laundering ladders


def degrade(run: Path, step: str, **columns: object) -> None:
    """Add a step to C1: halve the level of its clips."""
    table = files.read_tsv(protocol(run, "C1"))
    for (corpus, source), rows in table.groupby(["corpus", "source"]):
        folder = run / f"results/audio/{corpus}/{source}+{step}"
        origin: Provenance = finished_runs.SOURCES[source]
        with ShardWriter(folder / "0000.tar", f"{folder.name}_", origin) as writer:
            for name in rows["utterance_id"]:
                writer.add(name, 0.5 * finished_runs.waveform(name, source), SAMPLE_RATE)
        index = folder / "0000.parquet"
        files.write_parquet(index, pd.read_parquet(index).assign(degradation=step, degraded_from="", **columns))
        write_list([index], folder / LIST)
    source = table["source"] + f"+{step}"
    files.write_tsv(
        protocol(run, f"C1+{step}"), table.assign(source=source, trial_id=source + "_" + table["utterance_id"])
    )


@pytest.fixture(scope="module")
def ladder_run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = shutil.copytree(finished_run, tmp_path_factory.mktemp("ladder") / "run")
    degrade(run, STEP)
    return run


def test_by_default_plain_conditions_alone_are_published_and_the_card_says_so(
    ladder_run: Path, data_set: Path, tmp_path: Path
) -> None:
    publish(ladder_run, FACTS, Selection(), "hf", tmp_path / "set")
    assert not list((tmp_path / "set").rglob("*+*"))
    card, plain = ((folder / "README.md").read_text(encoding="utf-8") for folder in (tmp_path / "set", data_set))
    line = "- The run has laundering ladders, whose degraded clips are not in this data set.\n"
    assert card.replace(line, "") == plain != card
    assert check(tmp_path / "set").faults == []


@pytest.mark.parametrize("form", FORMS)
def test_steps_are_published_on_request_and_pass_the_check(form: str, ladder_run: Path, tmp_path: Path) -> None:
    data_set = publish(ladder_run, FACTS, Selection(parts=("C1", f"C1+{STEP}")), form, tmp_path / "both")
    assert f"C1+{STEP}" in data_set.parts
    assert check(tmp_path / "both").faults == []
    card = (tmp_path / "both/README.md").read_text(encoding="utf-8")
    assert f"Some parts are steps of laundering ladders, degraded alike for both keys: {STEP}." in card


def test_a_step_is_published_if_ladders_are_wanted_or_its_part_is_named(ladder_run: Path) -> None:
    step = f"C1+{STEP}"
    for selection, is_there in (
        (Selection(), False),
        (Selection(parts=("C1",), ladders=True), False),
        (Selection(ladders=True), True),
        (Selection(parts=(step,)), True),
    ):
        assert (step in publication.read(ladder_run, FACTS, selection).parts) == is_there


def test_the_twin_of_a_degraded_fake_is_its_recording_degraded_alike(ladder_run: Path) -> None:
    every = clips(ladder_run, Selection(ladders=True))
    fakes = [clip for clip in every.values() if clip.source == f"F01+{STEP}"]
    assert fakes and all(clip.twin_id == f"F00+{STEP}_{clip.utterance_id}" for clip in fakes)
    assert all(every[clip.twin_id].key == "bonafide" and not every[clip.twin_id].twin_id for clip in fakes)


def test_a_degraded_fake_that_is_called_bona_fide_is_found(ladder_run: Path, tmp_path: Path) -> None:
    publish(ladder_run, FACTS, Selection(ladders=True), "hf", tmp_path / "set")
    clip_id = next(name for name in clips(ladder_run, Selection(ladders=True)) if name.startswith(f"F01+{STEP}"))
    relabel(tmp_path / "set", clip_id, "bonafide")
    findings = check(tmp_path / "set")
    assert set(findings.numbers) == {"key", "count"}
    assert f"{clip_id} is bonafide, but was made from F00+{STEP}" in "\n".join(findings.lines())


def test_clips_have_the_license_of_a_second_codec_too(finished_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished_run, tmp_path / "run")
    second = {"second_codec": "dac", "second_quantizers": 4, "second_weights_sha256": "b" * 64}
    degrade(run, "codec-dac_4", **second, second_license="BSD-2-Clause")
    every = clips(run, Selection(ladders=True))
    recording = next(clip for clip in every.values() if clip.source == "F00+codec-dac_4" and clip.corpus == "english")
    assert recording.license == "CC-BY-4.0 AND BSD-2-Clause"


def test_clips_with_recorded_noise_are_withheld_unless_that_is_wanted(finished_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished_run, tmp_path / "run")
    degrade(run, "noise-musan_20", degraded_with="a.wav")
    data_set = publication.read(run, FACTS, Selection(ladders=True))
    assert {item.source for item in data_set.withheld} == {"F00+noise-musan_20", "F01+noise-musan_20"}
    assert all("unstated" in item.reason for item in data_set.withheld)
    assert not [clip for clip in data_set.clips() if "+" in clip.source]


@pytest.mark.parametrize(("options", "is_there"), [([], False), (["--ladders"], True)])
def test_the_command_publishes_ladders_on_request(
    options: list[str], is_there: bool, ladder_run: Path, tmp_path: Path
) -> None:
    form = ["--form", "arena", "--experiment", "tiny", "--licenses", "CC-BY-4.0", "Apache-2.0"]
    main(["publish", str(ladder_run), "--to", str(tmp_path / "set"), *form, *options])
    record = json.loads((tmp_path / "set/publication.json").read_text(encoding="utf-8"))
    assert (f"C1+{STEP}" in record["counts"]) == is_there
    assert record["selection"].get("ladders", False) == is_there
