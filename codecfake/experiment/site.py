"""The site: config.yaml resolved on this machine, and the run directory that belongs to one experiment."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codecfake.base import files, installation
from codecfake.base.hidden_files import visible
from codecfake.base.home import expanded
from codecfake.base.settings import Fault, FaultsError, below
from codecfake.base.suggestions import unknown
from codecfake.base.validation import ConfigurationError
from codecfake.corpora import LAYOUTS, layout
from codecfake.corpora.listing import CorpusError
from codecfake.demo import FOLDERS, SOUND_FOLDERS
from codecfake.experiment import containers, ladder_folders, ladders, layers, licenses, reading, released, trainings
from codecfake.experiment.configuration import Configuration, Values, configuration
from codecfake.experiment.optional_corpora import Roots, condition_faults, missing_roots, with_roots
from codecfake.experiment.reading import Reading
from codecfake.experiment.schema import Experiment
from codecfake.experiment.sections import START_FROM, Corpus
from codecfake.experiment.weights import Local

OWNER = "experiment.txt"
WEIGHTS = "weights"  # folder of published weights, unless config.yaml names another


@dataclass(frozen=True)
class Site:
    experiment: Experiment
    experiment_as_written: dict[str, Any]  # the YAML, for the report
    roots: dict[str, Path]
    weights: Path
    device: str
    check_disk: bool
    container: str | None = None  # as Snakemake takes it

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

    def start_of(self, codec: str) -> list[str]:
        """The weight files that a codec's training starts from."""
        start = self.experiment.codecs[codec].start_from
        return [] if start is None else start.inputs(codec, self.weights)

    def start_argument(self, codec: str) -> list[str]:
        """The command-line arguments that name them."""
        start = self.experiment.codecs[codec].start_from
        return [] if start is None else ["--start-from", str(start.path(codec, self.weights))]

    def released_file(self, detector: str, training_set: str, strategy: str) -> str:
        """The checkpoint of a released detector: provided by the user, or fetched by the workflow."""
        weights = released.weights_at(self.experiment, detector, training_set, strategy)
        return str(released.path_of(weights, self.weights))

    def generator_weights_of(self, corpus: str) -> list[str]:
        """The weight files that the generator of a corpus reads, its codec's included."""
        generation = self.experiment.generated()[corpus]
        weights = (generation.weights_used, generation.codec_weights_used)
        return [path for each in weights for path in each.inputs(corpus, self.weights)]

    def generator_weights_arguments(self, corpus: str) -> list[str]:
        """The command-line arguments that name them."""
        generation = self.experiment.generated()[corpus]
        options = {"--weights": generation.weights_used, "--codec-weights": generation.codec_weights_used}
        paths = {option: weights.path(corpus, self.weights) for option, weights in options.items()}
        return [text for option, path in paths.items() if path is not None for text in (option, str(path))]


@dataclass(frozen=True)
class Outcome:
    """Of a check: every fault of a configuration and its experiment, and what could be read beside them."""

    faults: list[str]
    title: str | None  # of the experiment
    site: Site | None  # if there are no faults


def read(config: Mapping[str, Any], base: Path) -> Site:
    """Validate config.yaml (as `config`) and the experiment it names; relative paths are relative to `base`.

    Raises ConfigurationError for anything unknown, missing or impossible, before any job.
    """
    result = check(config, base)
    if result.site is None:
        raise ConfigurationError("\n".join(result.faults))
    return result.site


def check(config: Mapping[str, Any], base: Path, files: Iterable[Path] = ()) -> Outcome:
    """The same with all faults instead of an error; `files` are those that `config` was read from."""
    values = Values(config, files)
    settings, faults = values.sound()
    lines = values.damages + [values.message(fault) for fault in faults]
    if settings is None:
        return Outcome(lines, None, None)
    try:
        file = _reading(settings.experiment, base)
    except FaultsError as error:
        return Outcome([*lines, *map(values.message, error.faults)], None, None)
    except ConfigurationError as error:
        return Outcome([*lines, *str(error).splitlines()], None, None)
    of_machine = [*_root_faults(file.corpora(), settings, base), *containers.faults(settings.container, base)]
    lines += map(values.message, of_machine)
    lines += file.messages([*file.faults, *_machine_faults(file.experiment, settings, base)])
    if file.experiment is None:
        return Outcome(lines, None, None)
    return Outcome(lines, file.experiment.title, None if lines else _site(file, settings, base))


def _reading(name: str, base: Path) -> Reading:
    with below("experiment"):
        path = experiment_path(name, base)
    return reading.check(path)


def _site(file: Reading, settings: Configuration, base: Path) -> Site:
    assert file.experiment is not None
    experiment = with_roots(file.experiment, settings.corpora, settings.generate)
    recorded = ((name, corpus) for name, corpus in experiment.corpora.items() if corpus.generation is None)
    roots = {name: _root(name, corpus, settings.corpora, base) for name, corpus in recorded}
    weights = base / (settings.weights or WEIGHTS)
    container = None if settings.container is None else containers.image(settings.container, base)
    return Site(experiment, file.layers.values(), roots, weights, settings.device, settings.check_disk, container)


