"""Which software, settings and seeds a report comes from."""

import platform
from importlib import metadata
from typing import Any

import yaml

from codec_wrappers import packages
from codecfake import __version__

PACKAGES = (
    "numpy", "scipy", "pandas", "pyarrow", "soundfile", "soxr", "librosa", "pesq", "pystoi", "matplotlib", "jinja2",
    "torch", "transformers", *packages(), "snakemake",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Versions in the environment that writes the report; missing packages are named as such."""
    own = {"codecfake": __version__, "python": platform.python_version()}
    return own | {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def as_yaml(values: dict[str, Any]) -> str:
    """Settings as YAML, in their order."""
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)
