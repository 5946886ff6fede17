"""Corpora of others in an experiment: each is evaluated, and those with train lists are trained on."""

import shutil
from dataclasses import asdict
from pathlib import Path

import hub_parquet
import pandas as pd
import pytest
import yaml
from places import TINY
from released_corpora import RELEASED, Options, build

from codecfake import corpora
from codecfake.base.validation import ConfigurationError
from codecfake.experiment import reading, site
from codecfake.experiment.schema import Experiment
from codecfake.protocols import lists

WITH_SPLITS = ("asvspoof5", "spoofceleb", "codecfake_wu", "codecfake_plus_cors", "cdd")  # by: corpus
ALONE = ("wavefake", "esc50", "fsd50k")  # have one key alone
EVALUATED = [name for name in (*RELEASED, "parquet") if name not in ALONE]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Options, pd.DataFrame]]:
    """Layout -> options and the utterance table of such a corpus, as if its audio had been read."""
    result = {}
    for layout, (options, texts) in RELEASED.items():
        root = build(tmp_path_factory.mktemp(layout), texts)
        result[layout] = (options, table(layout, root, options))
    root = tmp_path_factory.mktemp("parquet")
    options = hub_parquet.benchmark(root)
    result["parquet"] = (options, table("parquet", root, options))
    return result


def table(layout: str, root: Path, options: Options) -> pd.DataFrame:
    utterances = corpora.layout(layout).utterances(root, options).utterances
    return pd.DataFrame([{"corpus": layout, **asdict(one)} for one in utterances])


def experiment(tmp_path: Path, layout: str, options: Options, split: dict[str, object] | None = None) -> Experiment:
    """The tiny experiment with a condition of the corpus, and a domain if there is a rule to split it by."""
    values: dict[str, object] = {
        "based_on": str(TINY),
        "title": layout,
        "corpora": {layout: {"layout": layout, "options": options}},
        "conditions": {"theirs": {"bonafide": {"corpus": layout}, "spoof": {"corpus": layout}}},
    }
    if split is not None:
        values["domains"] = {"theirs": {"corpora": [layout], "split": split}}
        values["training_sets"] = {"theirs": {"domains": ["theirs"], "epochs": 1}}
        values["models"] = [{"detectors": ["mel-lcnn"], "training_sets": ["theirs"]}]
    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return reading.load(path)


@pytest.mark.parametrize("layout", EVALUATED)
def test_a_released_corpus_is_a_condition_with_trials_of_both_keys(
    released: dict[str, tuple[Options, pd.DataFrame]], tmp_path: Path, layout: str
) -> None:
    options, rows = released[layout]
    settings = experiment(tmp_path, layout, options).condition_settings("theirs")
    trials = lists.condition(settings, {layout: rows})
    assert set(trials["key"]) == {"bonafide", "spoof"}
    assert set(trials["source"]) == {"F00"}
    eval_rows = rows[rows["split"] == "eval"] if rows["split"].notna().any() else rows
    assert set(trials["attack"]) == set(eval_rows["attack"])


@pytest.mark.parametrize("layout", [*WITH_SPLITS, "parquet"])
def test_a_released_corpus_with_splits_is_a_domain_to_train_on(
    released: dict[str, tuple[Options, pd.DataFrame]], tmp_path: Path, layout: str
) -> None:
    options, rows = released[layout]
    settings = experiment(tmp_path, layout, options, {"by": "corpus"}).partition_settings("theirs")
    parts = ("train", "dev") if layout != "parquet" else ("train",)  # whose data set has no dev split
    for split in parts:
        trials = lists.partition(settings, {layout: rows}, split)
        assert set(trials["key"]) == {"bonafide", "spoof"}
        assert set(trials["utterance_id"]) <= set(rows.loc[rows["split"] == split, "utterance_id"])


def test_the_train_and_dev_lists_of_codecfake_are_a_domain_and_its_conditions_are_corpora_of_one_list(
    tmp_path: Path,
) -> None:
    root = build(tmp_path / "root", RELEASED["codecfake"][1])
    options: Options = {"lists": ["train", "dev"]}
    rows = table("codecfake", root, options)
    settings = experiment(tmp_path, "codecfake", options, {"by": "corpus"}).partition_settings("theirs")
    assert {split: len(lists.partition(settings, {"codecfake": rows}, split)) for split in ("train", "dev")} == {
        "train": 3, "dev": 2,
    }  # fmt: skip
    c1 = table("codecfake", root, {"lists": ["C1"]})
    trials = lists.condition(experiment(tmp_path, "codecfake", {}).condition_settings("theirs"), {"codecfake": c1})
    assert trials["trial_id"].tolist() == ["p999_002", "F01_p999_002"]


