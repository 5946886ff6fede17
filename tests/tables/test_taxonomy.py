"""Error rates by what codecs are made of: pooled over the sources of a kind, each recording once."""

from pathlib import Path

import pandas as pd
import pytest

from codecfake.base import files
from codecfake.tables import TableSettings
from codecfake.tables.taxonomy import write_taxonomy

MODEL = "mel-lcnn/codec/erm/seed1"
SCORES = {"b1": 3.0, "b2": 1.0, "F01_b1": 0.0, "F01_b2": -1.0, "F02_b1": 2.0, "F02_b2": 4.0, "P00_b1": 3.0}
CONDITIONS = {
    "C1": ["b1", "b2", "F01_b1", "F01_b2"], "again": ["b1", "b2", "F01_b1"], "C2": ["b1", "b2", "F02_b1", "F02_b2"],
    "P": ["b1", "P00_b1"],
}  # fmt: skip
KINDS = {
    "F01": {"quantizer": "rvq", "auxiliary": "none", "decoder": "time"},
    "F02": {"quantizer": "fsq", "auxiliary": "none", "decoder": "time"},
    "F03": {"quantizer": "rvq", "auxiliary": "none", "decoder": "frequency"},
}


def table(root: Path, kinds: dict[str, dict[str, str]]) -> pd.DataFrame:
    for condition, trials in CONDITIONS.items():
        rows = [
            {
                "trial_id": trial, "utterance_id": trial.split("_")[-1], "corpus": "vctk",
                "source": trial.split("_")[0] if "_" in trial else "F00",
                "key": "spoof" if "_" in trial else "bonafide",
            }
            for trial in trials
        ]  # fmt: skip
        files.write_tsv(root / "eval" / f"{condition}.tsv", pd.DataFrame(rows))
        scores = pd.DataFrame({"trial_id": trials, "score": [SCORES[trial] for trial in trials]})
        files.write_tsv(root / "scores" / MODEL / f"{condition}.tsv", scores)
    write_taxonomy(root / "scores", root / "eval", TableSettings([MODEL], list(CONDITIONS), kinds=kinds), root)
    return pd.read_csv(root / "taxonomy.csv", dtype={"kind": str}, keep_default_na=False).set_index(["by", "kind"])


def test_every_recording_counts_once_and_the_macro_average_weighs_sources_alike(tmp_path: Path) -> None:
    """F01 is below all bona fide trials. One of F02 is between them and one above."""
    rows = table(tmp_path, KINDS)
    assert set(rows.index) == {("quantizer", "rvq"), ("quantizer", "fsq"), ("auxiliary", "none"), ("decoder", "time")}
    counts = ["num_sources", "num_bonafide", "num_spoof"]
    assert rows.loc[("quantizer", "rvq"), counts].tolist() == [1, 2, 2]
    assert rows.loc[("decoder", "time"), counts].tolist() == [2, 2, 4]
    eers = {kind: float(rows.loc[("quantizer", kind), "eer_percent"]) for kind in ("rvq", "fsq")}
    assert eers == {"rvq": 0, "fsq": pytest.approx(50)}
    assert float(rows.loc[("decoder", "time"), "eer_percent"]) == pytest.approx(50)
    assert float(rows.loc[("decoder", "time"), "macro_average"]) == pytest.approx(sum(eers.values()) / 2)


def test_without_kinds_the_table_is_empty(tmp_path: Path) -> None:
    assert len(table(tmp_path, {})) == 0
