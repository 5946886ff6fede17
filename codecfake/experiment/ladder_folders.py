"""Rules for the folders of noise and rooms of laundering ladders."""

from collections.abc import Iterator
from pathlib import Path

from codecfake.base.home import expanded
from codecfake.base.settings import Fault
from codecfake.experiment import ladders
from codecfake.experiment.schema import Experiment
from codecfake.features.augmentation.folders import Folder
from codecfake.features.augmentation.settings import AugmentationError


def faults(experiment: Experiment) -> Iterator[Fault]:
    """Folders that are not on this machine, or have no file of the pattern; a job checks the files themselves."""
    for keys, ladder in ladders.placed(experiment):
        if ladder.folder is None:
            continue
        if not Path(expanded(ladder.folder)).is_dir():
            yield Fault((*keys, "folder"), f"{ladder.folder} is not a folder; correct the path")
            continue
        try:
            Folder(ladder.folder, ladder.pattern)
        except AugmentationError as error:
            yield Fault((*keys, "folder"), str(error))


def name_faults(experiment: Experiment) -> Iterator[Fault]:
    """Two folders of one name, whose audio would have the same names."""
    owners: dict[str, tuple[str, str]] = {}
    for keys, ladder in ladders.placed(experiment):
        if ladder.folder is None:
            continue
        folder = (expanded(ladder.folder), ladder.pattern)
        if owners.setdefault(ladder.series, folder) != folder:
            text = f"{ladder.series} is also the name of files {owners[ladder.series][1]} of {owners[ladder.series][0]}"
            yield Fault((*keys, "folder"), f"{text}; give one of them another `name`")
