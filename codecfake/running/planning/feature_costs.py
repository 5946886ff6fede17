"""The size of stored features, and of fine-tuned front-ends, from what is known of a front-end without its weights."""

from collections.abc import Mapping
from typing import Any

from codecfake.base import json_texts
from codecfake.base.hub_models import CONFIG
from codecfake.detectors import shipped_front_ends
from codecfake.detectors.front_end_settings import SslSettings
from codecfake.detectors.settings import FRONT_ENDS, part_of

XLSR_DIMENSION = 1024  # of XLS-R-300M, whose features the rate `bytes.features` is for
AS_TRAINED = 2  # bytes of a weight in float32, in which models are kept, for each byte of the shipped half precision


def relative_size(front_end: Mapping[str, Any]) -> float:
    """Bytes of a clip's features, relative to those of one layer of XLS-R; models of the hub count as XLS-R."""
    part, values = part_of(FRONT_ENDS, front_end)
    settings = part.build_settings(values)
    return settings.num_layers * _dimension(settings) / XLSR_DIMENSION if isinstance(settings, SslSettings) else 1.0


def weight_bytes(front_end: Mapping[str, Any]) -> int | None:
    """Bytes of a shipped front-end in a model that fine-tuned it; None for others, which count as XLS-R."""
    weights = str(front_end.get("weights", ""))
    if not weights.startswith(shipped_front_ends.PREFIX):
        return None
    return AS_TRAINED * (shipped_front_ends.folder(weights) / shipped_front_ends.WEIGHTS).stat().st_size


def _dimension(settings: SslSettings) -> int:
    config = settings.config
    if settings.weights.startswith(shipped_front_ends.PREFIX):
        config = json_texts.read_object(shipped_front_ends.folder(settings.weights) / CONFIG, "install codecfake again")
    return int(config.get("hidden_size", XLSR_DIMENSION))
