"""Settings of the job that generates a shard. They import no torch, so that an experiment is checked quickly."""

from dataclasses import dataclass
from typing import Annotated, Any

from codecfake.audio.settings import NATIVE
from codecfake.base.settings import Of, Range
from codecfake.generators.settings import GeneratorSettings

MIN_DURATION = 0.1  # seconds, as of a recording that ingest accepts


@dataclass(frozen=True)
class ShardSettings:
    """A corpus of fakes, its generator, and how its shards are written."""

    corpus: str
    generator: Annotated[dict[str, Any], Of(GeneratorSettings)]  # without the paths of weights
    num_shards: Annotated[int, Range(least=1)]
    attack: str
    license: str = ""  # of the generator's code and weights
    sample_rate: int | str = 16000  # of the shards; "native": the generator's own
    max_rejected: Annotated[float, Range(least=0, most=1)] = 0.01  # share of the items of a shard

    def rate(self, generated: int) -> int:
        """The sample rate of the shards, for a generator of that rate."""
        return generated if self.sample_rate == NATIVE else int(self.sample_rate)
