"""A run on corpora of others: trained on a data set in parquet files, evaluated on a challenge through codecs."""

from pathlib import Path

import hub_parquet
import pandas as pd
import pytest
import whole_runs
import yaml
from places import TINY

EXPERIMENT = {
    "title": "Released corpora",
    "corpora": {
        "hub": {"layout": "parquet", "options": {}, "shards": 2},
        "la21": {"layout": "asvspoof2021la"},
    },
    "codecs": {},
    "domains": {"hub": {"corpora": ["hub"], "split": {"by": "corpus"}}},
    "conditions": {"LA21": {"bonafide": {"corpus": "la21"}, "spoof": {"corpus": "la21"}}},
    "training_sets": {"hub": {"domains": ["hub"], "epochs": 1}},
    "models": [{"detectors": ["mel-lcnn"], "training_sets": ["hub"]}],
}


def challenge(root: Path) -> None:
    """Trials of both keys through two codecs."""
    keys, audio = root / "keys/LA/CM/trial_metadata.txt", root / "ASVspoof2021_LA_eval/flac"
    keys.parent.mkdir(parents=True)
    audio.mkdir(parents=True)
    lines = []
    for number in range(16):
        label, codec = ("bonafide", "spoof")[number % 2], ("alaw", "opus")[number // 2 % 2]
        lines.append(f"LA_90{number % 4} LA_E_{number} {codec} ita_tx A0{7 + number % 3} {label} notrim eval\n")
        (audio / f"LA_E_{number}.flac").write_bytes(hub_parquet.flac(100 + number, 16_000))
    keys.write_text("".join(lines))


@pytest.mark.long
def test_a_run_reads_rows_of_parquet_files_and_its_tables_have_a_row_for_each_codec(
    tmp_path: Path, quick_jobs: None
) -> None:
    challenge(tmp_path / "la21")
    options = hub_parquet.benchmark(tmp_path / "hub") | {"splits": {"train": "train", "test": "dev"}}
    tiny = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    values = {**EXPERIMENT, **{key: tiny[key] for key in ("detectors", "training", "audit")}}
    values["corpora"]["hub"]["options"] = options
    (tmp_path / "experiment.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    roots = {name: str(tmp_path / name) for name in ("hub", "la21")}
    process = whole_runs.snakemake(
        tmp_path / "run", tmp_path / "experiment.yaml", "all",
        config=(*whole_runs.ON_CPU, f"corpora={roots}"),
    )  # fmt: skip
    assert process.returncode == 0, process.stdout + process.stderr
    groups = pd.read_csv(tmp_path / "run/results/tables/eer_groups.csv")
    assert {*groups.loc[groups["by"] == "coding", "group"]} == {"alaw", "opus"}
    assert {*groups.loc[groups["by"] == "attack", "group"]} == {"A07", "A08", "A09"}
