"""Tables of the parts that settings can name: one entry per part; names from outside the package work too.

An entry says where the part is implemented and which settings it takes. Reading it does not need the part's own
libraries, so an experiment can be checked where they are not installed.
"""

import dataclasses
import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from codecfake.base import files, plugins, settings
from codecfake.base.settings import SettingsError
from codecfake.base.suggestions import unknown

P = TypeVar("P", bound="Part")


@dataclass(frozen=True)
class Part:
    """A part: `module:name` of its class, and the dataclass of its settings; None if it takes a plain mapping."""

    implementation: str
    settings: type | None
    is_outside: bool = False  # from outside the package

    def load(self) -> Any:
        """Import the class with everything it needs."""
        return plugins.load(self.implementation)

    def build_settings(self, values: Mapping[str, Any]) -> Any:
        """Its settings. Raises SettingsError, or the error of the settings class, for invalid values."""
        return dict(values) if self.settings is None else settings.build(self.settings, values)

    def complete(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Its settings as plain values, with every default spelled out."""
        own = self.build_settings(values)
        return dataclasses.asdict(own) if dataclasses.is_dataclass(own) else own  # type: ignore[arg-type]

    def code(self) -> Path | None:
        """The file beside the experiment that implements it, if there is one."""
        # asking about a built-in part would import its libraries
        return plugins.file_of(self.implementation) if self.is_outside else None

    def code_sha256(self) -> str:
        """Digest of that file; empty for installed parts."""
        path = self.code()
        return "" if path is None else files.sha256(path)


class Registry(Generic[P]):
    """The parts of one kind by name, in the order of listing."""

    def __init__(self, kind: str, parts: Mapping[str, P], context: tuple[type, ...] = ()) -> None:
        """`context`: dataclasses that a part's class takes in addition to its settings."""
        self.kind, self._parts, self._context = kind, dict(parts), context
        self._entry = type(next(iter(parts.values())))

    def __iter__(self) -> typing.Iterator[str]:
        return iter(self._parts)

    def part(self, name: str) -> P:
        """The part with a name: built in, or `module:name`. Raises SettingsError if the name is unknown."""
        if plugins.is_outside(name):
            return self._entry(name, self._settings_of(plugins.load(name)), is_outside=True)
        if name not in self._parts:
            raise SettingsError(unknown(self.kind, name, self._parts))
        return self._parts[name]

    def _settings_of(self, implementation: Any) -> type | None:
        """The dataclass that annotates a parameter of a class or function from outside."""
        function = implementation.__init__ if inspect.isclass(implementation) else implementation
        hints = typing.get_type_hints(function)
        parameters = (hints.get(name) for name in inspect.signature(function).parameters)
        kinds = [hint for hint in parameters if dataclasses.is_dataclass(hint) and hint not in self._context]
        return kinds[0] if kinds else None  # type: ignore[return-value]
