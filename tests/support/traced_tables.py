"""Score files of source tracing as models might give them, and their tables."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.base import files
from codecfake.protocols.traced_quantities import TracedQuantity
from codecfake.tables.tracing import write_tracing
from codecfake.tables.tracing_settings import TracedTask, TracingTableSettings

MODEL = "mel-lcnn/seed1"
NUM_SPEAKERS = 12
QUANTITY = TracedQuantity("quantizers", {"F01": 4.0, "F02": 16.0})
CODECS = TracedTask([MODEL], {"recordings": ["F00"], "one": ["F01"], "two": ["F02"]}, conditions=["C1"])
WITHOUT_ONE = replace(CODECS, classes={"recordings": ["F00"], "two": ["F02"]}, unseen=["F01"])
WITHOUT_TWO = replace(CODECS, classes={"recordings": ["F00"], "one": ["F01"]}, unseen=["F02"])
NUMBERS = TracedTask([MODEL], regression=QUANTITY, unseen=["F00", "F03"], unseen_values={"F03": 8.0}, conditions=["C1"])
TASKS = {"codecs": CODECS, "codecs-without-one": WITHOUT_ONE, "codecs-without-two": WITHOUT_TWO, "numbers": NUMBERS}
SETTINGS = TracingTableSettings(TASKS, {"codecs": ["codecs-without-one", "codecs-without-two"]}, resamples=40)


def write_scores(root: Path, name: str, task: TracedTask, rng: np.random.Generator) -> None:
    """Outputs that are right but for noise; unseen sources have no class."""
    rows = []
    for source in [*task.training_sources, *task.unseen]:
        for speaker in range(NUM_SPEAKERS):
            truth = [float(source in sources) for sources in task.classes.values()]
            truth = truth or [np.log2({**QUANTITY.values, **task.unseen_values}.get(source, 1.0))]
            outputs = (np.array(truth) + rng.normal(scale=0.4, size=len(truth))).tolist()
            rows.append([f"{source}_s{speaker}", source, *outputs])
    files.write_tsv(
        root / f"scores/{name}/{MODEL}.tsv", pd.DataFrame(rows, columns=["trial_id", "source", *task.columns])
    )


def write(root: Path) -> Path:
    """Score files, one protocol, and the tables of `SETTINGS`; gives `root`."""
    rng = np.random.default_rng(3)
    rows = [
        (f"{source}_s{number}", f"s{number}", "english")
        for source in ("F00", "F01", "F02", "F03")
        for number in range(NUM_SPEAKERS)
    ]
    files.write_tsv(root / "eval/C1.tsv", pd.DataFrame(rows, columns=["trial_id", "speaker_id", "corpus"]))
    for name, task in TASKS.items():
        write_scores(root, name, task, rng)
    write_tracing(root / "scores", root / "eval", SETTINGS, root / "tables")
    return root
