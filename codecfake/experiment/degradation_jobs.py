"""The jobs of laundering ladders: one per rule, as in `Jobs`."""

from collections.abc import Iterator

from codec_wrappers.resynthesis.settings import SecondCodecSettings
from codecfake.degradation.settings import DegradationSettings, FolderSettings
from codecfake.experiment import ladders, second_codecs
from codecfake.experiment.job import Job, job
from codecfake.experiment.schema import Experiment

JobName = tuple[str, tuple[str, ...]]


class DegradationJobs:
    """A part of `Jobs`."""

    _experiment: Experiment

    def of_degradation(self) -> Iterator[JobName]:
        """Every job that degrades audio; all steps of a second codec are one job."""
        names: dict[JobName, None] = {("list_folder", (series,)): None for series in ladders.folders(self._experiment)}
        for audio in ladders.degraded_audio(self._experiment):
            codec = ladders.of_second_codec(self._experiment, audio[2])
            names[("degrade", audio) if codec is None else (second_codecs.RULE, (codec, *audio[:2]))] = None
        yield from names

    def list_folder(self, series: str) -> Job[FolderSettings]:
        ladder = ladders.folders(self._experiment)[series]
        return job(FolderSettings, {"kind": ladder.kind, "folder": ladder.folder, "pattern": ladder.pattern})

    def degrade(self, corpus: str, base: str, degradation: str) -> Job[DegradationSettings]:
        values = {"corpus": corpus, **ladders.step(self._experiment, degradation), "seed": self._experiment.seed}
        return job(DegradationSettings, values)

    def degrade_through(self, codec: str, corpus: str, base: str) -> Job[SecondCodecSettings]:
        return job(SecondCodecSettings, second_codecs.settings(self._experiment, codec, corpus))
