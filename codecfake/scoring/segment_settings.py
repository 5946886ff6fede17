"""Settings of scores by segment; no torch is imported here."""

from dataclasses import dataclass
from typing import Annotated

from codecfake.base.settings import Range, fault


@dataclass(frozen=True)
class SegmentSettings:
    """The segments of an utterance, and their keys."""

    window: Annotated[float, Range(least=0.02)] = 0.5  # seconds
    hop: Annotated[float, Range(least=0.01)] = 0.25  # seconds between the starts of windows
    spoof_share: Annotated[float, Range(least=0, most=1)] = 0  # coded share from which a segment is a spoof; 0: any

    def __post_init__(self) -> None:
        if self.hop > self.window:
            raise fault(f"{self.hop:g} s, but windows of {self.window:g} s would leave gaps; lower it", "hop")
