"""Held-out codecs: the EER on a codec's fakes without that codec in training, beside the EER with it."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from codecfake.tables.error_rates import ErrorRates, write_csv
from codecfake.tables.settings import TableSettings

COLUMNS = [
    "detector", "strategy", "condition", "training_set", "num_seeds", "eer_percent", "num_sets_with_codec",
    "eer_with_codec_percent", "difference_percent_points",
]  # fmt: skip


def write_held_out(error_rates: ErrorRates, settings: TableSettings, output: Path) -> None:
    """Write `held_out.csv`; without codecs to hold out, it has no rows.

    `eer_with_codec_percent` is the mean over the training sets of the same detector and strategy that have the codec.
    """
    rows = sorted(_rows(error_rates.seeds, settings), key=lambda row: [str(row[name]) for name in COLUMNS[:4]])
    write_csv(output / "held_out.csv", pd.DataFrame(rows, columns=COLUMNS))


def _rows(table: pd.DataFrame, settings: TableSettings) -> Iterator[dict[str, object]]:
    for (detector, strategy, condition), rows in table.groupby(["detector", "strategy", "condition"]):
        of_set = rows.set_index("training_set")
        without = [name for name in of_set.index if condition in settings.held_out.get(str(name), [])]
        with_codec = [name for name in of_set.index if condition in settings.trained.get(str(name), [])]
        mean = of_set.loc[with_codec, "eer_percent"].mean()
        for name in without:
            eer = of_set.loc[name, "eer_percent"]
            values = (detector, strategy, condition, name, of_set.loc[name, "num_seeds"], eer, len(with_codec), mean)
            yield dict(zip(COLUMNS, (*values, eer - mean), strict=True))
