"""Names of trials in files that write them with different folders and extensions."""

import re
from collections.abc import Sequence

import pandas as pd

EXTENSION = re.compile(r"\.(wav|flac|mp3|m4a|ogg|opus|pt|npy)$", re.IGNORECASE)


def trial_names(raw: Sequence[str]) -> pd.Index:
    """Names without extension, and without folders unless two trials differ by these alone."""
    names = pd.Index([EXTENSION.sub("", name) for name in raw], dtype=object)
    if not has_folders(raw):
        return names
    bases = pd.Index([re.split(r"[/\\]", name)[-1] for name in names], dtype=object)
    return bases if bases.nunique() == names.nunique() else names


def has_folders(raw: Sequence[str]) -> bool:
    return any("/" in name or "\\" in name for name in raw)


def name_paths(raw: Sequence[str]) -> pd.Index:
    """Names with all folders, divided by slashes, and without extension."""
    return pd.Index([EXTENSION.sub("", name).replace("\\", "/") for name in raw], dtype=object)


def same_depth(first: pd.Index, second: pd.Index) -> tuple[pd.Index, pd.Index]:
    """Names of two files from their `name_paths`, with the fewest folders that keep the names of each file apart."""
    folders = max((name.count("/") for names in (first, second) for name in names), default=0)
    for depth in range(1, folders + 2):
        ends = _ends(first, depth), _ends(second, depth)
        if ends[0].nunique() == first.nunique() and ends[1].nunique() == second.nunique():
            return ends
    return first, second


def _ends(names: pd.Index, depth: int) -> pd.Index:
    return pd.Index(["/".join(name.split("/")[-depth:]) for name in names], dtype=object)
