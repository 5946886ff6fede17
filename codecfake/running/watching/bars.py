"""The last line of progress in a job's log, as `codecfake.base.progress` writes it."""

import re
from dataclasses import dataclass
from pathlib import Path

TAIL = 8192  # bytes of a log that are read from its end
BAR = re.compile(r"^(?P<name>.*?): +\d+%\|.*\[(?P<elapsed>[\d:]+)<(?P<left>[\d:]+|\?), *(?P<rate>[^,\]]+)")
EPOCH = re.compile(r"\bepoch (\d+)/(\d+)$")  # a bar of one epoch: the job is all of them


@dataclass(frozen=True)
class Bar:
    line: str
    seconds: float  # that the whole of it takes
    left: float  # seconds


def last_bar(log: Path) -> Bar | None:
    """The newest bar of a log that knows how long it will take; None if it has none, or if there is no log."""
    found = (_bar(line) for line in reversed(tail(log)))
    return next((bar for bar in found if bar is not None), None)


def tail(log: Path) -> list[str]:
    """The last lines of a log that are not empty, oldest first; none if it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _bar(line: str) -> Bar | None:
    match = BAR.search(line)
    if match is None or match["left"] == "?":
        return None
    left, seconds = _seconds(match["left"]), _seconds(match["elapsed"]) + _seconds(match["left"])
    epoch = EPOCH.search(match["name"])
    if epoch is not None:
        at, last = map(int, epoch.groups())
        left, seconds = left + (last - at) * seconds, last * seconds
    return Bar(line.strip(), seconds, left)


def _seconds(clock: str) -> float:
    """Seconds of `mm:ss` or `hh:mm:ss`."""
    seconds = 0.0
    for part in clock.split(":"):
        seconds = 60 * seconds + int(part)
    return seconds
