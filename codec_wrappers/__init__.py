"""One small module per codec, all of the same shape: `build(model)` and `load(model, weights)` give a `Codec`."""

from importlib import import_module
from types import ModuleType

WRAPPERS = (
    "passthrough", "soundstream", "speechtokenizer", "funcodec", "encodec", "audiodec", "academicodec", "dac", "lyra",
)  # fmt: skip


ON_CPU = ("passthrough", "lyra")  # have nothing to run on a GPU


def wrapper(name: str) -> ModuleType:
    """The wrapper module of that name. Raises ValueError if there is none."""
    if name not in WRAPPERS:
        raise ValueError(f"unknown codec wrapper {name!r}; known wrappers: {', '.join(WRAPPERS)}")
    return import_module(f"codec_wrappers.{name}")
