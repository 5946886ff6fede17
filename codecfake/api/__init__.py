"""The Python API for notebooks: codecs and detectors for arrays and files, a run's results as data frames, error rates.

Names are imported on first use, so that reading results needs no torch.
"""

from importlib import import_module
from typing import Any

_MODULES = {
    "load_codec": "codecs",
    "load_detector": "detectors",
    "read_protocols": "results",
    "read_scores": "results",
    "eer": "results",
    "compare": "results",
}
__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'codecfake' has no attribute {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(f"codecfake.api.{_MODULES[name]}"), name)
