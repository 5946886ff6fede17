"""Settings of ingest."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from codecfake.base.settings import Range, SettingsError

Share = Annotated[float, Range(least=0, most=1)]


@dataclass(frozen=True)
class IngestSettings:
    """A corpus, its layout with the layout's options, and the requirements on its recordings."""

    corpus: str
    layout: str
    options: dict[str, Any] = field(default_factory=dict)
    max_rejected: float = 0.01  # share of the listed utterances, in [0, 1]
    min_duration: float = 0.1  # seconds
    deadline: float = 60.0  # seconds to read and decode one file

    def __post_init__(self) -> None:
        if not 0 <= self.max_rejected <= 1:
            raise SettingsError(f"max_rejected is a share in [0, 1], not {self.max_rejected}")
        if self.deadline <= 0:
            raise SettingsError(f"deadline is a time in seconds, more than 0, not {self.deadline}")


@dataclass(frozen=True)
class GeneratedSettings:
    """A corpus of fakes that a generator made, and the requirement on its shards."""

    corpus: str
    max_rejected: Share = 0.01  # of the items of its generation list
