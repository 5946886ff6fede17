"""The weights of a codec in an experiment: trained here, in the package, published, from a file, or none."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from codec_wrappers import UNSTATED
from codec_wrappers.weights import checkpoints, shipped
from codecfake.base.home import expanded
from codecfake.base.hub_models import record_name
from codecfake.base.settings import SettingsError

FORMS = (
    "trained, none, {shipped: NAME}, {official: CHECKPOINT}, {hub: OWNER/NAME@COMMIT, license: SPDX} or "
    "{local: PATH, license: SPDX}"
)


class Weights(ABC):
    """One of the classes below."""

    kind: ClassVar[str]  # one of `codec_wrappers.WEIGHTS`

    @staticmethod
    def from_plain(value: Any) -> "Weights":
        """The weights for a value in an experiment file. Raises SettingsError for anything but `FORMS`."""
        if value == "trained":
            return Trained()
        if value == "none":
            return NoWeights()
        if isinstance(value, Mapping) and all(isinstance(each, str) and each for each in value.values()):
            if set(value) == {"shipped"}:
                return Shipped(value["shipped"])
            if set(value) == {"official"}:
                return Official(value["official"])
            if {"local"} <= set(value) <= {"local", "license"}:
                return Local(value["local"], value.get("license", UNSTATED))
            if {"hub"} <= set(value) <= {"hub", "license"}:
                return Hub(value["hub"], value.get("license", UNSTATED))
        raise SettingsError(f"{value!r} is not one of {FORMS}")

    @property
    @abstractmethod
    def label(self) -> str:
        """Their name in tables."""

    @abstractmethod
    def path(self, codec: str, folder: Path) -> Path | None:
        """The path that the codec loads, from the run directory; `folder` is the weights folder of config.yaml."""

    def inputs(self, codec: str, folder: Path) -> list[str]:
        """Input files of a job, which runs again when they change."""
        path = self.path(codec, folder)
        return [] if path is None else [str(path)]

    def licenses(self, code: str) -> dict[str, str]:
        """SPDX identifiers of `code` and `weights`, where the wrapper's own code is under the license `code`."""
        return {"code": code, "weights": code}  # weights trained here have the code's license


@dataclass(frozen=True)
class Trained(Weights):
    """Trained by the workflow itself."""

    kind: ClassVar[str] = "trained"

    @property
    def label(self) -> str:
        return self.kind

    def path(self, codec: str, folder: Path) -> Path:
        return Path("results/codecs") / codec / checkpoints.WEIGHTS


@dataclass(frozen=True)
class NoWeights(Weights):
    """There is nothing to load."""

    kind: ClassVar[str] = "none"

    @property
    def label(self) -> str:
        return self.kind

    def path(self, codec: str, folder: Path) -> None:
        return None


@dataclass(frozen=True)
class Shipped(Weights):
    """Small weights in the package, by name."""

    name: str
    kind: ClassVar[str] = "shipped"

    @property
    def label(self) -> str:
        return self.name

    def path(self, codec: str, folder: Path) -> Path:
        return shipped.find(self.name).path

    def licenses(self, code: str) -> dict[str, str]:
        return {"code": code, "weights": shipped.LICENSE}


@dataclass(frozen=True)
class Official(Weights):
    """A published checkpoint, by its name in checkpoints.yaml."""

    checkpoint: str
    kind: ClassVar[str] = "official"

    @property
    def label(self) -> str:
        return self.checkpoint

    def path(self, codec: str, folder: Path) -> Path:
        return Path("results/weights") / self.checkpoint

    def inputs(self, codec: str, folder: Path) -> list[str]:
        return [str(self.path(codec, folder) / checkpoints.PROVENANCE)]

    def licenses(self, code: str) -> dict[str, str]:
        """Those of the checkpoint, whose code may have another license than the code here."""
        checkpoint = checkpoints.find(self.checkpoint)
        return {"code": checkpoint.code_license, "weights": checkpoint.weights_license}


@dataclass(frozen=True)
class Local(Weights):
    """A file, or a folder, under the weights folder of config.yaml."""

    name: str
    spdx: str = UNSTATED
    kind: ClassVar[str] = "local"

    @property
    def label(self) -> str:
        return self.name

    def path(self, codec: str, folder: Path) -> Path:
        return folder / expanded(self.name)

    def inputs(self, codec: str, folder: Path) -> list[str]:
        path = self.path(codec, folder)
        return sorted(str(member) for member in path.iterdir()) if path.is_dir() else [str(path)]

    def licenses(self, code: str) -> dict[str, str]:
        return {"code": code, "weights": self.spdx}


@dataclass(frozen=True)
class Hub(Weights):
    """A model of the Hugging Face hub, at its newest commit or at the one that its id names."""

    model: str
    spdx: str = UNSTATED
    kind: ClassVar[str] = "hub"

    @property
    def label(self) -> str:
        return self.model

    def path(self, codec: str, folder: Path) -> Path:
        """The folder of its record; the model stays in the cache of the hub."""
        return Path("results/weights") / record_name(self.model)

    def inputs(self, codec: str, folder: Path) -> list[str]:
        return [str(self.path(codec, folder) / checkpoints.PROVENANCE)]

    def licenses(self, code: str) -> dict[str, str]:
        return {"code": code, "weights": self.spdx}


def one_line(licenses: Mapping[str, str]) -> str:
    """`MIT`, or `code MIT, weights unstated`."""
    code, weights = licenses["code"], licenses["weights"]
    return code if code == weights else f"code {code}, weights {weights}"
