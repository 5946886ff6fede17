"""codecfake: codec-fake speech datasets and the detectors measured on them."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The Python API (`codecfake.load_codec`, …), which is imported on first use."""
    return getattr(import_module("codecfake.api"), name)


def __dir__() -> list[str]:
    return ["__version__", *import_module("codecfake.api").__all__]
