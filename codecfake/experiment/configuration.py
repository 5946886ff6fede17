"""config.yaml: the settings of this machine, and the experiment to run there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from codecfake.base import home, partial, settings
from codecfake.base.settings import Fault, Filled, Keys
from codecfake.base.validation import ConfigurationError, Document, read_document

# Snakemake passes some values of `--config` on as text
MEANINGS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
PATHS = ("experiment", "relative_to", "weights", "container")  # and the roots of corpora
NAME, COMMAND_LINE = "config.yaml", "command line"


@dataclass(frozen=True)
class Configuration:
    """The keys of config.yaml."""

    experiment: Annotated[str, Filled()]  # a name, or the path of a YAML file
    relative_to: str | None = None  # folder that relative paths start from; None: the Snakefile's
    corpora: dict[str, str | None] = field(default_factory=dict)  # root folders
    weights: str | None = None  # folder of published weights
    device: Literal["cpu", "cuda", "auto"] = "auto"
    generate: bool | list[str] = True  # make corpora of fakes that have no root: all, none, or those named
    check_disk: bool = True  # refuse to start a run that the disk cannot hold
    container: str | None = None  # image of a registry, or the path of a .sif file, for jobs under apptainer


class Values:
    """The values of config.yaml and of `--config`, and where each is written."""

    def __init__(self, values: Mapping[str, Any], files: Iterable[Path] = ()) -> None:
        """`files` are those that the values are from, the ones that replace others first."""
        self._values = values
        self._documents: list[Document] = []
        self.damages: list[str] = []  # duplicate keys, which Snakemake accepts
        for path in files:
            try:
                self._documents.append(read_document(path))
            except ConfigurationError as error:
                self.damages += str(error).splitlines()

    def sound(self) -> tuple[Configuration | None, list[Fault]]:
        """The configuration without its faulty values, and all faults."""
        return partial.sound(Configuration, plain(self._values))

    def message(self, fault: Fault) -> str:
        """A fault in words, with its file and line."""
        if self.damages or not self._documents:
            return f"{NAME}: {fault}"
        if self._is_from_command_line(fault.place):
            return f"{COMMAND_LINE}: {fault}"
        document = self._documents[0]  # where to add a value that is missing
        if partial.value(self._values, fault.place) is not None:
            document = max(self._documents, key=lambda each: each.place(fault.place).depth)  # of several, the first
        return f"{document.path}:{document.place(fault.place).line}: {fault}"

    def _is_from_command_line(self, keys: Keys) -> bool:
        """Whether there is a value at `keys` that no file has there."""
        is_written = keys and partial.depth(self._values, keys) == len(keys)
        value = partial.value(self._values, keys)
        return bool(is_written) and all(partial.value(each.values, keys) != value for each in self._documents)


def configuration(values: Mapping[str, Any]) -> Configuration:
    """Check the values of config.yaml and of `--config`. Raises ConfigurationError naming every fault."""
    try:
        return settings.build(Configuration, plain(values))
    except settings.FaultsError as error:
        raise ConfigurationError("\n".join(map(Values(values).message, error.faults))) from None


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as config.yaml would write them, without empty ones, and with the home folder for `~`."""
    entries = {key: value for key, value in values.items() if value is not None}
    for name in ("check_disk", "generate"):
        if isinstance(entries.get(name), str):
            entries[name] = _meaning(entries[name])
    if isinstance(entries.get("corpora"), Mapping):
        entries["corpora"] = {name: _expanded(_meaning(root)) for name, root in entries["corpora"].items()}
    paths = {key: _expanded(entries[key]) for key in PATHS if key in entries}
    return entries | paths


def folder(values: Mapping[str, Any]) -> Path | None:
    """The folder that relative paths start from, if the values name one."""
    relative_to = plain(values).get("relative_to")
    return Path(relative_to) if relative_to else None


def _expanded(value: Any) -> Any:
    return home.expanded(value) if isinstance(value, str) else value


def _meaning(value: Any) -> Any:
    return MEANINGS.get(value.lower(), value) if isinstance(value, str) else value
