"""Released detectors in an experiment: its models whose weights others trained, and rules for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codecfake.base.home import expanded
from codecfake.base.settings import Fault, Keys, faults_of
from codecfake.base.suggestions import unknown
from codecfake.detectors import released_files
from codecfake.detectors.import_settings import ImportSettings
from codecfake.detectors.released_forms import RELEASED, SET, is_released
from codecfake.experiment.schema import Experiment
from codecfake.experiment.sections import ReleasedWeights
from codecfake.training.strategies import STRATEGIES, unknown_strategy

Place = tuple[str, str, str]  # detector, what stands for a training set, and strategy


@dataclass(frozen=True)
class ReleasedModel:
    """A detector of an experiment with released weights."""

    detector: str
    weights: ReleasedWeights

    @property
    def place(self) -> Place:
        return self.detector, self.weights.training_set, self.weights.strategy


def models(experiment: Experiment) -> dict[str, ReleasedModel]:
    """Name -> model, in the order of the file."""
    grids = [(grid, grid.released) for grid in experiment.models if grid.released is not None]
    all_models = [ReleasedModel(detector, weights) for grid, weights in grids for detector in grid.detectors]
    names = experiment.model_names()
    return {next(name for name in names if name.split("/")[:3] == list(one.place)): one for one in all_models}


def trained_names(experiment: Experiment) -> list[str]:
    """The names of all other models, which the run trains."""
    return [name for name in experiment.model_names() if not is_released(name.split("/")[1])]


def calibrated_names(experiment: Experiment) -> list[str]:
    """The names of the models that have a calibration, in the order of the file."""
    without = {name for name, one in models(experiment).items() if one.weights.calibrate_on is None}
    return [name for name in experiment.model_names() if name not in without]


def wildcards(names: list[str]) -> dict[str, tuple[str, ...]]:
    """Name of a model -> the wildcards of its jobs."""
    parts = ((name, name.split("/")) for name in names)
    return {name: (*rest, seed.removeprefix("seed")) for name, (*rest, seed) in parts}


def weights_at(experiment: Experiment, detector: str, training_set: str, strategy: str) -> ReleasedWeights:
    """The weights of a released model."""
    place = (detector, training_set, strategy)
    return next(one.weights for one in models(experiment).values() if one.place == place)


def forms_to_fetch(experiment: Experiment) -> list[str]:
    """The forms whose published files the run needs, each once."""
    weights = (one.weights for one in models(experiment).values())
    return list(dict.fromkeys(one.form for one in weights if one.file is None))


def licenses(experiment: Experiment) -> dict[str, dict[str, str]]:
    """Form in use -> SPDX identifiers of its `code` and its `weights`."""
    forms = {one.weights.form: RELEASED[one.weights.form] for one in models(experiment).values()}
    return {name: {"code": form.code_license, "weights": form.weights_license} for name, form in forms.items()}


def import_settings(experiment: Experiment, detector: str, weights: ReleasedWeights) -> dict[str, Any]:
    """Plain values of `ImportSettings`."""
    crop = {} if weights.crop is None else {"crop": weights.crop}
    return {"form": weights.form, "detector": experiment.detectors[detector], **crop}


def path_of(weights: ReleasedWeights, folder: Path) -> Path:
    """The file of released weights: the user's, by `folder` of published weights, or the one that is fetched."""
    if weights.file is not None:
        return folder / expanded(weights.file)
    return Path("results/weights") / weights.form / released_files.outputs(weights.form)[0]


def trained_on(experiment: Experiment) -> dict[str, list[str]]:
    """What stands for a training set -> the domains that its models were trained on, where these are known."""
    all_weights = (one.weights for one in models(experiment).values())
    return {one.training_set: one.trained_on for one in all_weights if one.trained_on}


def baselines(experiment: Experiment) -> list[str]:
    """Those without codec fakes in training."""
    return [
        name
        for name, domains in trained_on(experiment).items()
        if not any(experiment.domains[domain].sources for domain in domains)
    ]


def faults(experiment: Experiment) -> Iterator[Fault]:
    """Every fault of the released detectors of an experiment, and training sets that have their names."""
    for name in experiment.training_sets:
        if is_released(name):
            yield Fault(
                ("training_sets", name), f"names that begin with {SET!r} are of released detectors; rename the set"
            )
    owners: dict[Place, int] = {}
    domains: dict[str, list[str]] = {}
    for number, grid in enumerate(experiment.models):
        if grid.released is None:
            continue
        keys: Keys = ("models", str(number))
        for detector in grid.detectors:
            place = ReleasedModel(detector, grid.released).place
            if owners.setdefault(place, number) != number:
                text = f"another entry has released weights of {detector}; give one of them a `name`"
                yield Fault((*keys, "released"), text)
            yield from (fault.below(*keys) for fault in _fit_faults(experiment, detector, grid.released))
        if domains.setdefault(grid.released.training_set, grid.released.trained_on) != grid.released.trained_on:
            text = "other released weights have other domains here; give these weights a `name` of their own"
            yield Fault((*keys, "released", "trained_on"), text)
        yield from (fault.below(*keys, "released") for fault in _own_faults(experiment, grid.released))


def file_faults(experiment: Experiment, folder: Path) -> Iterator[Fault]:
    """Files of released weights that are not on this machine; those that the run fetches need not be."""
    for number, grid in enumerate(experiment.models):
        if grid.released is not None and grid.released.file is not None:
            path = path_of(grid.released, folder)
            if not path.is_file():
                remedy = "put the file there, or set `weights:` in config.yaml to its folder"
                yield Fault(("models", str(number), "released", "file"), f"there is no file {path}; {remedy}")


def _fit_faults(experiment: Experiment, detector: str, weights: ReleasedWeights) -> Iterator[Fault]:
    """Settings of a detector that are not those of the form."""
    if detector not in experiment.detectors or weights.form not in RELEASED:
        return
    for fault in faults_of(ImportSettings, import_settings(experiment, detector, weights)):
        is_of_detector = fault.keys[:1] == ("detector",)
        what = f"{detector}: {'.'.join(fault.keys[1:])}: {fault.text}" if is_of_detector else fault.text
        yield Fault(("detectors",) if is_of_detector else ("released", *fault.keys), what)


def _own_faults(experiment: Experiment, weights: ReleasedWeights) -> Iterator[Fault]:
    """Names that do not exist, and a file that no one knows."""
    if weights.form not in RELEASED:
        yield Fault(("form",), unknown("released detector", weights.form, RELEASED))
    elif weights.file is None and weights.form not in released_files.FILES:
        text = f"no address of the file of {weights.form} is known; give its path below the weights folder"
        yield Fault(("file",), f"{text} ({', '.join(released_files.FILES)} are fetched)")
    if weights.strategy not in STRATEGIES and weights.strategy not in experiment.strategies:
        yield Fault(("strategy",), unknown_strategy(weights.strategy, experiment.strategies))
    for domain in weights.trained_on:
        if domain not in experiment.domains:
            yield Fault(("trained_on",), unknown("domain", domain, experiment.domains))
    if weights.calibrate_on is not None and weights.calibrate_on not in experiment.domains:
        yield Fault(("calibrate_on",), unknown("domain", weights.calibrate_on, experiment.domains))
