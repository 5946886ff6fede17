"""The YAML header of a README.md on the Hugging Face Hub: which files are the splits of which configuration."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from codecfake.base import bounded_yaml
from codecfake.publishing.clips import Place, PublishingError

README = "README.md"
HEADER = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
SPLIT_IN_NAME = re.compile(r"(?:^|[/_.-])(train|dev|valid|validation|test|eval|evaluation)(?=[/_.\d-]|$)")

Configurations = Mapping[str, Mapping[str, list[str]]]  # part -> split -> globs of files


def as_text(values: Mapping[str, Any]) -> str:
    """The header with its fences; the order of keys is kept."""
    return f"---\n{yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=120)}---\n"


def configs(configurations: Configurations) -> list[dict[str, Any]]:
    """The value of the key `configs`."""
    return [
        {"config_name": part, "data_files": [{"split": split, "path": paths} for split, paths in splits.items()]}
        for part, splits in configurations.items()
    ]


def places_by_file(folder: Path, pattern: str) -> dict[str, tuple[Place, ...]]:
    """Every file that matches `pattern`, relative to `folder`, with its configurations and splits.

    Without configurations in README.md, the part is "", and the split is a word in the path, or "".
    Raises PublishingError if the header cannot be read.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in folder.glob(pattern) if path.is_file())
    globs = list(_globs(folder))
    if not globs:
        return {name: (Place("", split_in_name(name)),) for name in names}
    places: dict[str, set[Place]] = {}
    for place, glob in globs:
        for path in folder.glob(glob):
            places.setdefault(path.relative_to(folder).as_posix(), set()).add(place)
    return {name: tuple(sorted(places[name])) for name in names if name in places}


def split_in_name(name: str) -> str:
    """The word for a split in the path of a file; "" without one."""
    matches = SPLIT_IN_NAME.findall(name)
    return matches[-1] if matches else ""


def _globs(folder: Path) -> Iterator[tuple[Place, str]]:
    """The part, the split and the glob of each data file that the header names."""
    for config in _header(folder).get("configs") or []:
        part, data_files = str(config.get("config_name", "default")), config.get("data_files", [])
        entries = data_files if isinstance(data_files, list) else [data_files]
        for entry in entries:
            split, paths = (
                (entry.get("split", "train"), entry.get("path", [])) if isinstance(entry, dict) else ("", entry)
            )
            for glob in paths if isinstance(paths, list) else [paths]:
                yield Place(part, str(split)), str(glob)


def _header(folder: Path) -> dict[str, Any]:
    path = folder / README
    match = HEADER.match(path.read_text(encoding="utf-8")) if path.is_file() else None
    if match is None:
        return {}
    try:
        values = bounded_yaml.load(match[1])
    except yaml.YAMLError as error:
        raise PublishingError(f"{path}: its header is not YAML ({error}); correct it") from error
    if not isinstance(values, dict):
        raise PublishingError(f"{path}: its header is not a YAML mapping; correct it")
    return values
