"""The options for cropping, padding, caching and precision. It imports no torch, so experiments are checked quickly."""

from codecfake.detectors.settings import FRONT_ENDS

FIRST, RANDOM = CROPS = ("first", "random")
REPEAT, ZERO = PADS = ("repeat", "zero")
NONE, MEMORY, DISK = CACHES = ("none", "memory", "disk")
EXACT, HALF = PRECISIONS = ("float32", "bfloat16")  # that a front-end computes in
FULL, ROUNDED = FEATURE_PRECISIONS = ("float32", "float16")  # of the features that it gives


def cache_kind(choice: bool | str, front_end: str) -> str:
    """Where features are cached: none, memory or disk; disk only if reading them is faster than computing them."""
    if isinstance(choice, bool):
        return MEMORY if choice else NONE
    return NONE if choice == DISK and not FRONT_ENDS.part(front_end).slow else choice


def feature_precision(choice: str | None, cache: str, front_end: str) -> str:
    """Of the features that a back-end gets. On disk they have half precision; fast front-ends are never rounded."""
    if not FRONT_ENDS.part(front_end).slow:
        return FULL
    return choice or (ROUNDED if cache == DISK else FULL)
