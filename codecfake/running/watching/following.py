"""Prints the progress of a run repeatedly, from another process or among the run's own lines."""

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from codecfake.running.watching.failures import failures
from codecfake.running.watching.jobs import Run, State, WatchError, read_run
from codecfake.running.watching.text import line, table

CLEAR = "\033[H\033[2J"  # a terminal's: go to the top and clear the screen


def watch(directory: Path, every: float | None) -> None:
    """Print the progress of the run in `directory`; with `every`, repeat after that many seconds until it ends.

    A terminal shows only the newest state, a file all of them. Raises WatchError if no run has started there.
    """
    while True:
        run = read_run(directory)
        print(CLEAR if every and sys.stdout.isatty() else "", describe(run), sep="", flush=True)
        if every is None or not run.is_at_work:
            return
        time.sleep(every)


def describe(run: Run) -> str:
    """The state of a run: a line, a table, and the failed jobs if no run is at work."""
    parts = [time.strftime("%Y-%m-%d %H:%M:%S: ") + line(run, _elapsed(run)), table(run)]
    if not run.is_at_work:
        parts += [
            "All jobs are done." if len(run.of(State.COMPLETE)) == len(run.jobs) else "No run is at work.",
            failures(run),
        ]
    return "\n\n".join(part for part in parts if part)


def narrate(directory: Path, say: Callable[[str], None], every: float) -> None:
    """Print the progress of a run every `seconds`, from a separate thread, as long as the process lives."""
    threading.Thread(target=_narrate, args=(directory, say, every), daemon=True).start()


def _narrate(directory: Path, say: Callable[[str], None], every: float) -> None:
    while True:
        time.sleep(every)
        try:
            run = read_run(directory)
            say(f"Watch: {line(run, _elapsed(run))}")
        except (OSError, WatchError) as error:  # a file system may be unavailable for a while, a folder may be deleted
            say(f"Watch: {error}")


def _elapsed(run: Run) -> float:
    """Seconds since a run started; 0 if clocks disagree."""
    return max(0.0, time.time() - run.started)
