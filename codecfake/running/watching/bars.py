"""The last line of progress in a job's log, as `codecfake.base.progress` writes it."""

import re
from dataclasses import dataclass
from pathlib import Path

TAIL = 8192  # read from the end of a log
BAR = re.compile(r"^(?P<name>.*?): +\d+%\|.*\[(?P<elapsed>[\d:]+)<(?P<left>[\d:]+|\?), *(?P<rate>[^,\]]+)")
EPOCH = re.compile(r"\bepoch (\d+)/(\d+)$")  # a bar of one epoch, not of the whole job


@dataclass(frozen=True)
class Bar:
    line: str
    seconds: float  # that the whole of it takes
    remaining: float  # seconds


def last_bar(log: Path) -> Bar | None:
    """The newest bar of a log with a remaining time; None without one, or without a log."""
    bars = (_bar(line) for line in reversed(tail(log)))
    return next((bar for bar in bars if bar is not None), None)


def tail(log: Path) -> list[str]:
    """The last non-empty lines of a log, oldest first; none if it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.rstrip() for line in re.split(r"[\r\n]", text) if line.strip()]


def _bar(line: str) -> Bar | None:
    match = BAR.search(line)
    if match is None or match["left"] == "?":
        return None
    remaining, seconds = _seconds(match["left"]), _seconds(match["elapsed"]) + _seconds(match["left"])
    epoch = EPOCH.search(match["name"])
    if epoch is not None:
        at, last = map(int, epoch.groups())
        remaining, seconds = remaining + (last - at) * seconds, last * seconds
    return Bar(line.strip(), seconds, remaining)


def _seconds(clock: str) -> float:
    """Seconds of `mm:ss` or `hh:mm:ss`."""
    seconds = 0.0
    for part in clock.split(":"):
        seconds = 60 * seconds + int(part)
    return seconds
