"""The progress of a run as text: one line for a log, and a table with a row for every rule."""

from collections.abc import Iterable, Iterator

from codecfake.running.watching.bars import tail
from codecfake.running.watching.forecast import Forecast, forecast
from codecfake.running.watching.jobs import LOGS, RESULTS, Job, Run, State
from codecfake.running.watching.work import AUDIO, Work, work_of

HEADINGS = ("rule", "done", "at work", "to come", "a job", "rate")
MOST_RULES = 4  # rules that are named


def line(run: Run, elapsed: float) -> str:
    """One line on a run that started `elapsed` seconds ago: finished jobs, remaining time, speed of resynthesis."""
    num_complete, num_active = len(run.of(State.COMPLETE)), len(run.of(State.ACTIVE))
    parts = [f"{num_complete} of {len(run.jobs)} jobs done", f"{num_active} at work", f"{duration(elapsed)} so far"]
    if num_complete < len(run.jobs):
        parts.append(_remaining(forecast(run, elapsed)))
    resynthesis = rate(run, (job for job in run.of(State.COMPLETE) if job.rule.startswith("resynthesize_")))
    if resynthesis:
        parts.append(f"resynthesis at {resynthesis} in a job")
    return ", ".join(parts)


def table(run: Run) -> str:
    """One row per rule (jobs, mean time and speed of finished ones), then the last lines of running jobs."""
    rules = dict.fromkeys(job.rule for job in sorted(run.jobs, key=lambda job: job.state is not State.COMPLETE))
    rows = [HEADINGS, *(_row(run, rule) for rule in rules)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADINGS))]
    aligned = ("  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows)
    return "\n".join([*aligned, *_last_lines(run)])


def rate(run: Run, jobs: Iterable[Job]) -> str:
    """The speed of finished jobs, in their unit per second; empty if nothing is counted."""
    work_and_records = [(work_of(run.directory / RESULTS, job.name), job.record) for job in jobs]
    pairs = [(work, record.seconds) for work, record in work_and_records if work is not None and record is not None]
    seconds = sum(time for _, time in pairs)
    return rate_of(Work(sum(work.amount for work, _ in pairs), pairs[0][0].unit), seconds) if seconds else ""


def rate_of(work: Work, seconds: float) -> str:
    """`12.3 s of audio/s`, and per hour where that would be a small fraction."""
    number = work.amount / seconds
    if number < 0.1 and work.unit != AUDIO:
        return f"{_short(3600 * number)} {work.unit}/h"
    return f"{_short(number)} {work.unit}/s"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 10 s`, `2 h 5 min`, `4 d 3 h`: the two largest units."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    place = next(place for place, (_, size) in enumerate(units) if round(seconds) >= size)
    (large, size), (small, part) = units[place : place + 2]
    whole, rest = divmod(round(seconds / part), size // part)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _remaining(rest: Forecast) -> str:
    rules = ", ".join(rest.unknown[:MOST_RULES]) + ("…" if len(rest.unknown) > MOST_RULES else "")
    if not rest.unknown:
        return f"about {duration(rest.seconds)} left"
    head = f"about {duration(rest.seconds)} left, and as long as" if rest.seconds else "left: as long as"
    return f"{head} {rules} will take"


def _row(run: Run, rule: str) -> tuple[str, ...]:
    jobs = {state: [job for job in run.of(state) if job.rule == rule] for state in State}
    times = [job.record.seconds for job in jobs[State.COMPLETE] if job.record is not None]
    counts = [str(len(jobs[state]) or "") for state in (State.COMPLETE, State.ACTIVE, State.TO_COME)]
    return (rule, *counts, duration(sum(times) / len(times)) if times else "", rate(run, jobs[State.COMPLETE]))


def _last_lines(run: Run) -> Iterator[str]:
    jobs = run.of(State.ACTIVE)
    if jobs:
        yield "\nAt work:" if run.is_at_work else "\nStarted but not finished:"
    for job in jobs:
        lines = tail(run.directory / LOGS / f"{job.name}.log")
        yield f"  {job.name}: {' '.join(lines[-1].split()) if lines else '(no output yet)'}"
