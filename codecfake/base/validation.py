"""Validation of YAML configuration against our JSON schemas, with errors that say what to write instead."""

from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import yaml


class ConfigurationError(ValueError):
    """A configuration file asks for something unknown, missing or impossible."""


def read_yaml(path: Path) -> dict[str, Any]:
    """Parse a YAML mapping. Raises ConfigurationError naming file and line."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: no such file") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path}: expected a mapping of settings, found {type(values).__name__}")
    return values


def validate(values: dict[str, Any], schema: str, where: str) -> None:
    """Check `values` against the named schema. Raises ConfigurationError for the deepest fault."""
    text = resources.files("codecfake.experiment").joinpath(f"schemas/{schema}.schema.yaml").read_text(encoding="utf-8")
    validator = jsonschema.Draft202012Validator(yaml.safe_load(text))
    error = jsonschema.exceptions.best_match(validator.iter_errors(values))
    if error is not None:
        raise ConfigurationError(f"{where}: {_explain(error)}")


def _explain(error: Any) -> str:
    place = ".".join(str(part) for part in error.absolute_path) or "top level"
    if error.validator == "additionalProperties" and error.schema.get("additionalProperties") is False:
        known = sorted(error.schema["properties"])
        unknown = sorted(set(error.instance) - set(known))
        return f"{place}: unknown key {unknown[0]!r}; known keys: {', '.join(known)}"
    if error.validator == "unevaluatedProperties":
        return f"{place}: {error.message.replace('Unevaluated properties are not allowed', 'unknown key')}"
    if error.validator == "oneOf":
        options = [" and ".join(option["required"]) for option in error.schema["oneOf"] if "required" in option]
        return (
            f"{place}: give exactly one of {', '.join(options)}; found {', '.join(map(str, error.instance)) or 'none'}"
        )
    return f"{place}: {error.message}"
