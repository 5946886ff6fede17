"""The numbers that a regression of source tracing predicts, as the experiment defines them before any audio exists."""

from collections.abc import Iterable, Iterator

import codec_wrappers
from codec_wrappers.codec import bitrate_kbps
from codecfake.base.settings import Fault
from codecfake.experiment.schema import Experiment
from codecfake.protocols.lists import RECORDINGS
from codecfake.protocols.traced_quantities import Quantity
from codecfake.protocols.tracing import OF


def values(experiment: Experiment, sources: Iterable[str], quantity: Quantity) -> dict[str, float]:
    """Source -> its value, of the sources that have one; bit rates are true ones, in kbit/s."""
    pairs = ((source, _value(experiment, source, quantity)) for source in sources)
    return {source: value for source, value in pairs if value is not None}


def faults(experiment: Experiment, sources: Iterable[str], quantity: Quantity) -> Iterator[Fault]:
    """A fault for each source that has no value, which training needs."""
    for source in sources:
        if _is_speech(experiment, source):
            text = f"no codec made source {source}, so it has no {quantity}; list it under `unseen`"
            yield Fault(("sources",), text)
        elif _value(experiment, source, quantity) is None:
            text = f"the codec of source {source} states no {quantity}; predict quantizers, or list it under `unseen`"
            yield Fault(("sources",), text)


def _is_speech(experiment: Experiment, source: str) -> bool:
    """Whether it is recordings, or a control that has their samples."""
    if source == RECORDINGS or OF in source:
        return True
    return codec_wrappers.entry(experiment.codecs[experiment.codec_of(source)].wrapper).is_control


def _value(experiment: Experiment, source: str, quantity: Quantity) -> float | None:
    if _is_speech(experiment, source):
        return None
    codec = experiment.codecs[experiment.codec_of(source)]
    quantizers = codec.generated()[codec.coded_by(source)]
    if quantity == "quantizers":
        return float(quantizers)
    shape = codec_wrappers.shape(codec.wrapper, codec.model)
    return None if shape is None or shape.sample_rate is None else bitrate_kbps(shape, quantizers)
