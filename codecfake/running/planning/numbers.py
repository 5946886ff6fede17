"""Numbers that the costs of several rules have."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from codecfake.base.utterances import BONAFIDE
from codecfake.running.planning import operations
from codecfake.running.planning.clip_settings import ClipSettings, keeps_front_end, length
from codecfake.running.planning.clip_settings import precision as precision_of
from codecfake.running.planning.counts import HOUR, sum_of
from codecfake.running.planning.feature_costs import relative_size, weight_bytes
from codecfake.running.planning.rates import RateTable
from codecfake.running.planning.steps import Amount, amount
from codecfake.running.planning.trial_counts import TrialCounts
from codecfake.training.settings import TrainSettings
from codecfake.training.strategies import strategy_of

MB = 1e6
SAMPLE_RATE = 16_000  # of detectors


@dataclass(frozen=True)
class Numbers(TrialCounts):
    rate_table: RateTable
    device: str  # gpu or cpu

    def _size(self, rate: str) -> Amount:
        return amount(MB * self.rate_table[rate])

    def _model_bytes(self, settings: ClipSettings, detector: str) -> Amount:
        """Of the weights in a model folder."""
        back_end = self._size(settings.detector.rate_names(detector)[2])
        if not keeps_front_end(settings):
            return back_end
        num_bytes = weight_bytes(settings.detector.front_end)
        return back_end + (self._size("weights_mb.ssl") if num_bytes is None else amount(num_bytes))

    def _weights(self, size: Amount) -> dict[str, Any]:
        """The numbers of a job that trains weights of this size."""
        return {"bytes_out": size, "passing_bytes": size * self.rate_table["checkpoint.share"], "other_files": 1}

    def _network(self, seconds: Amount, device: str | None = None) -> dict[str, Any]:
        return {f"{device or self.device}_hours": seconds / HOUR}

    def _shard_bytes(self, speech: pd.DataFrame, sample_rate: int | str) -> Amount:
        """Bytes of tars and indexes at a sample rate in Hz, or (native) at the recordings' own."""
        samples = sum_of(speech, "samples") if isinstance(sample_rate, str) else sum_of(speech, "seconds") * sample_rate
        return (
            samples * self.rate_table["bytes.shard.sample"] + sum_of(speech) * self.rate_table["bytes.shard.utterance"]
        )

    def _clips(self, number: Amount, settings: ClipSettings) -> dict[str, Any]:
        """The numbers of a job in which a detector reads clips."""
        samples = number * settings.crop_samples
        num_bytes = samples * self.rate_table["bytes.shard.sample"]
        return {"audio_hours_in": samples / SAMPLE_RATE / HOUR, "bytes_in": num_bytes}

    def _seconds(self, detector: str, settings: ClipSettings) -> tuple[float, float]:
        """Per clip: of computing features, and of a forward and a backward pass of the back-end."""
        features, training, _ = settings.detector.rate_names(detector)
        precision = precision_of(settings)
        feature = operations.depth(features, settings.detector.front_end) * length(settings)
        feature /= self.rate_table.at(f"{features}.{self.device}", precision)
        return feature, length(settings) / self.rate_table[f"{training}.{self.device}"]

    def _feature_bytes(self, settings: TrainSettings) -> float:
        """Of a clip."""
        return self.rate_table["bytes.features"] * length(settings) * relative_size(settings.detector.front_end)

    def _epoch_share(self, settings: TrainSettings, training_set: str) -> float:
        domains = self.experiment.training_sets[training_set].domains
        numbers = [sum_of(self.trials_of_domain(domain, "train")).least for domain in domains]
        return strategy_of(settings.strategy, settings.strategy_settings).epoch_share(numbers, settings.batch_size)

    def _bonafide(self, corpora: list[str]) -> pd.DataFrame:
        counts = self.counts.pool(corpora, None)
        return counts[counts["key"] == BONAFIDE]
