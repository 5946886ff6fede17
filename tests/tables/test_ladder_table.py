"""The table of laundering ladders: step 0 is the plain condition, and steps keep the order of the experiment."""

from pathlib import Path

import pandas as pd
import pytest

from codecfake.base import files
from codecfake.tables import TableSettings, evaluate
from codecfake.tables.ladder import steps, write_ladder

MODELS = ["mel-lcnn/codec/erm/seed1", "mel-lcnn/codec/erm/seed2"]
SPOOF_SCORES = {"C1": -1.0, "C1+noise_20": 0.5, "C1+noise_0": 2.0, "C1+g711_alaw": -1.0}  # recordings have 0 and 1
LADDERS = {"C1": ["noise_20", "noise_0", "g711_alaw"]}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for condition, spoof in SPOOF_SCORES.items():
        scores = {"b1": 0.0, "b2": 1.0, "s1": spoof, "s2": spoof}
        rows = [
            {"trial_id": name, "utterance_id": name, "source": "F00", "corpus": "any", "speaker_id": name[1],
             "key": "bonafide" if name[0] == "b" else "spoof", "language": "en", "attack": "-"}
            for name in scores
        ]  # fmt: skip
        files.write_tsv(tmp_path / f"eval/{condition}.tsv", pd.DataFrame(rows))
        for model in MODELS:
            table = pd.DataFrame({"trial_id": list(scores), "score": list(scores.values())})
            files.write_tsv(tmp_path / "scores" / model / f"{condition}.tsv", table)
    return tmp_path


def table_of(run: Path, ladders: dict[str, list[str]]) -> Path:
    settings = TableSettings(MODELS, list(SPOOF_SCORES), resamples=10, ladders=ladders)
    write_ladder(evaluate(run / "scores", run / "eval", settings), settings, run)
    return run / "ladder.csv"


def test_every_step_has_the_error_rate_of_its_condition(run: Path) -> None:
    table = pd.read_csv(table_of(run, LADDERS), keep_default_na=False)
    assert list(zip(table["kind"], table["step"], table["value"], strict=True)) == [
        ("noise", 0, ""), ("noise", 1, "20"), ("noise", 2, "0"), ("g711", 0, ""), ("g711", 1, "alaw"),
    ]  # fmt: skip
    assert list(table["eer_percent"]) == [0, 50, 100, 0, 0]
    assert set(table["num_seeds"]) == {2}


def test_a_run_without_ladders_has_no_table(run: Path) -> None:
    assert not table_of(run, {}).exists()


def test_other_tables_are_of_plain_conditions() -> None:
    settings = TableSettings(MODELS, list(SPOOF_SCORES), ladders=LADDERS).without_ladders()
    assert (settings.conditions, settings.ladders) == (["C1"], {})


def test_a_value_may_be_negative() -> None:
    assert list(steps({"C1": ["noise_-5"]})) == [("C1", "noise", 0, ""), ("C1", "noise", 1, "-5")]
