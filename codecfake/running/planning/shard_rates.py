"""The sample rate of a codec's shards."""

import codec_wrappers
from codec_wrappers.resynthesis.settings import ResynthesisSettings
from codecfake.audio.settings import NATIVE


def shard_rate(settings: ResynthesisSettings) -> int | str:
    """In Hz; native: that of the recordings."""
    if settings.sample_rate != NATIVE:
        return settings.sample_rate
    shape = codec_wrappers.shape(settings.wrapper, settings.model)
    return (shape.sample_rate if shape else codec_wrappers.entry(settings.wrapper).sample_rate) or NATIVE
