"""Trials that the official evaluation of a corpus leaves out, of keys that have no phases.

They are of the phase `words.EXCLUDED`, all others of phase eval, so `--phase all` counts them too.
"""

from collections.abc import Callable, Sequence
from functools import partial

Exclusion = Callable[[Sequence[str]], bool]  # whether a line with these cells is left out

TAG = "track_2_tag"  # a column of the full keys of ASVspoof 5


def of_header(names: Sequence[str]) -> Exclusion | None:
    """That of keys with these columns, if there is one."""
    return partial(_is_dummy, column=names.index(TAG)) if TAG in names else None


def of_ctrsvdd(cells: Sequence[str]) -> bool:
    """Published results of CtrSVDD are without attack A14 and without recordings of ACESinger.

    acesinger 4 CtrSVDD_9997_E_0000004 - A14 deepfake
    """
    source, _, name, _, attack, _ = cells
    return name.startswith("CtrSVDD_") and (attack == "A14" or source == "acesinger")


def _is_dummy(cells: Sequence[str], column: int) -> bool:
    return cells[column] == "dummy"
