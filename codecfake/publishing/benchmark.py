"""`eval.yaml`: the evaluation tasks of a data set, one per condition."""

from typing import Any

import yaml

from codecfake.publishing.catalog import BONAFIDE_PART, EVAL
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication

NAME = "eval.yaml"


def write(publication: Publication, output: Output) -> None:
    """Write the tasks; without a condition among the parts, there is no file."""
    conditions = [part for part, splits in publication.parts.items() if splits == [EVAL] and part != BONAFIDE_PART]
    tasks = [_task(part) for part in conditions]
    if tasks:
        values = {
            "name": publication.facts.title,
            "description": publication.facts.description.strip() or publication.facts.title,
            "evaluation_framework": "codecfake",
            "tasks": tasks,
        }
        output.write_text(NAME, yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=120))


def _task(part: str) -> dict[str, Any]:
    return {
        "id": part,
        "config": part,
        "split": EVAL,
        "field_spec": {"input": "audio", "target": "key"},
        "metrics": ["eer"],
    }
