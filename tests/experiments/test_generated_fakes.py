"""A1 to A3 in small, through lists, generators, protocols, scores, table and report."""

from pathlib import Path

import kills
import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from places import ROOT
from whole_runs import ON_CPU, digests, rerun, snakemake

from codecfake import generators
from codecfake.base import files
from codecfake.experiment import site

SMALL = Path(__file__).with_name("generated.yaml")
MADE = ("corpora/*/*", "audio/valle*/**/*.*", "audio/audiogen/**/*.*", "protocols/generation/*")


@pytest.fixture
def audiocaps(tmp_path: Path) -> str:
    """Six captions, of which two have lost their recordings; as an option of `--config`."""
    folder, rng = tmp_path / "audiocaps", np.random.default_rng(0)
    (folder / "audio").mkdir(parents=True)
    for number in range(4):
        soundfile.write(folder / f"audio/id{number}.wav", 0.1 * rng.standard_normal(16_000).clip(-5, 5), 16_000)
    rows = [f"{number},id{number},0,A dog barks {number} times" for number in range(6)]
    text = "\n".join(["audiocap_id,youtube_id,start_time,caption", *rows])
    (folder / "train.csv").write_text(f"{text}\n", encoding="utf-8")
    return f"corpora={{audiocaps: {folder}}}"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("xie2025", ["valle", "vallex"]),
        ("xie2025-official", ["valle", "vallex"]),
        ("wu2024", ["valle"]),
        ("leave-one-codec-out", []),
    ],
)
def test_the_papers_fakes_are_generated_by_default(name: str, made: list[str]) -> None:
    experiment = site.read_without_corpora({"experiment": name}, ROOT)
    assert list(experiment.generated()) == made


def test_all_fakes_of_the_papers_have_a_prefix() -> None:
    for name in ("xie2025", "wu2024"):
        corpora = site.read_without_corpora({"experiment": name}, ROOT, optional=True).corpora
        listed = {name: corpus.options.get("prefix") for name, corpus in corpora.items() if corpus.layout == "listed"}
        assert all(listed.values()) and len(set(listed.values())) == len(listed) == 3


def test_the_small_form_is_planned(tmp_path: Path, audiocaps: str) -> None:
    jobs = rerun(tmp_path, SMALL, config=(*ON_CPU, audiocaps))
    assert (jobs["generate_valle"], jobs["generate_vallex"], jobs["generate_audiogen"]) == (2, 1, 1)
    assert jobs["write_generation_list"] == jobs["list_generated"] == jobs["measure_generated"] == 3
    assert jobs["ingest_corpus"] == 2 and jobs["record"] == 3  # those on disk alone


def test_the_lists_alone_need_no_generator(tmp_path: Path, audiocaps: str) -> None:
    lists = rerun(tmp_path, SMALL, "generation_lists", config=(*ON_CPU, audiocaps))
    assert set(lists) == {
        *("synthesize_demo", "ingest_corpus", "read_captions", "write_generation_list", "generation_lists")
    }


@pytest.mark.long
def test_the_small_form_ends_in_its_table_and_report(tmp_path: Path, audiocaps: str, quick_jobs: None) -> None:
    done = snakemake(tmp_path, SMALL, "all", config=(*ON_CPU, audiocaps))
    assert done.returncode == 0, done.stdout + done.stderr
    eers = pd.read_csv(tmp_path / "results/tables/eer.csv")
    assert {"A1", "A2", "A3"} <= set(eers["condition"])
    trials = files.read_tsv(tmp_path / "results/protocols/eval/A3.tsv")
    assert trials["key"].value_counts().to_dict() == {"bonafide": 4, "spoof": 6}
    assert set(trials.loc[trials["key"] == "spoof", "trial_id"]) == {f"A3_Yid{number}" for number in range(6)}
    page = (tmp_path / "results/report.html").read_text(encoding="utf-8")
    assert "Generated fakes" in page and "toy_speech:build" in page and "A dog barks 0 times" in page
    # the size of batches is no setting of the result
    other = yaml.safe_load(SMALL.read_text(encoding="utf-8"))
    for name in ("valle", "vallex", "audiogen"):
        other["corpora"][name]["generation"]["batch_size"] = 1
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump(other), encoding="utf-8")
    for module in ("toy_speech.py", "toy_sounds.py"):
        (tmp_path / module).write_bytes(SMALL.with_name(module).read_bytes())
    changed = rerun(tmp_path, path, config=(*ON_CPU, audiocaps), options=["--rerun-triggers", "params"])
    assert not [rule for rule in changed if rule.startswith("generate_")]


@pytest.mark.long
def test_small_networks_of_our_own_go_the_same_way(tmp_path: Path, audiocaps: str, quick_jobs: None) -> None:
    generation = {
        corpus: {
            "generation": {
                "generator": name,
                "weights": "none",
                "model": generators.entry(name).small,
                "sampling": generators.entry(name).small_sampling,
            }
        }
        for corpus, name in (("valle", "valle"), ("audiogen", "audiogen"))
    }
    values = {"based_on": str(SMALL), "title": "Small networks", "corpora": {**generation, "vallex": None}}
    path = tmp_path / "networks.yaml"
    path.write_text(yaml.safe_dump({**values, "conditions": {"A2": None}}), encoding="utf-8")
    targets = [f"results/protocols/eval/{condition}.tsv" for condition in ("A1", "A3")]
    shards = [f"results/audio/{corpus}/F00/shards.tsv" for corpus in generation]
    done = snakemake(tmp_path, path, *targets, *shards, config=(*ON_CPU, audiocaps))
    assert done.returncode == 0, done.stdout + done.stderr
    trials = pd.concat(files.read_tsv(tmp_path / target) for target in targets)
    assert trials.loc[trials["key"] == "spoof", "corpus"].value_counts().to_dict() == {"audiogen": 6, "valle": 5}


@pytest.mark.slow
def test_a_killed_generation_continues_with_the_same_bytes(tmp_path: Path, quick_jobs: None) -> None:
    targets = ("results/corpora/valle/utterances.parquet", "results/corpora/vallex/utterances.parquet")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    done = snakemake(whole, SMALL, *targets)
    assert done.returncode == 0, done.stdout + done.stderr
    for _ in range(2):  # each time within another shard
        run = kills.start(killed, SMALL, *targets)
        assert run.stdout is not None
        assert any(": Generating " in line for line in run.stdout), "no shard was begun"
        kills.kill(run)
    done = snakemake(killed, SMALL, *targets)
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(killed, *MADE) == digests(whole, *MADE)
