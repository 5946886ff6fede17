"""Label policies: the plan of the experiment, and a whole small run in which policies change keys and no audio."""

from pathlib import Path

import pandas as pd
import pytest
from places import ROOT
from whole_runs import digests, rerun, snakemake

from codecfake.base import files
from codecfake.experiment import site

SMALL = Path(__file__).with_name("small-label-policy.yaml")
POLICIES = ["coded-is-spoof", "coded-is-bonafide", "by-purpose"]
TWIN = ["corpus", "utterance_id"]
AUDIO = ("audio/**/*.tar", "audio/**/*.parquet")


def test_domains_differ_in_their_labels_alone() -> None:
    domains = site.read_without_corpora({"experiment": "label-policy"}, ROOT).domains
    assert list(domains) == POLICIES
    for domain in domains.values():
        assert (domain.corpora, domain.sources) == (["english", "vocoder"], ["T01", "G01"])
        assert domain.split == domains[POLICIES[0]].split
    assert len({str(domain.labels) for domain in domains.values()}) == len(POLICIES)


@pytest.mark.long
def test_the_small_form_judges_the_same_audio_under_every_policy(tmp_path: Path, quick_jobs: None) -> None:
    process = snakemake(tmp_path, SMALL, "all")
    assert process.returncode == 0, process.stdout + process.stderr
    _check_table(tmp_path / "results")
    for policy in POLICIES:
        _check_twins(tmp_path / "results/protocols" / policy / "train.tsv")
    assert "By label policy" in (tmp_path / "results/report.html").read_text(encoding="utf-8")

    before = digests(tmp_path, *AUDIO)
    other = tmp_path / "other.yaml"
    changes = "domains: {by-purpose: {labels: {coded_bonafide: bonafide}}}"
    other.write_text(f"based_on: {SMALL}\n{changes}\n", encoding="utf-8")
    jobs = rerun(tmp_path, other)
    assert "write_partition" in jobs
    assert not [name for name in jobs if name.startswith(("resynthesize", "record", "list_shards"))]
    process = snakemake(tmp_path, other, "protocols")
    assert process.returncode == 0, process.stdout + process.stderr
    assert digests(tmp_path, *AUDIO) == before


def _check_table(results: Path) -> None:
    table = pd.read_csv(results / "tables/label_policy.csv")
    assert list(table["policy"].unique()) == POLICIES
    assert set(table["source"]) == {"all", "T01", "G01"}
    trials = table.groupby("source")[["num_bonafide", "num_spoof", "num_excluded"]].sum().sum(axis=1)
    models = len(POLICIES)
    for source, number in trials.items():
        one = table[table["source"] == source].iloc[0]
        own = one["num_bonafide"] + one["num_spoof"] + one["num_excluded"]
        assert number == own * models * len(POLICIES)  # the same trials in every row
    changed = table[table["source"] == "all"].groupby("policy")["num_changed"].first()
    assert 0 == changed["coded-is-spoof"] < changed["by-purpose"] < changed["coded-is-bonafide"]


def _check_twins(protocol: Path) -> None:
    """Every coded trial has its recording, with the original key, in the same list."""
    trials = files.read_tsv(protocol)
    recorded = trials[trials["source"] == "F00"].set_index(TWIN)["key"]
    coded = trials[trials["source"] != "F00"]
    assert set(coded["original_key"]) == {"bonafide", "spoof"}
    assert recorded.reindex(pd.MultiIndex.from_frame(coded[TWIN])).tolist() == coded["original_key"].tolist()
