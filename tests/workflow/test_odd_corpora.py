"""A whole run on corpora with the oddities of users' folders: each one is kept or named, and the rest is counted."""

from pathlib import Path
from typing import Any

import odd_corpora
import pandas as pd
import pytest
import yaml
from odd_corpora import Kept, Outcomes
from whole_runs import ON_CPU, snakemake

import codecfake
from codecfake.base import files, utterances

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("quick_jobs")]

EXPERIMENT: dict[str, Any] = {
    "title": "Odd",
    "seed": 1,
    "corpora": {
        "vctk": {"layout": "vctk", "options": {"microphones": ["mic2"]}},
        "own": {"layout": "listed", "options": {"table": "list.tsv"}},
        "in_the_wild": {"layout": "in_the_wild"},
        "loose": {"layout": "listed", "options": {"key": "bonafide", "language": "en"}},
        "aishell3": {"layout": "aishell3"},
    },
    "codecs": {"through": {"wrapper": "passthrough", "weights": "none", "sources": {"P00": {"quantizers": 1}}}},
    "domains": {"odd": {"corpora": ["vctk", "own"], "split": {"by": "speaker", "dev": 0.2, "eval": 0.4}}},
    "conditions": {
        "odd": {"bonafide": {"domain": "odd"}, "spoof": {"domain": "odd"}},
        "P00": {"bonafide": {"domain": "odd"}, "spoof": {"domain": "odd", "source": "P00"}},
        "ITW": {"bonafide": {"corpus": "in_the_wild"}, "spoof": {"corpus": "in_the_wild"}},
        "loose": {"bonafide": {"corpus": "loose"}, "spoof": {"domain": "odd"}},
        "zh": {"bonafide": {"corpus": "aishell3"}, "spoof": {"domain": "odd"}},
    },
    "audit": {"max_shortcut_auc": 1, "utterances": 10, "accepted": {"audio": "some recordings are there twice"}},
    "quality": {"utterances": 2},
    "detectors": {"mel-lcnn": {"front_end": {"name": "mel"}, "back_end": {"name": "lcnn", "width": 0.125}}},
    "training_sets": {"odd": {"domains": ["odd"], "epochs": 1}},
    "training": {"crop_samples": 8_000, "batch_size": 8, "learning_rate": 0.001},
    "models": [{"detectors": ["mel-lcnn"], "training_sets": ["odd"]}],
}  # fmt: skip
FAKES = 2 * len(odd_corpora.SPEAKERS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the corpora and of the experiment, with what shells and Snakemake take for their own."""
    return tmp_path_factory.mktemp("odd") / "My corpora' é {1} $x"


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> dict[str, Outcomes]:
    """Corpus -> what must become of each of its paths."""
    return {name: getattr(odd_corpora, name)(folder / name / "root") for name in EXPERIMENT["corpora"]}


@pytest.fixture(scope="module")
def run(folder: Path, outcomes: dict[str, Outcomes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the finished run."""
    directory, experiment = tmp_path_factory.mktemp("run") / "it's $x é", folder / "odd.yaml"
    limited = {name: {**corpus, "max_rejected": 0.9} for name, corpus in EXPERIMENT["corpora"].items()}
    experiment.write_text(yaml.safe_dump({**EXPERIMENT, "corpora": limited}))
    roots = {name: f"{folder / name / 'root'}/" for name in outcomes}
    process = snakemake(directory, experiment, "all", config=[*ON_CPU, f"corpora={yaml.safe_dump(roots)}"])
    assert process.returncode == 0, process.stdout + process.stderr
    return directory


def kept(outcomes: Outcomes) -> dict[str, Kept]:
    return {path: outcome for path, outcome in outcomes.items() if isinstance(outcome, Kept)}


@pytest.mark.parametrize("corpus", EXPERIMENT["corpora"])
def test_every_recording_is_kept_with_its_length_or_rejected_with_its_reason(
    run: Path, outcomes: dict[str, Outcomes], corpus: str
) -> None:
    table = utterances.read(run / f"results/corpora/{corpus}/utterances.parquet")
    sounds = {row.path: Kept(row.num_samples, row.sample_rate, row.channels) for row in table.itertuples()}
    assert sounds == kept(outcomes[corpus])
    rejected = dict(files.read_tsv(run / f"results/corpora/{corpus}/rejected.tsv").itertuples(index=False))
    assert set(rejected) == set(outcomes[corpus]) - set(sounds)
    for path, reason in rejected.items():
        assert outcomes[corpus][path] in reason, path


def test_every_kept_recording_is_in_one_list_and_every_person_in_one_split(
    run: Path, outcomes: dict[str, Outcomes]
) -> None:
    lists = codecfake.read_protocols(run)
    odd = lists[lists["protocol"].isin(["odd/train", "odd/dev", "eval/odd"])]
    assert len(odd) == odd["trial_id"].nunique() == len(kept(outcomes["vctk"])) + len(kept(outcomes["own"]))
    assert (odd["key"] == "spoof").sum() == FAKES
    assert (odd.groupby("speaker_id")["protocol"].nunique() == 1).all()
    assert set(odd.loc[odd["key"] == "spoof", "speaker_id"]) == set(odd_corpora.SPEAKERS)
    assert set(odd.loc[odd["corpus"] == "vctk", "speaker_id"]) == set(odd_corpora.SPEAKERS)


def test_the_table_counts_what_was_kept(run: Path, outcomes: dict[str, Outcomes]) -> None:
    eer = pd.read_csv(run / "results/tables/eer.csv").set_index("condition")
    in_eval = pd.read_csv(run / "results/protocols/eval/odd.tsv", sep="\t")["key"].value_counts()
    assert {name: (row["num_bonafide"], row["num_spoof"]) for name, row in eer.iterrows()} == {
        "odd": (in_eval["bonafide"], in_eval["spoof"]),
        "P00": (in_eval["bonafide"], in_eval["bonafide"]),
        "ITW": (2, 2),
        "loose": (len(kept(outcomes["loose"])), in_eval["spoof"]),
        "zh": (len(kept(outcomes["aishell3"])), in_eval["spoof"]),
    }


def test_the_error_rates_are_those_of_the_scores_and_the_control_is_undetectable(run: Path) -> None:
    eer = pd.read_csv(run / "results/tables/eer.csv").set_index("condition")["eer_percent"]
    for condition, trials in codecfake.read_scores(run).groupby("condition"):
        estimate = codecfake.eer(trials["score"], trials["key"], resamples=0).estimate
        assert eer[condition] == pytest.approx(100 * estimate)
    assert eer["P00"] == pytest.approx(50)


def test_the_audit_names_the_recording_that_is_there_twice(run: Path) -> None:
    duplicates = pd.read_csv(run / "results/audit/duplicates.csv").set_index(["first", "second"])
    twice = duplicates.loc[[("own/F00", "own/F00")]]
    assert (twice["same"] >= 2).all()
    overlap = pd.read_csv(run / "results/audit/overlap.csv")
    assert set(overlap.loc[overlap["verdict"] == "accepted", "why"]) <= {"some recordings are there twice"}


def test_the_report_counts_what_was_kept_and_rejected(run: Path, outcomes: dict[str, Outcomes]) -> None:
    page = (run / "results/report.html").read_text(encoding="utf-8").partition("<h2>Data</h2>")[2]
    for corpus, paths in outcomes.items():
        row = page.partition(f"<tr><th>{corpus}</th><td")[2].partition("</tr>")[0]
        assert f"<td>{len(kept(paths))}</td>" in row, corpus
        assert f"<td>{len(paths) - len(kept(paths))}</td>" in row, corpus
