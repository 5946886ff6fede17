"""`~` in paths: the home folder, in settings and on the command line as in a shell."""

import argparse
from pathlib import Path


def expanded(path: str) -> str:
    """A path whose leading `~` or `~user` is replaced by that home folder; unchanged if there is no such folder."""
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError:
        return path


def expand_options(options: argparse.Namespace) -> argparse.Namespace:
    """Expand the paths among the options of a command, which a shell leaves in `--option=~/folder` or in quotes."""
    for name, value in vars(options).items():
        if isinstance(value, Path):
            setattr(options, name, Path(expanded(str(value))))
        elif isinstance(value, list):
            setattr(options, name, [Path(expanded(str(item))) if isinstance(item, Path) else item for item in value])
    return options
