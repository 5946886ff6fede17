"""Settings of which exactly one is given."""

from typing import Any

from codecfake.base.settings import fault


def exactly_one(values: dict[str, Any]) -> None:
    """Raise SettingsError unless exactly one of the named values is not None."""
    names = [name for name, value in values.items() if value is not None]
    if len(names) != 1:
        raise fault(f"give exactly one of {', '.join(values)}; found {', '.join(names) or 'none'}")