def test_the_fakes_of_wavefake_are_evaluated_against_other_recordings(
    released: dict[str, tuple[Options, pd.DataFrame]],
) -> None:
    fakes, others = released["wavefake"][1], released["codecfake_wu"][1]
    settings = lists.ConditionSettings(lists.Side(["codecfake_wu"]), lists.Side(["wavefake"]))
    trials = lists.condition(settings, {"wavefake": fakes, "codecfake_wu": others})
    assert (trials["key"] == "spoof").sum() == len(fakes)


def test_a_split_by_speaker_keeps_the_fakes_of_mlaad_with_the_reading_that_they_imitate(tmp_path: Path) -> None:
    readers = "abcdef"
    rows = "".join(
        f"./x/m_{reader}.wav|en_US/by_book/male/reader_{reader}/b/wavs/{reader}.wav|en|True|1|-|m|vits|Hello.\n"
        for reader in readers
    )
    header = (
        "path|original_file|language|is_original_language|duration|training_data|model_name|architecture|transcript"
    )
    texts = {"fake/en/m/meta.csv": f"{header}\n{rows}", **{f"fake/en/m/m_{reader}.wav": "" for reader in readers}}
    originals = {f"M-AILABS/en_US/by_book/male/reader_{reader}/b/wavs/{reader}.wav": "" for reader in readers}
    options: Options = {"originals": "M-AILABS"}
    utterances = table("mlaad", build(tmp_path / "root", texts | originals), options)
    settings = experiment(tmp_path, "mlaad", options, {"by": "speaker", "dev": 0.3, "eval": 0.3})
    parts = {
        split: lists.partition(settings.partition_settings("theirs"), {"mlaad": utterances}, split)
        for split in ("train", "dev")
    }
    for trials in parts.values():
        assert (trials["key"] == "spoof").sum() == (trials["key"] == "bonafide").sum() == trials["speaker_id"].nunique()
    assert not set(parts["train"]["speaker_id"]) & set(parts["dev"]["speaker_id"])


def test_parts_of_corpora_that_are_missing_are_faults_before_the_first_job_all_at_once(tmp_path: Path) -> None:
    names = ("asvspoof5", "codecfake", "wavefake", "parquet")
    options: dict[str, Options] = {
        "codecfake": {"lists": ["C9"]},
        "wavefake": {"folders": ["ljspeech_hifigan"]},
        "parquet": hub_parquet.benchmark(tmp_path / "parquet") | {"columns": {"key": "labels"}},
    }
    for name in names[:3]:
        build(tmp_path / name, RELEASED[name][1])
    shutil.rmtree(tmp_path / "asvspoof5/flac_D")
    values = {
        "based_on": str(TINY),
        "title": "Released",
        "corpora": {name: {"layout": name, "options": options.get(name, {})} for name in names},
        "conditions": {name: {"bonafide": {"corpus": "asvspoof5"}, "spoof": {"corpus": name}} for name in names},
    }
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    config = {
        "experiment": str(tmp_path / "experiment.yaml"),
        "corpora": {name: str(tmp_path / name) for name in names},
    }
    with pytest.raises(ConfigurationError) as error:
        site.read(config, tmp_path)
    parts = ("recordings of split dev", "no list C9.txt", "no folder 'ljspeech_hifigan'", "no column 'labels'")
    for name, part, line in zip(names, parts, str(error.value).splitlines(), strict=True):
        assert f"corpora.{name}: " in line
        assert part in line


def test_the_trials_of_a_challenge_have_the_codecs_that_tables_group_them_by(
    released: dict[str, tuple[Options, pd.DataFrame]], tmp_path: Path
) -> None:
    options, rows = released["asvspoof2021la"]
    settings = experiment(tmp_path, "asvspoof2021la", options).condition_settings("theirs")
    trials = lists.condition(settings, {"asvspoof2021la": rows})
    assert set(trials["coding"]) == {"alaw", "opus"}
