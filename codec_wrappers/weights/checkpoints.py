"""Published weights as data: reads and checks `checkpoints.yaml`. Needs neither torch nor a codec's package."""

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
FORMS = ("state_dicts", "tflite", "folder")  # the first are converted to one safetensors file, the others copied
WEIGHTS, PROVENANCE = "weights.safetensors", provenance.RECORD
CONFIG = "config.yaml"  # beside the weights, if the architecture is published as a file
UNKNOWN = "unknown"
SHA256 = re.compile(r"[0-9a-f]{64}")
# Licenses that let everybody use, change and redistribute, also commercially, and require no more than credit.
PERMISSIVE = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "CC0-1.0", "ISC", "MIT"})
LICENSES = PERMISSIVE | {"CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", UNSTATED}


class ManifestError(ValueError):
    """The manifest of checkpoints contains something unknown or impossible."""


@dataclass(frozen=True)
class PublishedFile:
    """A file on the web."""

    name: str  # path under the weights folder
    addresses: tuple[str, ...]
    bytes: int | None = None  # exact
    about_mb: float | None = None  # as published, rounded
    sha256: str = UNKNOWN

    def __post_init__(self) -> None:
        path = PurePosixPath(self.name)
        if not self.name or path.is_absolute() or ".." in path.parts:
            raise ManifestError(f"file {self.name!r}: give a relative path under the weights folder, without `..`")
        if self.sha256 != UNKNOWN and not SHA256.fullmatch(self.sha256):
            raise ManifestError(f"{self.name}: sha256 {self.sha256!r} is neither 64 hexadecimal digits nor {UNKNOWN!r}")


@dataclass(frozen=True)
class OfficialFile(PublishedFile):
    """One file of a checkpoint, and the state_dicts in it."""

    holds: dict[str, str] = field(default_factory=dict)  # name of a state_dict -> dotted keys that lead to it
    prefixes: tuple[str, ...] = ()  # only tensors whose names begin with one of these are used; (): all
    archive: PublishedFile | None = None
    member: str = ""  # end of the file's path inside the archive
    architecture: bool = False  # the file has no state_dicts, but the YAML from which the network is built

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.addresses and self.archive is None:
            raise ManifestError(f"{self.name}: has neither an address nor an archive; give one of them")
        if (self.archive is None) != (not self.member):
            raise ManifestError(f"{self.name}: `archive` and `member` go together; give both or neither")


@dataclass(frozen=True)
class Checkpoint:
    """The weights of one codec, or of a generator of codefakes, as its authors published them."""

    name: str
    wrapper: str  # the codec, or the generator if there is a `converter`
    model: dict[str, Any]  # settings of the wrapper
    files: tuple[OfficialFile, ...]
    code_license: str
    weights_license: str
    notice: str  # credit and terms
    form: str = "state_dicts"
    renames: dict[str, str] = field(default_factory=dict)  # name of a tensor in the file -> its current official name
    unused: tuple[str, ...] = ()  # prefixes of tensor names that are dropped
    converter: str = ""  # `module:function` that writes a generator's weights from its files
    beside: tuple[str, ...] = ()  # other files that it writes

    def __post_init__(self) -> None:
        if not self.converter:
            _refuse_unknown("codec", self.wrapper, names())
        _refuse_unknown("form", self.form, FORMS)
        for license in (self.code_license, self.weights_license):
            _refuse_unknown("license", license, sorted(LICENSES))
        if not self.files:
            raise ManifestError("has no files; give at least one")
        files = [file.name for file in self.files]
        if len(set(files)) < len(files):
            raise ManifestError("two files have the same name; names must differ")
        if (
            self.form == "state_dicts"
            and not self.converter
            and not all(bool(file.holds) != file.architecture for file in self.files)
        ):
            raise ManifestError("every file must list its state_dicts in `holds`, or be the `architecture`")

    @property
    def is_copied(self) -> bool:
        """Whether the wrapper reads the files as they were published."""
        return self.form != "state_dicts"

    @property
    def is_permissive(self) -> bool:
        """Whether code and weights may be used and redistributed without conditions other than credit."""
        return {self.code_license, self.weights_license} <= PERMISSIVE

    @property
    def license(self) -> str:
        """One line for a table: `MIT`, or `code MIT, weights unstated`."""
        if self.code_license == self.weights_license:
            return self.code_license
        return f"code {self.code_license}, weights {self.weights_license}"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the files that fetching writes into its output folder."""
        if self.is_copied:
            return (*(PurePosixPath(file.name).name for file in self.files), PROVENANCE)
        config = (CONFIG,) if self.architecture_file else ()
        return (WEIGHTS, *config, *self.beside, PROVENANCE)

    @property
    def architecture_file(self) -> OfficialFile | None:
        """The authors' own configuration of the network, if it is published as a file."""
        return next((file for file in self.files if file.architecture), None)

    def weights_in(self, output: Path) -> Path:
        """The path for the wrapper's `load`: the safetensors file in an output folder, or the folder itself."""
        return output if self.is_copied or self.architecture_file or self.beside else output / WEIGHTS


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
    checkpoints = load()
    _refuse_unknown("checkpoint", name, checkpoints)
    return checkpoints[name]


def table(checkpoints: Iterable[Checkpoint]) -> str:
    """One line per checkpoint: its name, its wrapper, whether its licenses are permissive, and the licenses."""
    return "\n".join(
        f"{checkpoint.name:36}{checkpoint.wrapper:17}{'permissive' if checkpoint.is_permissive else 'restricted':12}"
        f"{checkpoint.license}"
        for checkpoint in checkpoints
    )


@cache  # the workflow calls it once per job
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


def _refuse_unknown(kind: str, name: str, choices: Collection[str]) -> None:
    if name not in choices:
        raise ManifestError(unknown(kind, name, choices))
