"""Golden vectors: numbers that official code gave, by the scheme of the README beside them.

A vector is an `.npz` of arrays and a `.json` that says what made them. Nothing here knows which files there are.
"""

import importlib.util
import json
import os
import re
import zipfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from places import SHARED
from torch import Tensor

FOLDER = Path(os.environ.get("CODECFAKE_GOLDEN") or SHARED / "golden")
DETECTORS_FOLDER = Path(os.environ.get("CODECFAKE_GOLDEN_DETECTORS") or SHARED / "golden_detectors")
LATENT_LIMIT, OUTPUT_LIMIT, FREQCODEC_LIMIT, LOGIT_LIMIT = 1e-4, 2e-4, 5e-4, 1e-4  # the README's
NARROW = 1e-4  # a code may turn into another where the best two are as near as that


class UnknownVectorError(AssertionError):
    """A golden file holds something that no rule understands; it would otherwise go unchecked."""


class Vector:
    """One golden file: its arrays, and the weights that the recipe gives."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.npz"
        self.name = name

    @cached_property
    def about(self) -> dict[str, Any]:
        path = self.path.with_suffix(".json")
        if not path.is_file():
            raise self.unknown(f"there is no {path.name} to say what made it")
        try:
            return json.loads(path.read_text())
        except ValueError as error:
            raise self.unknown(f"{path.name} is no JSON ({error})") from error

    @cached_property
    def keys(self) -> list[str]:
        """Names of the arrays. Raises UnknownVectorError if the file is absent or damaged."""
        try:
            return list(np.load(self.path).files)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise self.unknown(f"its arrays cannot be read ({error})") from error

    def __contains__(self, key: str) -> bool:
        return key in self.keys

    def __getitem__(self, key: str) -> np.ndarray:
        if key not in self.keys:
            raise self.unknown(f"array {key!r} is needed, and there are {', '.join(self.keys)}")
        return np.load(self.path)[key]

    def tensor(self, key: str) -> Tensor:
        """A stored array with a batch axis, codes as int64."""
        array = self[key]
        return torch.from_numpy(array.astype(np.int64) if array.dtype.kind in "iu" else array.astype(np.float32))[None]

    @cached_property
    def clips(self) -> list[str]:
        """Prefixes of the arrays: those before `_wav`, those of `inputs`, and any other single letter."""
        names = {key.removesuffix("_wav") for key in self.keys if key.endswith("_wav")}
        letters = {key[0] for key in self.keys if re.match(r"[a-z]_", key)}
        return sorted(names | letters | set(self.about.get("inputs", {})), key=len, reverse=True)

    def split(self, key: str) -> tuple[str, str]:
        """Clip and kind of an array: `a_out_6kbps` is `out_6kbps` of `a`."""
        clip = next((clip for clip in self.clips if key.startswith(f"{clip}_")), None)
        if clip is None:
            raise self.unknown(f"array {key!r} begins with none of the clips {', '.join(self.clips)}")
        return clip, key.removeprefix(f"{clip}_")

    @property
    def parts(self) -> list[str]:
        return list(self.about.get("state_dict", {}))

    def shapes(self, part: str = "model") -> dict[str, list[int]]:
        if part not in self.parts:
            raise self.unknown(f"its state_dict has no part {part!r}, but {self.parts}")
        return {key: shape for key, (shape, _) in self.about["state_dict"][part].items()}

    def weights(self, part: str = "model") -> dict[str, Tensor]:
        """The recipe's tensors of one part, under the official names."""
        recipe = self._recipe()
        self.shapes(part)
        arrays = recipe.fill(self.about["state_dict"][part], self.about["seed"])
        for key, factor in self.about.get("fill_scale", {}).get(part, {}).items():
            arrays[key] = (arrays[key].astype(np.float64) * factor).astype(arrays[key].dtype)
        digest = self.about.get("weights_sha256", {}).get(part)
        if digest not in (None, recipe.digest(arrays)):
            raise self.unknown(f"the recipe with seed {self.about['seed']} gives {part} other weights than were used")
        return {key: torch.from_numpy(array) for key, array in arrays.items()}

    def unknown(self, fault: str) -> UnknownVectorError:
        return UnknownVectorError(f"{self.path}: {fault}; correct the file, or add a rule for it to tests/golden_*.py")

    def _recipe(self) -> ModuleType:
        name = "deterministic_weights"
        path = self.path.with_name(f"{name}.py")
        spec = importlib.util.spec_from_file_location(name, path if path.is_file() else FOLDER / path.name)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def published_weights(vector: Vector, name: str) -> Path:
    """The folder `weights/{name}` beside the folder of the vector, or else beside the checkout."""
    folders = [beside / "weights" / name for beside in (vector.path.parents[1], SHARED)]
    return next((folder for folder in folders if folder.is_dir()), folders[-1])


