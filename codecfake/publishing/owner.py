"""Which experiment a run directory belongs to."""

from pathlib import Path

from codecfake.experiment import reading, site
from codecfake.experiment.schema import Experiment
from codecfake.publishing.clips import PublishingError


def experiment_of(run: Path, name: str | None) -> tuple[Experiment, str]:
    """The experiment of a run and its name or file: `name`, or the one that can be run by its name from here.

    Raises PublishingError if the run has no results, or those of another experiment.
    """
    owner = run / "results" / site.OWNER
    if not owner.is_file():
        raise PublishingError(f"{owner}: missing; name the directory of a finished run, the one of --run")
    title = owner.read_text(encoding="utf-8").strip()
    known = name or _name_of(title)
    # optional corpora are read, as their roots are no business of a publication
    experiment = site.read_without_corpora({"experiment": known}, Path(), optional=True)
    if experiment.title != title:
        raise PublishingError(
            f"{run} holds the results of {title!r}, but --experiment {known} is {experiment.title!r}; "
            f"name the experiment of the run"
        )
    return experiment, known


def _name_of(title: str) -> str:
    """The experiment with a title, among those that can be run by name."""
    paths = site.experiments(Path())
    name = next((name for name, path in paths.items() if reading.read(path).get("title") == title), None)
    if name is None:
        raise PublishingError(f"no experiment here has the title {title!r}; name its YAML file with --experiment")
    return name
