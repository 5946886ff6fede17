"""Settings of the tables of source tracing."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TracedTask:
    """What a task tells apart, and the models that do: `{detector}/seed{seed}`."""

    classes: dict[str, list[str]]  # class -> its sources
    models: list[str]
    unseen: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TracingTableSettings:
    tasks: dict[str, TracedTask]
