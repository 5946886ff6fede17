"""The settings of the jobs of partial fakes."""

from collections.abc import Iterator
from dataclasses import asdict

from codecfake.audio.partial_settings import SplicingSettings
from codecfake.base.settings import SettingsError
from codecfake.detectors import SAMPLE_RATE
from codecfake.detectors.released_forms import CROP_SAMPLES, is_released
from codecfake.experiment import partial_fakes, released, speakers
from codecfake.experiment.job import Job, job
from codecfake.experiment.schema import Experiment
from codecfake.scoring.segment_settings import SegmentSettings
from codecfake.tables.partial_settings import PartialTableSettings


class PartialJobs:
    _experiment: Experiment

    def of_splicing(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The jobs that make partial fakes and list their spans."""
        audio = partial_fakes.audio(self._experiment)
        yield from (("splice", pair) for pair in audio)
        yield from (("list_spans", pair) for pair in audio)

    def of_segments(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The jobs that score and evaluate segments."""
        if partial_fakes.conditions(self._experiment):
            models = released.wildcards(self._experiment.model_names())
            yield from (("score_segments", model) for model in models.values())
            yield "tabulate_partial", ()

    def splice(self, corpus: str, source: str) -> Job[SplicingSettings]:
        partial = partial_fakes.sources(self._experiment)[source]
        return job(SplicingSettings, {"corpus": corpus, "partial": asdict(partial), "seed": self._experiment.seed})

    def score_segments(self, detector: str, training_set: str, strategy: str, seed: str) -> Job[SegmentSettings]:
        """Raises SettingsError for windows longer than the input of a detector that is trained here."""
        segments = job(SegmentSettings, asdict(self._experiment.segments))
        if not is_released(training_set):
            values = self._experiment.train_settings(detector, training_set, strategy, int(seed))
            longest = values.get("crop_samples", CROP_SAMPLES) / SAMPLE_RATE
            if segments.settings.window > longest:
                text = f"segments of {segments.settings.window:g} s are longer than the clips that it is trained on"
                raise SettingsError(f"{text} ({longest:g} s); lower `segments: {{window: ...}}`, or raise crop_samples")
        return segments

    def tabulate_partial(self) -> Job[PartialTableSettings]:
        values = {
            "models": self._experiment.model_names(),
            "conditions": partial_fakes.conditions(self._experiment),
            "spoof_share": self._experiment.segments.spoof_share,
            **speakers.of_conditions(self._experiment),
        }
        return job(PartialTableSettings, values)
