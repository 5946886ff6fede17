"""The wall time of a run on several GPUs, by a simulation of its jobs on GPUs.

A free GPU takes the ready job that the longest chain of later jobs waits for (list scheduling, Graham 1969). Jobs on
CPUs, queues and starts of programs are left out.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Task:
    """Equal jobs on one GPU each; they start when all jobs of the tasks in `needs` have ended."""

    name: str
    hours: float  # of one job
    number: int = 1
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class WallTime:
    """The time that a number of GPUs needs, and the job that decides it: the longest in the chain that ends last."""

    gpus: int
    hours: float
    decisive: str
    decisive_hours: float  # of that job


@dataclass(frozen=True)
class _Job:
    task: Task
    end: float
    waited_for: "_Job | None"  # whose end let this one start

    def longest(self) -> Task:
        """The longest job of the chain that ends with this one."""
        chain, job = [self.task], self.waited_for
        while job is not None:
            chain.append(job.task)
            job = job.waited_for
        return max(chain, key=lambda task: task.hours)


def wall_time(tasks: Sequence[Task], gpus: int) -> WallTime | None:
    """The simulated time of tasks, each listed after those that it needs; None without tasks."""
    return _Simulation(tasks).run(gpus) if tasks else None


@dataclass
class _Simulation:
    tasks: Sequence[Task]
    _ready: list[tuple[float, int, Task]] = field(default_factory=list)  # the most urgent first
    _running: list[tuple[float, int, _Job]] = field(default_factory=list)  # the next to end first
    _count: int = 0  # makes entries of equal times differ

    def __post_init__(self) -> None:
        self._jobs_to_end = {task.name: task.number for task in self.tasks}
        self._open_needs = {task.name: len(set(task.needs)) for task in self.tasks}
        self._dependents: dict[str, list[Task]] = {task.name: [] for task in self.tasks}
        for task in self.tasks:
            for name in dict.fromkeys(task.needs):
                self._dependents[name].append(task)
        self._urgency: dict[str, float] = {}
        for task in reversed(self.tasks):
            later = (self._urgency[each.name] for each in self._dependents[task.name])
            self._urgency[task.name] = task.hours + max(later, default=0.0)

    def run(self, gpus: int) -> WallTime:
        for task in self.tasks:
            if not self._open_needs[task.name]:
                self._add(task)
        last: _Job | None = None
        self._start_jobs(gpus, last)
        while self._running:
            _, _, last = heapq.heappop(self._running)
            self._end(last)
            self._start_jobs(gpus, last)
        assert last is not None  # some task needs no other
        return WallTime(gpus, last.end, last.longest().name, last.longest().hours)

    def _add(self, task: Task) -> None:
        for _ in range(task.number):
            heapq.heappush(self._ready, (-self._urgency[task.name], self._next(), task))

    def _start_jobs(self, gpus: int, before: _Job | None) -> None:
        now = 0.0 if before is None else before.end
        while self._ready and len(self._running) < gpus:
            task = heapq.heappop(self._ready)[2]
            job = _Job(task, now + task.hours, before)
            heapq.heappush(self._running, (job.end, self._next(), job))

    def _end(self, job: _Job) -> None:
        self._jobs_to_end[job.task.name] -= 1
        if self._jobs_to_end[job.task.name]:
            return
        for dependent in self._dependents[job.task.name]:
            self._open_needs[dependent.name] -= 1
            if not self._open_needs[dependent.name]:
                self._add(dependent)

    def _next(self) -> int:
        self._count += 1
        return self._count
