"""Which conda environment the jobs of a codec have."""

from codec_wrappers.environment import environment_of
from codecfake.experiment.schema import Experiment

CODECS = "../envs/codecs.yaml"  # from the folder of the rules


def of_codec(experiment: Experiment, codec: str) -> str:
    """The environment file of a codec of the experiment: that of its wrapper, or the one of all codecs."""
    own = environment_of(experiment.codecs[codec].wrapper)
    return CODECS if own is None else str(own)
