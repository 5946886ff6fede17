"""config.yaml: what is said of this machine, and which experiment to run there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from codecfake.base import settings
from codecfake.base.settings import Filled
from codecfake.base.validation import ConfigurationError, read_yaml

# Snakemake passes values of `--config` on as text, however they are meant
MEANINGS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True)
class Configuration:
    """The keys of config.yaml."""

    experiment: Annotated[str, Filled()]  # a name, or the path of a YAML file
    relative_to: str | None = None  # folder that relative paths start from; None: the one of the Snakefile
    corpora: dict[str, str | None] = field(default_factory=dict)  # root folders
    weights: str | None = None  # folder of published weights
    device: Literal["cpu", "cuda", "auto"] = "auto"
    check_disk: bool = True  # refuse to start a run that the disk cannot hold


def configuration(values: Mapping[str, Any]) -> Configuration:
    """Check the values of config.yaml and of `--config`. Raises ConfigurationError naming every fault."""
    given = {key: value for key, value in values.items() if value is not None}
    if isinstance(given.get("check_disk"), str):
        given["check_disk"] = MEANINGS.get(given["check_disk"].lower(), given["check_disk"])
    if isinstance(given.get("corpora"), Mapping):
        given["corpora"] = {name: _root(root) for name, root in given["corpora"].items()}
    try:
        return settings.build(Configuration, given)
    except settings.FaultsError as error:
        lines = (": ".join(filter(None, (".".join(fault.keys), fault.text))) for fault in error.faults)
        raise ConfigurationError("\n".join(f"config.yaml: {line}" for line in lines)) from None


def check_files(paths: Iterable[str]) -> None:
    """Read the configuration files as Snakemake does not: a key that stands twice is an error."""
    for path in paths:
        read_yaml(Path(path))


def _root(value: Any) -> Any:
    return MEANINGS.get(value.lower(), value) if isinstance(value, str) else value
