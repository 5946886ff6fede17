"""A domain split by lists of utterances: what the lists may look like, and what they do not share with the corpora."""

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from places import EXPERIMENTS, PUBLISHED
from snakemake.exceptions import WorkflowError

from codecfake.base.settings import from_json
from codecfake.base.text_files import TextError
from codecfake.experiment import reading
from codecfake.experiment.inputs import Inputs
from codecfake.experiment.jobs import Jobs
from codecfake.experiment.papers import Papers
from codecfake.protocols import lists, utterance_lists
from codecfake.protocols.lists import PartitionSettings, Split
from codecfake.protocols.splits import SplitError
from codecfake.protocols.utterance_lists import UtteranceListError
from codecfake.running import hooks
from codecfake.running.storage import Storage

NAMES = [f"SSB{place:03d}" for place in range(100)]


def table(names: list[str] = NAMES) -> dict[str, pd.DataFrame]:
    rows = {"utterance_id": names, "corpus": "aishell3", "speaker_id": "SSB", "key": "bonafide", "split": None}
    return {"aishell3": pd.DataFrame(rows)}


def write(path: Path, lines: list[str]) -> str:
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


def counts(rule: Split, tables: dict[str, pd.DataFrame] | None = None) -> dict[str, int]:
    rows = lists.split_utterances(["aishell3"], rule, tables or table())
    return rows["split"].value_counts().to_dict()


def eval_of(rule: Split) -> list[str]:
    rows = lists.split_utterances(["aishell3"], rule, table())
    return sorted(rows.loc[rows["split"] == "eval", "utterance_id"])


def test_the_eval_list_of_a_paper_leaves_the_rest_for_train_and_dev(tmp_path: Path) -> None:
    rule = Split(by="list", file={"eval": write(tmp_path / "eval.txt", NAMES[7:17])}, dev=0.2)
    assert counts(rule) == {"train": 70, "dev": 20, "eval": 10}
    assert eval_of(rule) == NAMES[7:17]
    other_seed = Split(by="list", file=rule.file, dev=0.2, seed=2)
    dev = [lists.split_utterances(["aishell3"], one, table())["split"].eq("dev") for one in (rule, other_seed)]
    assert not dev[0].equals(dev[1])


def test_the_draw_does_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    rule = Split(by="list", file={"eval": write(tmp_path / "eval.txt", NAMES[:10])})
    rows = [lists.split_utterances(["aishell3"], rule, table(names)) for names in (NAMES, NAMES[::-1])]
    first, second = (one.set_index("utterance_id")["split"] for one in rows)
    assert first.equals(second[first.index])


@pytest.mark.parametrize(
    "lines",
    [
        [*NAMES[:5], *NAMES[5:10]],
        [f"{name}.wav" for name in NAMES[:10]],
        [f"data/{name}.flac" for name in NAMES[:10]],
        [f"{name} eval" for name in NAMES[:10]],
        ["utterance_id\tsplit", *(f"{name}\ttest" for name in NAMES[:10])],
        [f"{name},evaluation" for name in NAMES[:10]],
        [f"{name}.wav real 0" for name in NAMES[:10]] + [f"F01_{name}.wav fake 1" for name in NAMES[:10]],
        [f"{name}.wav 0.5 real" for name in NAMES[:10]],
    ],
)
def test_every_form_of_a_list_is_read(tmp_path: Path, lines: list[str]) -> None:
    rule = Split(by="list", file={"eval": write(tmp_path / "list.txt", lines)})
    assert eval_of(rule) == NAMES[:10]


def test_lists_of_all_splits_leave_out_what_they_do_not_name(tmp_path: Path) -> None:
    words = ["train"] * 60 + ["dev"] * 10 + ["eval"] * 20
    lines = [f"{name} {split}" for name, split in zip(NAMES, words, strict=False)]
    assert counts(Split(by="list", file=write(tmp_path / "list.txt", lines))) == {"train": 60, "dev": 10, "eval": 20}