def find(folder: Path) -> list[Vector]:
    """Every golden file of a folder; arrays without a JSON, and the reverse, too."""
    names = {path.stem for ending in ("npz", "json") for path in folder.glob(f"*.{ending}")}
    return [Vector(folder, name) for name in sorted(names)]


def kind_or_none(rule: Callable[[Vector], str | None], vector: Vector) -> str | None:
    """What a file is of; None, too, for one that cannot be read, for which `test_golden_vectors.py` fails."""
    try:
        return rule(vector) if vector.keys else None
    except UnknownVectorError:
        return None


def assert_close(ours: Tensor, expected: np.ndarray, limit: float, absolute: float = np.inf) -> None:
    """Shapes are equal, and no number differs by more than `limit` standard deviations of what is expected."""
    ours = ours.detach().cpu().numpy()
    assert ours.shape == expected.shape
    difference = np.abs(ours - expected).max(initial=0.0)
    bound = min(limit * expected.std(), absolute)
    assert difference <= bound, f"differs by {difference:.3g}, {difference / bound:.3g} times what is allowed"


def assert_latent(ours: Tensor, expected: np.ndarray) -> None:
    assert_close(ours, expected, LATENT_LIMIT, absolute=LATENT_LIMIT)


def assert_items(ours: Tensor, expected: np.ndarray) -> None:
    """As `assert_close` for hidden states `[B, …]`, by the standard deviation of each item."""
    assert tuple(ours.shape) == expected.shape
    for item, theirs in zip(ours, expected, strict=True):
        assert_close(item, theirs, LATENT_LIMIT)


def assert_logits(ours: Tensor, expected: np.ndarray) -> None:
    assert tuple(ours.shape) == expected.shape
    excess = np.abs(ours.detach().numpy() - expected) / (LOGIT_LIMIT * (1 + np.abs(expected)))
    assert excess.max() <= 1, f"logits differ by {excess.max():.3g} times what is allowed"


def assert_codes(ours: np.ndarray, expected: np.ndarray, margin: np.ndarray | None, groups: int = 1) -> None:
    """Codes `[Q, F]` are equal, but where a narrow choice, or one before it in its frame, explains the difference."""
    assert ours.shape == expected.shape
    faults = np.argwhere(unexplained(ours != expected, margin, groups))
    if len(faults):
        row, frame = faults[0]
        gap = "" if margin is None else f"; the margin there is {margin[row, frame]:.3g}"
        raise AssertionError(
            f"{len(faults)} codes differ without a narrow margin, the first is {ours[row, frame]} for "
            f"{expected[row, frame]} in row {row}, frame {frame}{gap}"
        )


def unexplained(differs: np.ndarray, margin: np.ndarray | None, groups: int = 1) -> np.ndarray:
    """Which differences `[Q, F]` are faults.

    One at a margin below 1e-4 is none, nor are those in later rows of its frame: they code what it left over. With
    `groups`, every so many rows code the same channels, and only those follow from each other.
    """
    if margin is None:
        return differs
    explained = np.zeros_like(differs)
    for group in range(groups):
        turned = differs[group::groups] & (margin[group::groups] < NARROW)
        explained[group::groups] = np.logical_or.accumulate(turned, axis=0)
    return differs & ~explained
