"""Which clips may be redistributed, by the licenses of their corpus and of the codec or generator that made them."""

import re
from collections.abc import Iterable

from codec_wrappers import UNSTATED
from codec_wrappers.weights.checkpoints import PERMISSIVE

# everybody may pass on unchanged and changed copies, some with credit, under the same license, or not for money
REDISTRIBUTABLE = PERMISSIVE | {
    "CC-BY-3.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "ODC-By-1.0",
    "CDLA-Permissive-2.0",
}  # fmt: skip
CODE_AND_WEIGHTS = re.compile(r"code (.+), weights (.+)")  # as `codecfake.experiment.weights.one_line` writes it
AND = " AND "


def identifiers(line: str) -> list[str]:
    """The identifiers in the license column of a shard: `MIT`, or `code MIT, weights CC-BY-NC-4.0`; none in ""."""
    match = CODE_AND_WEIGHTS.fullmatch(line)
    return list(match.groups()) if match else [line] if line else []


def expression(licenses: Iterable[str]) -> str:
    """An SPDX expression of all licenses that apply at once, each once."""
    return AND.join(dict.fromkeys(licenses)) or UNSTATED


def refused(expression: str, allowed: Iterable[str]) -> list[str]:
    """The identifiers in an SPDX expression that are not allowed."""
    allowed = set(allowed)
    return [identifier for identifier in expression.split(AND) if identifier not in allowed]
