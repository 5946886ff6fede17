"""Where the files of the workflow are: inside the installed package, or in the checkout that the package is part of.

No other code computes such a path from the location of its own file.
"""

import os
import sys
from pathlib import Path

PACKAGES = ("codecfake", "codec_wrappers")
PACKAGE = Path(__file__).parents[1]
NO_DEPS = "envs/no-deps.txt"
INSIDE = "workflow"  # the folder of an installed package, see pyproject.toml


class InstallationError(RuntimeError):
    """The files of the workflow, or packages that it needs, are not installed."""


def workflow_folder() -> Path:
    """The folder with Snakefile, rules, envs, profiles, experiments, protocols and config.yaml.

    Raises InstallationError if it is missing.
    """
    for folder in (PACKAGE / INSIDE, PACKAGE.parent):
        if (folder / "Snakefile").is_file():
            return folder
    raise InstallationError(
        f"the workflow's files are missing: neither {PACKAGE / INSIDE} nor {PACKAGE.parent} has a Snakefile; "
        f"install codecfake again"
    )


def is_checkout() -> bool:
    """Whether the package is used from its source tree, an editable installation included."""
    return workflow_folder() == PACKAGE.parent


def snakefile() -> Path:
    """The Snakefile of the workflow."""
    return workflow_folder() / "Snakefile"


def experiments() -> Path:
    """The folder of the experiments that come with the workflow."""
    return workflow_folder() / "experiments"


def paper_tables() -> Path:
    """The folder of the numbers printed in the papers."""
    return workflow_folder() / "protocols" / "published"


def install_codecs() -> list[str]:
    """The command that installs the codec packages without their dependencies; envs/no-deps.txt says why."""
    return [sys.executable, "-m", "pip", "install", "--no-deps", "-r", str(workflow_folder() / NO_DEPS)]


def codec_packages() -> list[str]:
    """The packages that `install_codecs` installs."""
    lines = (workflow_folder() / NO_DEPS).read_text(encoding="utf-8").splitlines()
    return [line.partition("==")[0] for line in lines if "==" in line]


def import_folder(links: Path) -> Path:
    """The folder that jobs put on PYTHONPATH: the checkout, or the new folder `links` with the two packages alone.

    A job in a conda environment must import our packages, but nothing else from the environment of the main process:
    site-packages itself would bring its torch and pandas along.
    """
    if is_checkout():
        return PACKAGE.parent
    links.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        _link(links / name, PACKAGE.parent / name)
    return links.resolve()


def _link(path: Path, target: Path) -> None:
    """Make `path` a link to `target` in one step, since other processes may be reading it."""
    if path.is_symlink() and path.readlink() == target:
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.symlink_to(target)
    temporary.replace(path)
