"""Which tests cost the machine most: with `--processor-time`, a table of the processor time of every test file.

Processor time is the time of user and system, of this process and of the children that it waited for, threads included;
unlike the time on the wall it hardly depends on what else the machine does. Importing a test file is part of its cost.
"""

import os
from collections import defaultdict
from collections.abc import Generator
from typing import Any

import pytest

COSTS = pytest.StashKey[dict[str, float]]()
WORKER_COSTS = "processor_time"  # the key under which a worker of xdist hands over its table
TOTAL = ""  # the key of the whole process, in which Python's start and pytest itself are included
NUM_TESTS_SHOWN = 25


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--processor-time", action="store_true", help="print the processor time of test files and tests")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--processor-time"):
        config.stash[COSTS] = defaultdict(float)
        config.pluginmanager.register(Meter(config.stash[COSTS], hasattr(config, "workerinput")), "processor-time")


class Meter:
    """Seconds by node id: of a file (its import) or of a test (with the fixtures that were set up for it)."""

    def __init__(self, costs: dict[str, float], is_worker: bool) -> None:
        self.costs, self.is_worker = costs, is_worker

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None, Any, Any]:
        start = seconds()
        report = yield
        if isinstance(collector, pytest.Module):
            self.costs[collector.nodeid] += seconds() - start
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        start = seconds()
        result = yield
        self.costs[item.nodeid] += seconds() - start
        return result

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.is_worker:
            self.costs[TOTAL] = seconds()
            session.config.workeroutput[WORKER_COSTS] = dict(self.costs)  # type: ignore[attr-defined]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        for name, cost in getattr(node, "workeroutput", {}).get(WORKER_COSTS, {}).items():
            self.costs[name] += cost

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.is_worker:
            workers = self.costs.pop(TOTAL, None)  # which have counted their own children
            self.costs[TOTAL] = seconds() if workers is None else workers + seconds(children=False)
            for line in table(self.costs):
                terminalreporter.write_line(line)


def seconds(children: bool = True) -> float:
    times = os.times()
    return times.user + times.system + (times.children_user + times.children_system if children else 0)


def table(costs: dict[str, float]) -> list[str]:
    by_file: dict[str, float] = defaultdict(float)
    for name, cost in costs.items():
        if name != TOTAL:
            by_file[name.partition("::")[0]] += cost
    tests = {name: cost for name, cost in costs.items() if "::" in name}
    lines = ["", "processor time (seconds) by file:", *rows(by_file)]
    lines += ["", f"the {NUM_TESTS_SHOWN} most expensive tests:", *rows(tests)[:NUM_TESTS_SHOWN]]
    rest = costs[TOTAL] - sum(by_file.values())
    return [*lines, "", f"{rest:8.1f}  Python and pytest", f"{costs[TOTAL]:8.1f}  in all"]


def rows(costs: dict[str, float]) -> list[str]:
    return [f"{cost:8.1f}  {name}" for name, cost in sorted(costs.items(), key=lambda row: -row[1])]
