"""The settings of one job, and the JSON text that its command gets: the same text for the same settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from codecfake.base.settings import build

T = TypeVar("T")


@dataclass(frozen=True)
class Job(Generic[T]):
    """The settings of one job, and the JSON text for its command."""

    settings: T
    text: str


def job(settings: type[T], values: Mapping[str, Any]) -> Job[T]:
    """Raises ValueError where the job itself would refuse its settings."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False)
    return Job(build(settings, values), text)


def filled(values: dict[str, Any]) -> dict[str, Any]:
    """The values that are not empty, so that the text of runs without them stays the same."""
    return {key: value for key, value in values.items() if value}