def test_utterances_in_no_list_are_in_train_if_dev_is_listed(tmp_path: Path) -> None:
    files = {"dev": write(tmp_path / "dev.txt", NAMES[:5]), "eval": write(tmp_path / "eval.txt", NAMES[5:20])}
    assert counts(Split(by="list", file=files)) == {"train": 80, "dev": 5, "eval": 15}  # type: ignore[arg-type]


def test_fakes_that_are_recordings_of_the_corpus_are_split_as_listed(tmp_path: Path) -> None:
    lines = [f"{name}.wav real 0" for name in NAMES[:10]] + [f"F01_{name}.wav fake 1" for name in NAMES[:10]]
    rule = Split(by="list", file={"eval": write(tmp_path / "eval.txt", lines)})
    tables = table([*NAMES, *(f"F01_{name}" for name in NAMES)])
    rows = lists.split_utterances(["aishell3"], rule, tables)
    assert (rows["split"] == "eval").sum() == 20


def test_missing_utterances_are_an_error_that_counts_and_names_them(tmp_path: Path) -> None:
    file = {"eval": write(tmp_path / "eval.txt", [*NAMES[:6], "X1", "X2", "X3", "X4"])}
    with pytest.raises(
        SplitError, match=r"4 \(X1, X2, X3, …\) of the 10 listed utterances are not in aishell3; .*allow"
    ):
        counts(Split(by="list", file=file))  # type: ignore[arg-type]
    assert counts(Split(by="list", file=file, max_missing=0.4))["eval"] == 6  # type: ignore[arg-type]


def test_nothing_left_for_training_is_an_error(tmp_path: Path) -> None:
    file = {"eval": write(tmp_path / "eval.txt", NAMES[:90])}
    with pytest.raises(SplitError, match="the lists leave 10 utterances, none of them to train on"):
        counts(Split(by="list", file=file, dev=0.1))  # type: ignore[arg-type]


def test_the_log_names_what_lists_and_corpora_do_not_share(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    lines = [f"{name} {split}" for name, split in zip(NAMES, ["train", "dev", "eval"] * 30, strict=False)]
    file = write(tmp_path / "list.txt", [*lines, "X1 eval"])
    rows = table()["aishell3"].assign(language="zh", text=None, path="-", attack="-")
    rows = rows.assign(sample_rate=16000, channels=1, num_samples=1, sha256="0")
    (tmp_path / "aishell3").mkdir()
    rows.to_parquet(tmp_path / "aishell3/utterances.parquet")
    settings = PartitionSettings(["aishell3"], Split(by="list", file=file, max_missing=0.1), ["F01"])
    with caplog.at_level(logging.INFO):
        lists.write_partition(settings, tmp_path, tmp_path / "protocols", "codec")
    assert "1 (X1) listed, but not in the corpora: left out" in caplog.text
    assert "10 (SSB090, SSB091, SSB092, …) in no list: left out" in caplog.text
    assert len((tmp_path / "protocols/codec/dev.tsv").read_text().splitlines()) == 1 + 2 * 30


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"eval": ["a x", "b x"]}, r"eval:1: 'a x' is no line of a list; write a name, a name and its split"),
        ({"eval": ["a", "b eval"]}, r"eval:2: 2 columns, but the lines above have 1"),
        ({"eval": ["a", "x/a.wav"]}, r"eval:2: 'a' is listed twice \(also .*eval:1\)"),
        ({"dev": ["a"], "eval": ["a"]}, r"eval:1: 'a' is listed twice \(also .*dev:1\)"),
        ({"eval": ["a dev"]}, r"eval:1: 'a' is of dev, but the file is given for eval"),
        ({"dev": ["a"]}, "no utterance of eval; a list of eval is needed"),
        ({"train": ["a"], "eval": ["b"]}, "utterances of train and eval, but none of dev; list these too"),
        ({"eval": ["a fake 1"]}, "all names are labeled as fakes; list bona fide utterances"),
        ({"eval": []}, "the file is empty; a line is a name, "),
    ],
)
def test_files_that_are_no_lists_are_errors(tmp_path: Path, files: dict[str, list[str]], message: str) -> None:
    with pytest.raises(UtteranceListError, match=message):
        utterance_lists.read({split: write(tmp_path / split, lines) for split, lines in files.items()})  # type: ignore[misc]


