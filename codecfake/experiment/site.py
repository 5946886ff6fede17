"""The site: config.yaml resolved on this machine, and the run directory that belongs to one experiment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codecfake.base import files, installation
from codecfake.base.suggestions import unknown
from codecfake.base.validation import ConfigurationError
from codecfake.demo import FOLDERS
from codecfake.experiment import layers, reading
from codecfake.experiment.configuration import configuration
from codecfake.experiment.optional_corpora import with_roots
from codecfake.experiment.schema import Experiment
from codecfake.experiment.weights import Local

OWNER = "experiment.txt"


@dataclass(frozen=True)
class Site:
    experiment: Experiment
    experiment_as_written: dict[str, Any]  # the YAML, for the report
    roots: dict[str, Path]
    weights: Path
    device: str
    check_disk: bool

    def root(self, corpus: str) -> Path:
        """The folder of a corpus; relative to the run directory for those that the workflow synthesizes."""
        return self.roots[corpus]

    def weights_of(self, codec: str) -> list[str]:
        """The weight files that a codec reads: made by the workflow or provided by the user; none for passthrough."""
        return self.experiment.codecs[codec].weights.inputs(codec, self.weights)

    def weights_argument(self, codec: str) -> list[str]:
        """The command-line arguments that name a codec's weights."""
        path = self.experiment.codecs[codec].weights.path(codec, self.weights)
        return [] if path is None else ["--weights", str(path)]


def read(config: Mapping[str, Any], base: Path) -> Site:
    """Validate config.yaml (as `config`) and the experiment it names; relative paths are relative to `base`.

    Raises ConfigurationError for anything unknown, missing or impossible, before any job.
    """
    settings = configuration(config)
    path = experiment_path(settings.experiment, base)
    experiment = with_roots(reading.load(path), settings.corpora)
    roots = {name: _root(name, experiment, settings.corpora, base) for name in experiment.corpora}
    weights = base / (settings.weights or "weights")
    _check_weights(experiment, weights)
    return Site(experiment, reading.read(path), roots, weights, settings.device, settings.check_disk)


def check_run_directory(title: str, results: Path) -> None:
    """Refuse to mix two experiments in one `results/`: the second would overwrite the first."""
    owner = results / OWNER
    other = owner.read_text(encoding="utf-8").strip() if owner.exists() else title
    if other != title:
        raise ConfigurationError(
            f"{results.resolve()} holds the results of another experiment ({other}); "
            f"run this one in another directory: snakemake --directory runs/NAME …"
        )


def claim_run_directory(title: str, results: Path) -> None:
    """Record which experiment these results belong to."""
    if not (results / OWNER).exists():
        files.write_text(results / OWNER, title + "\n")


def experiment_path(name: str, base: Path) -> Path:
    """The file of an experiment, by its path (relative to `base`) or by its name.

    Names are those in `base`'s own `experiments` folder, if it has one, and those that come with the workflow.
    Raises ConfigurationError if the name is unknown.
    """
    if name.endswith((".yaml", ".yml")):
        return base / name
    paths = experiments(base)
    if name not in paths:
        raise ConfigurationError(f"config.yaml: experiment: {unknown('experiment', name, paths)}")
    return paths[name]


def experiments(base: Path) -> dict[str, Path]:
    """Name -> file of every experiment that can be run by its name from `base`."""
    return layers.named([base / "experiments", installation.experiments()])


def _root(name: str, experiment: Experiment, roots: Mapping[str, str | None], base: Path) -> Path:
    corpus = experiment.corpora[name]
    if corpus.demo:
        if corpus.layout not in FOLDERS:
            raise ConfigurationError(
                f"corpora.{name}: no demo corpus has the layout {corpus.layout}; choose from {', '.join(FOLDERS)}"
            )
        return Path("results/demo") / FOLDERS[corpus.layout]
    root = base / str(roots[name])
    if not root.is_dir():
        raise ConfigurationError(f"config.yaml: corpora.{name}: {root} is not a folder; correct the path")
    return root


def _check_weights(experiment: Experiment, folder: Path) -> None:
    for name in experiment.codecs_run():
        weights = experiment.codecs[name].weights
        if isinstance(weights, Local) and not weights.path(name, folder).exists():
            raise ConfigurationError(
                f"codecs.{name}.weights: {weights.path(name, folder)} does not exist; "
                f"put the weights there, or set `weights:` in config.yaml to their folder"
            )
