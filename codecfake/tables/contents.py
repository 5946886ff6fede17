"""Speech and other sounds: the mean EER on each of detectors that were trained on either, or on both."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from codecfake.tables.error_rates import ErrorRates, write_csv
from codecfake.tables.settings import GROUP_COLUMNS, ContentGroup, TableSettings

CONTENTS = "contents"  # the name of the table
EERS = ["eer_percent", "eer_low_percent", "eer_high_percent"]
COLUMNS = [*GROUP_COLUMNS, "trained_on", "content", "spoofs", "conditions", "num_seeds", *EERS, "num_speakers"]


def write_contents(error_rates: ErrorRates, settings: TableSettings, output: Path) -> None:
    """Write `contents.csv`, if training sets differ in their content.

    A row has the mean over seeds and over the conditions of a group; `num_speakers` is the least of any of these.
    Conditions of a group share recordings, so that their errors are correlated, at most completely. Then the means of
    the bounds are the bounds of the mean; with less correlation, the interval is too wide, not too narrow.
    """
    if settings.contents.groups:
        rows = list(_rows(error_rates, settings))
        write_csv(output / f"{CONTENTS}.csv", pd.DataFrame(rows, columns=COLUMNS))


def _rows(error_rates: ErrorRates, settings: TableSettings) -> Iterator[dict[str, object]]:
    """Models in the order of the experiment, then groups in theirs; not of released weights, which have no content."""
    speakers = error_rates.models.groupby("condition")["num_speakers"].min()
    of_model = error_rates.seeds.set_index([*GROUP_COLUMNS, "condition"])
    for place in dict.fromkeys(tuple(name.split("/")[:3]) for name in settings.models):
        if place[1] in settings.contents.trained:
            trained_on = " and ".join(settings.contents.trained[place[1]])
            for group in settings.contents.groups:
                rows = of_model.loc[[(*place, name) for name in group.conditions]]
                values = {"trained_on": trained_on, **_of_group(rows, group)}
                values["num_speakers"] = int(speakers[group.conditions].min())
                yield {**dict(zip(GROUP_COLUMNS, place, strict=True)), **values}


def _of_group(rows: pd.DataFrame, group: ContentGroup) -> dict[str, object]:
    names = {"content": group.content, "spoofs": group.spoofs, "conditions": " ".join(group.conditions)}
    return {**names, "num_seeds": rows["num_seeds"].iloc[0], **rows[EERS].mean().to_dict()}
