"""Mappings of settings, one laid over another."""

from typing import Any


def laid_over(base: Any, over: Any) -> Any:
    """`over` merged into `base`: mappings key by key; anything else is replaced."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: laid_over(base.get(key), value) for key, value in over.items()}}
