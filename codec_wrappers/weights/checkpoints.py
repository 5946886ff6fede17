"""Published weights as data: `checkpoints.yaml`, read and checked. Needs neither torch nor a codec's package."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from codec_wrappers import UNSTATED, names
from codecfake.base import provenance, settings
from codecfake.base.settings import SettingsError
from codecfake.base.suggestions import unknown

MANIFEST = Path(__file__).with_name("checkpoints.yaml")
FORMS = ("state_dicts", "tflite")  # converted to one safetensors file; copied as they are
WEIGHTS, PROVENANCE = "weights.safetensors", provenance.RECORD
CONFIG = "config.yaml"  # beside the weights, where the architecture is published as a file
UNKNOWN = "unknown"
SHA256 = re.compile(r"[0-9a-f]{64}")
# Licenses that let anybody use, change and pass on, commercially too, for no more than credit.
PERMISSIVE = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "CC0-1.0", "ISC", "MIT"})
LICENSES = PERMISSIVE | {"CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", UNSTATED}


class ManifestError(ValueError):
    """The manifest of checkpoints says something unknown or impossible."""


@dataclass(frozen=True)
class Published:
    """A file that somebody publishes."""

    name: str  # path under the weights folder
    addresses: tuple[str, ...]
    bytes: int | None = None  # exact
    about_mb: float | None = None  # as published, rounded
    sha256: str = UNKNOWN

    def __post_init__(self) -> None:
        path = PurePosixPath(self.name)
        if not self.name or path.is_absolute() or ".." in path.parts:
            raise ManifestError(f"file {self.name!r}: a name is a path under the weights folder, without `..`")
        if self.sha256 != UNKNOWN and not SHA256.fullmatch(self.sha256):
            raise ManifestError(f"{self.name}: sha256 {self.sha256!r} is neither 64 hexadecimal digits nor {UNKNOWN!r}")


@dataclass(frozen=True)
class OfficialFile(Published):
    """One file of a checkpoint, and which state_dicts are in it."""

    holds: dict[str, str] = field(default_factory=dict)  # name of a state_dict -> dotted keys that lead to it
    prefixes: tuple[str, ...] = ()  # only tensors whose names begin so are taken; () takes all
    archive: Published | None = None
    member: str = ""  # end of the file's path inside the archive
    architecture: bool = False  # YAML that the network is built from, in place of state_dicts

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.addresses and self.archive is None:
            raise ManifestError(f"{self.name}: has neither an address nor an archive to be taken from")
        if (self.archive is None) != (not self.member):
            raise ManifestError(f"{self.name}: `archive` and `member` go together")


@dataclass(frozen=True)
class Checkpoint:
    """The weights of one codec as its authors published them."""

    name: str
    wrapper: str
    model: dict[str, Any]  # settings that the wrapper is built with
    files: tuple[OfficialFile, ...]
    code_license: str
    weights_license: str
    notice: str  # credit and terms
    form: str = "state_dicts"
    renames: dict[str, str] = field(default_factory=dict)  # official name of a tensor -> today's official name
    unused: tuple[str, ...] = ()  # beginnings of names that are dropped

    def __post_init__(self) -> None:
        _refuse_unknown("codec", self.wrapper, names())
        _refuse_unknown("form", self.form, FORMS)
        for license in (self.code_license, self.weights_license):
            _refuse_unknown("license", license, sorted(LICENSES))
        if not self.files:
            raise ManifestError("has no files; give at least one")
        files = [file.name for file in self.files]
        if len(set(files)) < len(files):
            raise ManifestError("two files have one name; names must differ")
        if self.form == "state_dicts" and not all(bool(file.holds) != file.architecture for file in self.files):
            raise ManifestError("every file must say in `holds` which state_dicts are in it, or be the `architecture`")

    @property
    def is_permissive(self) -> bool:
        """Whether code and weights may be used and passed on for no more than credit."""
        return {self.code_license, self.weights_license} <= PERMISSIVE

    @property
    def license(self) -> str:
        """One line for a table: `MIT`, or `code MIT, weights unstated`."""
        if self.code_license == self.weights_license:
            return self.code_license
        return f"code {self.code_license}, weights {self.weights_license}"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the files that fetching makes in its output folder."""
        if self.form == "tflite":
            return (*(PurePosixPath(file.name).name for file in self.files), PROVENANCE)
        return (WEIGHTS, CONFIG, PROVENANCE) if self.architecture_file else (WEIGHTS, PROVENANCE)

    @property
    def architecture_file(self) -> OfficialFile | None:
        """The authors' own configuration of the network, where it is published as a file."""
        return next((file for file in self.files if file.architecture), None)

    def weights_in(self, output: Path) -> Path:
        """What the wrapper's `load` is to be given of an output folder: the safetensors file, or the folder."""
        return output if self.form == "tflite" or self.architecture_file else output / WEIGHTS


@dataclass(frozen=True)
class _Manifest:
    unused: dict[str, tuple[str, ...]]
    checkpoints: dict[str, dict[str, Any]]


@cache
def load(path: Path = MANIFEST) -> dict[str, Checkpoint]:
    """All checkpoints by name. Raises ManifestError naming the entry at fault."""
    manifest = _read(path)
    return {name: _checkpoint(name, entry, manifest, path) for name, entry in manifest.checkpoints.items()}


def find(name: str) -> Checkpoint:
    """The checkpoint of that name. Raises ManifestError if it does not exist."""
    known = load()
    _refuse_unknown("checkpoint", name, known)
    return known[name]


def table(checkpoints: Iterable[Checkpoint]) -> str:
    """One line a checkpoint: its name, its wrapper, whether its licenses are permissive, and which they are."""
    return "\n".join(
        f"{checkpoint.name:36}{checkpoint.wrapper:17}{'permissive' if checkpoint.is_permissive else 'restricted':12}"
        f"{checkpoint.license}"
        for checkpoint in checkpoints
    )


@cache  # the workflow asks once a job
def _read(path: Path) -> _Manifest:
    try:
        return settings.build(_Manifest, yaml.safe_load(path.read_text(encoding="utf-8")))
    except SettingsError as error:
        raise ManifestError(f"{path}: {error}") from error


def _checkpoint(name: str, entry: Mapping[str, Any], manifest: _Manifest, path: Path) -> Checkpoint:
    try:
        unused = manifest.unused.get(str(entry.get("wrapper")), ())
        return settings.build(Checkpoint, {"unused": unused, **entry, "name": name})
    except (SettingsError, ManifestError) as error:
        raise ManifestError(f"{path}: {name}: {error}") from error


def _refuse_unknown(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise ManifestError(unknown(kind, name, known))
