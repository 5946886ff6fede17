"""config.yaml: the settings of this machine, and the experiment to run there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from codecfake.base import settings
from codecfake.base.settings import Filled
from codecfake.base.validation import ConfigurationError, read_yaml

# Snakemake passes some values of `--config` on as text
MEANINGS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True)
class Configuration:
    """The keys of config.yaml."""

    experiment: Annotated[str, Filled()]  # a name, or the path of a YAML file
    relative_to: str | None = None  # folder that relative paths start from; None: the Snakefile's
    corpora: dict[str, str | None] = field(default_factory=dict)  # root folders
    weights: str | None = None  # folder of published weights
    device: Literal["cpu", "cuda", "auto"] = "auto"
    check_disk: bool = True  # refuse to start a run that the disk cannot hold


def configuration(values: Mapping[str, Any]) -> Configuration:
    """Check the values of config.yaml and of `--config`. Raises ConfigurationError naming every fault."""
    entries = {key: value for key, value in values.items() if value is not None}
    if isinstance(entries.get("check_disk"), str):
        entries["check_disk"] = MEANINGS.get(entries["check_disk"].lower(), entries["check_disk"])
    if isinstance(entries.get("corpora"), Mapping):
        entries["corpora"] = {name: _root(root) for name, root in entries["corpora"].items()}
    try:
        return settings.build(Configuration, entries)
    except settings.FaultsError as error:
        lines = (": ".join(filter(None, (".".join(fault.keys), fault.text))) for fault in error.faults)
        raise ConfigurationError("\n".join(f"config.yaml: {line}" for line in lines)) from None


def check_files(paths: Iterable[str]) -> None:
    """Raise ConfigurationError for duplicate keys in the configuration files, which Snakemake accepts."""
    for path in paths:
        read_yaml(Path(path))


def _root(value: Any) -> Any:
    return MEANINGS.get(value.lower(), value) if isinstance(value, str) else value
