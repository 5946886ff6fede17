"""The choices of how clips are cut, kept and computed, without torch: an experiment is checked before any job."""

from codecfake.detectors.settings import FRONT_ENDS

FIRST, RANDOM = CROPS = ("first", "random")
REPEAT, ZERO = PADS = ("repeat", "zero")
NONE, MEMORY, DISK = CACHES = ("none", "memory", "disk")
EXACT, HALF = PRECISIONS = ("float32", "bfloat16")


def cache_kind(asked: bool | str, front_end: str) -> str:
    """Where features are kept: none, memory or disk; on disk only where reading them back is quicker."""
    if isinstance(asked, bool):
        return MEMORY if asked else NONE
    return NONE if asked == DISK and not FRONT_ENDS.part(front_end).slow else asked
