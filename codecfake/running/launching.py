"""The command that starts the workflow from any folder, with the Snakemake of this environment."""

import importlib.util
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from codecfake.base import installation
from codecfake.base.installation import InstallationError
from codecfake.base.validation import require_syntax

CONFIG = "config.yaml"


class LaunchError(ValueError):
    """Arguments for Snakemake conflict with those that this program passes."""


@dataclass(frozen=True)
class Launch:
    """What the user wants to run; relative paths in it and in config.yaml start from `folder`."""

    folder: Path
    experiment: str | None = None
    directory: Path | None = None  # None: the current folder
    cores: str = "all"
    config: Sequence[str] = ()  # NAME=VALUE
    of_snakemake: Sequence[str] = field(default=())  # further options and targets, passed on unchanged


def command(launch: Launch) -> list[str]:
    """The command line of Snakemake.

    Raises InstallationError without Snakemake, LaunchError for arguments that cannot be passed on, and
    ConfigurationError for a config.yaml that is not YAML.
    """
    if importlib.util.find_spec("snakemake") is None:
        raise InstallationError("Snakemake is not installed here; run `pip install 'codecfake[workflow]'`")
    for argument in launch.of_snakemake:
        if argument.split("=")[0] in ("--config", "-C", "--snakefile", "-s", "--directory", "-d"):
            raise LaunchError(f"{argument}: give --config, --run and the experiment before `--`, not after it")
    if launch.directory is not None and launch.directory.exists() and not launch.directory.is_dir():
        raise LaunchError(f"--run {launch.directory}: this is a file; name a folder")
    _check_config(launch)
    site = _config(launch)
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(installation.snakefile())),
        *(["--directory", str(launch.directory)] if launch.directory else []),
        *(["--configfile", str(site)] if site else []),
        *("--config", *_settings(launch)),
        *("--cores", launch.cores),
        *launch.of_snakemake,
    ]


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Environment variables for Snakemake: its jobs must find the Python of this process first."""
    here = str(Path(sys.executable).parent)
    return {**variables, "PATH": os.pathsep.join([here, variables.get("PATH", os.defpath)])}


def start(launch: Launch) -> None:
    """Replace this process with Snakemake: signals reach it directly, and its exit status is ours."""
    words = command(launch)
    os.execve(words[0], words, environment(os.environ))


def _config(launch: Launch) -> Path | None:
    """The current folder's config.yaml. The Snakefile finds the run directory's own, or else the shipped one."""
    path = launch.folder / CONFIG
    if (launch.directory is not None and (launch.directory / CONFIG).exists()) or not path.exists():
        return None
    return path.resolve()


def _check_config(launch: Launch) -> None:
    """Raise ConfigurationError for a config.yaml that is not YAML: Snakemake's own message does not name the file."""
    for folder in filter(None, (launch.directory, launch.folder)):
        if (folder / CONFIG).exists():
            require_syntax(folder / CONFIG)
            return


def _settings(launch: Launch) -> list[str]:
    items = {item.partition("=")[0]: item for item in launch.config}
    for name, item in items.items():
        if "=" not in item:
            raise LaunchError(f"--config {item}: write NAME=VALUE, e.g. device=cpu")
        if name == "experiment" and launch.experiment:
            raise LaunchError(f"--config {item}: the experiment is already {launch.experiment!r}; give only one")
    ours = {"relative_to": f"relative_to={launch.folder.resolve()}"}
    if launch.experiment:
        ours["experiment"] = f"experiment={launch.experiment}"
    return list({**ours, **items}.values())