def read_without_corpora(config: Mapping[str, Any], base: Path, optional: bool = False) -> Experiment:
    """The experiment that config.yaml names, for a plan: its corpora need not exist.

    Optional corpora without a root are omitted, as in a run, unless `optional`. Raises ConfigurationError.
    """
    settings = configuration(config)
    experiment = reading.load(experiment_path(settings.experiment, base))
    corpora = experiment.corpora.items()
    names = (name for name, item in corpora if item.generation is None and (optional or not item.optional))
    roots: dict[str, str | None] = {**settings.corpora}
    roots |= {name: roots.get(name) or "not yet there" for name in names}
    for fault in condition_faults(experiment, roots, settings.generate):
        raise ConfigurationError(f"{experiment.title}: {fault}, or plan with all of them: --optional")
    return with_roots(experiment, roots, settings.generate)


def check_run_directory(title: str, results: Path) -> None:
    """Refuse to mix two experiments in one `results/`: the second would overwrite the first; and a path with braces."""
    if {"{", "}"} & set(str(results.resolve())):
        raise ConfigurationError(
            f"{results.resolve().parent}: Snakemake takes braces in the path of a run directory for wildcards; "
            f"run in another directory: snakemake --directory runs/NAME …"
        )
    owner = results / OWNER
    try:
        files.require_seal(owner)
    except files.FileError as error:
        raise ConfigurationError(str(error)) from error
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
    Raises ConfigurationError if there is no such file or name.
    """
    if name.endswith(layers.SUFFIXES):
        name = expanded(name)
        if not (base / name).is_file():
            raise ConfigurationError(f"there is no file {base / name}; correct the path, or move the file there")
        return base / name
    paths = experiments(base)
    if name not in paths:
        beside = [path for path in (base / f"{name}{suffix}" for suffix in layers.SUFFIXES) if path.is_file()]
        hint = f"; for the file {beside[0]}, write {name}{beside[0].suffix}" if beside else ""
        raise ConfigurationError(f"{unknown('experiment', name, paths)}{hint}")
    return paths[name]


def experiments(base: Path) -> dict[str, Path]:
    """Name -> file of every experiment that can be run by its name from `base`."""
    return layers.by_name([base / "experiments", installation.experiments()])


def _root_faults(corpora: Mapping[str, Corpus], settings: Configuration, base: Path) -> Iterator[Fault]:
    roots = settings.corpora
    yield from missing_roots(corpora, roots, settings.generate)
    for name in settings.generate if not isinstance(settings.generate, bool) else ():
        if name not in corpora or corpora[name].generation is None:
            names = [each for each, corpus in corpora.items() if corpus.generation is not None]
            yield Fault(("generate",), unknown("corpus with a generator", name, names))
    for name in corpora:
        root = None if corpora[name].demo else roots.get(name)
        if root and not (base / root).is_dir():
            yield Fault(("corpora", name), f"{base / root} is not a folder; correct the path")
        elif root and corpora[name].layout in LAYOUTS:
            yield from _layout_faults(name, corpora[name], base / root)


def _layout_faults(name: str, corpus: Corpus, root: Path) -> Iterator[Fault]:
    """Of a folder that holds anything; an empty one may get its corpus before its job starts."""
    try:
        if visible(root.iterdir()):
            layout(corpus.layout).require(root, corpus.options)
    except CorpusError as error:
        yield Fault(("corpora", name), str(error))
    except OSError as error:
        yield Fault(("corpora", name), f"{root} cannot be listed ({error.strerror}); check its permissions")


def _machine_faults(experiment: Experiment | None, settings: Configuration, base: Path) -> Iterator[Fault]:
    """Faults of an experiment on this machine, and the licenses that it refuses."""
    if experiment is None:
        return
    yield from _demo_faults(experiment)
    yield from trainings.device_faults(experiment, settings.device)
    yield from condition_faults(experiment, settings.corpora, settings.generate)
    run = with_roots(experiment, settings.corpora, settings.generate)
    folder = base / (settings.weights or WEIGHTS)
    yield from _weights_faults(run, folder)
    yield from released.file_faults(run, folder)
    yield from licenses.license_faults(run)
    yield from ladder_folders.faults(run)


def _demo_faults(experiment: Experiment) -> Iterator[Fault]:
    for name, corpus in experiment.corpora.items():
        if corpus.demo and corpus.layout not in FOLDERS:
            text = f"there is no demo corpus of layout {corpus.layout}; choose from {', '.join(FOLDERS)}"
            yield Fault(("corpora", name, "layout"), text)
        if corpus.demo and corpus.layout in SOUND_FOLDERS and not experiment.demo.get("sound_sources"):
            text = f"the demo has no sounds for corpus {name}; set how many sources it has, such as 40"
            yield Fault(("demo", "sound_sources"), text)


def _weights_faults(experiment: Experiment, folder: Path) -> Iterator[Fault]:
    for name in ladders.codecs_used(experiment):
        codec = experiment.codecs[name]
        for weights, keys in ((codec.weights, ("weights",)), (codec.start_from, ("training", START_FROM))):
            if isinstance(weights, Local) and not weights.path(name, folder).exists():
                yield Fault(("codecs", name, *keys), _no_weights(weights.path(name, folder)))
    for name, generation in experiment.generated().items():
        for key, used in (("weights", generation.weights_used), ("codec_weights", generation.codec_weights_used)):
            if isinstance(used, Local) and not used.path(name, folder).exists():
                yield Fault(("corpora", name, "generation", key), _no_weights(used.path(name, folder)))


def _no_weights(path: Path) -> str:
    return f"{path} does not exist; put the weights there, or set `weights:` in config.yaml to their folder"


def _root(name: str, corpus: Corpus, roots: Roots, base: Path) -> Path:
    return Path("results/demo") / FOLDERS[corpus.layout] if corpus.demo else base / str(roots[name])
