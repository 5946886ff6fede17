"""Packages that only some generators need, from the optional dependencies `generators`."""

from importlib import import_module
from typing import Any

from codecfake.generators.generator import GeneratorError


def required(module: str, purpose: str) -> Any:
    """Import a module. Raises GeneratorError if it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise GeneratorError(
            f"{purpose} needs the package {error.name!r}, which is not installed; "
            f"install it with: pip install 'codecfake[generators]'"
        ) from error
