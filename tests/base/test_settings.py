"""Settings: JSON to frozen dataclasses, and errors that name what is wrong."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from codecfake.base.settings import SettingsError, from_json


@dataclass(frozen=True)
class Inner:
    depth: int = 1


@dataclass(frozen=True)
class Example:
    rate: float
    names: list[str] = field(default_factory=list)
    inner: Inner | None = None
    folder: Path = Path()
    anything: dict[str, Any] = field(default_factory=dict)
    rate_or_word: int | str = 16000


def test_settings_are_built_through_and_through() -> None:
    built = from_json(
        Example, '{"rate": 1, "names": ["a"], "inner": {"depth": 2}, "folder": "x", "rate_or_word": "native"}'
    )
    assert built == Example(1.0, ["a"], Inner(2), Path("x"), {}, "native")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"rate": 1, "speed": 2}', "unknown setting 'speed'; known settings: anything, folder"),
        ("{}", "setting 'rate' is missing"),
        ('{"rate": "fast"}', "Example.rate: expected a number, found 'fast'"),
        ('{"rate": true}', "Example.rate: expected a number, found true"),
        ('{"rate": 1, "names": "a"}', "Example.names: expected a list"),
        ('{"rate": 1, "inner": {"deep": 2}}', "Example.inner: unknown setting 'deep'"),
        ('{"rate": 1, "rate_or_word": 1.5}', "Example.rate_or_word"),
        ('{"rate"', "Example: the settings are not JSON (Expecting ':' delimiter: line 1 column 8"),
        ("null", "Example: expected a JSON object of settings, found nothing"),
        ("[" * 100_000, "not JSON (it is nested too deeply)"),
        ('{"rate": ' + "9" * 6000 + "}", "not JSON (a number of 6,000 digits, at most 100)"),
        ('{"rate": 1, "names": ' + '{"a": "' + "x" * 10_000 + '"}}', "expected a list, found {'a': 'x"),
    ],
    ids=lambda text: text[:40],
)
def test_a_wrong_setting_is_named(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)) as error:
        from_json(Example, text)
    assert len(str(error.value)) < 1000
