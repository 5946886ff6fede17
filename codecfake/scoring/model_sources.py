"""Where a detector comes from: the one that is shipped, a model folder, or a hub."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from codecfake.base.home import expanded
from codecfake.base.suggestions import unknown
from codecfake.detectors import models, shipped_models
from codecfake.scoring import hub

CARD_COMMAND = "codecfake score --card"
WEIGHTS_FOLDER = Path("weights")  # where hub models are kept, as published weights of codecs are


class SourceError(ValueError):
    """There is no detector where one was named."""


@dataclass(frozen=True)
class Source:
    """A model folder on this machine, and the name by which it was asked for."""

    name: str
    folder: Path

    @property
    def is_demonstration(self) -> bool:
        return shipped_models.is_shipped(self.folder)

    @property
    def card(self) -> Path | None:
        """The card of a demonstration; None for any other detector."""
        return self.folder / shipped_models.CARD if self.is_demonstration else None

    @property
    def notice(self) -> str:
        """What must be said before the verdicts of a demonstration."""
        command = CARD_COMMAND if self.folder.name == shipped_models.DEFAULT else f"{CARD_COMMAND} --model {self.name}"
        return (
            f"Demonstration: the detector {self.folder.name!r} comes with codecfake to try it out; do not rely on its "
            f"verdicts. Read its card: `{command}`, or {self.card}"
        )

    def read_card(self) -> str:
        """The text of the model's card. Raises SourceError if it has none."""
        path = self.folder / shipped_models.CARD
        if not path.is_file():
            raise SourceError(f"{self.folder}: this model folder has no {path.name}; write one to describe the model")
        return path.read_text(encoding="utf-8")


def find(
    model: str | Path | None,
    environment: Mapping[str, str],
    weights_folder: Path = WEIGHTS_FOLDER,
    front_end: str | None = None,
) -> Source:
    """The detector that a user names: a model folder, a shipped one, or a hub id `OWNER/NAME`, which is downloaded.

    None stands for the default of the shipped ones. `hf:` before an id says that it is no folder. `front_end`: the
    front-end weights that the user names, without which a model of a hub may not load any.

    Raises SourceError if there is no such detector, and ShippedModelError, ModelError or HubError if it cannot be used.
    """
    if model is None:
        return Source(shipped_models.DEFAULT, shipped_models.folder())
    name = str(model)
    path = Path(expanded(name))
    if name.startswith(hub.PREFIX):
        return _from_hub(name.removeprefix(hub.PREFIX), environment, weights_folder, front_end)
    if name and path.is_dir():
        return Source(name, shipped_models.folder(path.resolve().name) if shipped_models.is_shipped(path) else path)
    if name and path.exists():
        raise SourceError(_of_file(path))
    if name == shipped_models.DEFAULT or name in shipped_models.names():
        return Source(name, shipped_models.folder(name))
    if hub.ID.fullmatch(name):
        return _from_hub(name, environment, weights_folder, front_end)
    raise SourceError(_unknown(name))


def _from_hub(name: str, environment: Mapping[str, str], weights_folder: Path, front_end: str | None) -> Source:
    folder = hub.fetch(name, weights_folder, hub.endpoint(environment))
    hub.require_own_front_end(name, folder, front_end)
    return Source(name, folder)


def _of_file(path: Path) -> str:
    if path.name in (models.WEIGHTS, models.SETTINGS):
        return f"{path}: a part of a model folder; name the folder: --model {path.parent}"
    return (
        f"{path}: a file, not a model folder. A released checkpoint does not tell which detector it is: import it with "
        f"`codecfake import-checkpoint {path} --detector NAME --output FOLDER`, where NAME is one of `codecfake list "
        f"checkpoints`, then name FOLDER"
    )


def _unknown(name: str) -> str:
    names = shipped_models.names()
    shipped = f"; {unknown('shipped detector', name, names)}" if names and name and "/" not in name else ""
    return (
        f"{name!r}: no such model folder{shipped}; name a folder with {models.WEIGHTS} and {models.SETTINGS}, "
        f"or a hub id OWNER/NAME"
    )