def test_a_list_of_names_alone_must_be_given_for_a_split(tmp_path: Path) -> None:
    file = write(tmp_path / "names.txt", NAMES)
    with pytest.raises(UtteranceListError, match=r"'SSB000' has no split; .*`file: \{eval: names.txt\}`"):
        utterance_lists.read(file)
    with pytest.raises(TextError, match="no such file"):
        utterance_lists.read(str(tmp_path / "absent.txt"))


def test_the_shares_of_a_plan_are_those_of_the_lists(tmp_path: Path) -> None:
    read = utterance_lists.read({"eval": write(tmp_path / "eval.txt", NAMES[:30])})
    shares = utterance_lists.shares(read, dev=0.1, num_utterances=300)
    assert shares == pytest.approx({"train": 0.8, "dev": 0.1, "eval": 0.1})


EXPERIMENT = """
based_on: tiny
title: Lists
domains:
  codec: {split: {by: list, file: %s}}
"""


def write_experiment(folder: Path, file: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(EXPERIMENT % file)
    return path


def test_a_list_beside_the_experiment_is_an_input_of_its_jobs(tmp_path: Path) -> None:
    write(tmp_path / "eval.txt", NAMES)
    experiment = reading.load(write_experiment(tmp_path, "{eval: eval.txt}"))
    inputs = Inputs(experiment)
    assert str(tmp_path / "eval.txt") in inputs.of_partition("codec")
    of_codec = [name for name, rule in experiment.conditions.items() if rule.bonafide.domain == "codec"]
    assert all(str(tmp_path / "eval.txt") in inputs.of_condition(name) for name in of_codec)
    text = Jobs(experiment, Papers(experiment, PUBLISHED), {}).write_partition("codec").text
    assert from_json(PartitionSettings, text).split.file == {"eval": "eval.txt"}
    assert str(tmp_path) not in text  # an experiment may move


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("absent.txt", "domains.codec.split.file: .*absent.txt: no such file"),
        ("{evl: eval.txt}", "domains.codec.split.file: "),
        ("null", "`by: list` needs `file`, and `file` needs `by: list`"),
    ],
)
def test_faults_of_lists_are_found_before_the_first_job(tmp_path: Path, file: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reading.load(write_experiment(tmp_path, file))


def test_experiments_without_lists_keep_the_text_of_their_jobs() -> None:
    experiment = reading.load(EXPERIMENTS / "tiny.yaml")
    text = Jobs(experiment, Papers(experiment, PUBLISHED), {}).write_partition("codec").text
    assert "file" not in text
    assert "missing" not in text


def test_a_run_whose_lists_do_not_fit_its_corpora_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The utterances of demo corpora are known before they are synthesized, those of others once they are ingested."""
    write(tmp_path / "eval.txt", ["nobody"])
    experiment = reading.load(write_experiment(tmp_path, "{eval: eval.txt}"))
    monkeypatch.chdir(tmp_path)
    place = SimpleNamespace(experiment=experiment, check_disk=True, device="cpu", roots={})
    workflow = SimpleNamespace(dag=SimpleNamespace(needrun_jobs=lambda: []))
    others: dict[str, Any] = dict.fromkeys(("papers", "jobs", "gpus"))
    storage = Storage(SimpleNamespace(storage_settings=None))
    run = hooks.Run(workflow, place, **others, storage=storage, is_module=False)  # type: ignore[arg-type]
    with pytest.raises(WorkflowError, match=r"1 \(nobody\) of the 1 listed utterances are not in english, mandarin"):
        run._require_room()
