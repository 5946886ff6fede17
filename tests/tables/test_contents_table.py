"""The table of speech and sounds: means over the conditions of each group, for each training set."""

from pathlib import Path

import pandas as pd
import pytest

from codecfake.base import files
from codecfake.tables import TableSettings, evaluate
from codecfake.tables.contents import write_contents
from codecfake.tables.settings import ContentGroup, Contents

MODELS = ["lcnn/speech/erm/seed1", "lcnn/speech/erm/seed2", "lcnn/both/erm/seed1", "aasist/released/erm/seed0"]
# scores of the spoofs of a condition: recordings have 0 and 1, and their speakers differ
SPOOFS = {"C1": -1.0, "S1": 0.5, "S2": 2.0, "A3": -1.0}
CONTENTS = Contents(
    trained={"speech": ["speech"], "both": ["speech", "sound"]},
    groups=[
        ContentGroup("speech", "coded", ["C1"]),
        ContentGroup("sound", "coded", ["S1", "S2"]),
        ContentGroup("sound", "not coded", ["A3"]),
    ],
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for condition, spoof in SPOOFS.items():
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


def table_of(run: Path, contents: Contents) -> Path:
    settings = TableSettings(MODELS, list(SPOOFS), resamples=10, contents=contents)
    write_contents(evaluate(run / "scores", run / "eval", settings), settings, run)
    return run / "contents.csv"


def test_a_row_is_the_mean_over_the_conditions_of_its_group(run: Path) -> None:
    table = pd.read_csv(table_of(run, CONTENTS))
    own = table[table["training_set"] == "speech"]
    assert list(own["conditions"]) == ["C1", "S1 S2", "A3"]
    assert list(own["eer_percent"]) == [0, (50 + 100) / 2, 0]
    assert set(own["num_seeds"]) == {2} and set(own["num_speakers"]) == {2}


def test_training_sets_say_what_they_have_and_released_weights_are_left_out(run: Path) -> None:
    table = pd.read_csv(table_of(run, CONTENTS))
    pairs = table[["training_set", "trained_on"]].drop_duplicates()
    assert list(pairs.itertuples(index=False, name=None)) == [("speech", "speech"), ("both", "speech and sound")]


def test_experiments_without_a_comparison_have_no_table(run: Path) -> None:
    assert not table_of(run, Contents()).exists()
