"""Input files that rules name only if the run has a storage, because a job then gets nothing else.

On one disk, another input stands for each of them, and naming them would make finished jobs run again.
"""

from collections.abc import Iterable
from itertools import product

from codec_wrappers.weights import checkpoints
from codecfake.base import archives
from codecfake.base.hub_models import record_name
from codecfake.base.provenance import RECORD
from codecfake.demo import FOLDERS, SPEECH_FOLDERS
from codecfake.experiment import hub_models
from codecfake.experiment.schema import Experiment


class StoredInputs:
    """Their paths; none where the run has no storage."""

    def __init__(self, experiment: Experiment, is_stored: bool) -> None:
        self._experiment, self._is_stored = experiment, is_stored

    def demo_archives(self) -> list[str]:
        """The demo's corpora, each in one file, for the jobs of a run with a storage."""
        layouts = {corpus.layout for corpus in self._experiment.corpora.values() if corpus.demo}
        folders = [name for layout, name in FOLDERS.items() if layout in layouts or layout in SPEECH_FOLDERS]
        return [_archive(name) for name in folders] if self._is_stored else []

    def of_recordings(self, corpus: str) -> list[str]:
        """The one with the recordings of a corpus; nothing where jobs read its folder."""
        rule = self._experiment.corpora[corpus]
        return [_archive(FOLDERS[rule.layout])] if self._is_stored and rule.demo else []

    def of_prompt_recordings(self, prompt_corpora: Iterable[str]) -> list[str]:
        """Those with the recordings of the corpora whose voices a generator imitates."""
        return [path for name in prompt_corpora for path in self.of_recordings(name)]

    def with_weights(self, paths: Iterable[str]) -> list[str]:
        """Weight files of a codec or a generator, and in a storage those that the record of a checkpoint stands for."""
        records = {f"results/weights/{name}/{checkpoints.PROVENANCE}": name for name in checkpoints.load()}
        stored = [records[path] for path in paths if self._is_stored and path in records]
        return list(dict.fromkeys([*paths, *(file for name in stored for file in _of_checkpoint(name))]))

    def front_end_of_model(self, detector: str, training_set: str, strategy: str) -> list[str]:
        """The record of a model's front-end, if it comes from the hub, for jobs that load the finished model."""
        models = hub_models.of_detector(self._experiment, detector, training_set, strategy)
        return [f"results/weights/{record_name(model)}/{RECORD}" for model in models] if self._is_stored else []

    def beside_models(self) -> list[str]:
        """What the report reads beside the files that it waits for."""
        settings = [f"results/models/{model}/settings.json" for model in self._experiment.model_names()]
        codecs = [name for name in self._experiment.codecs_run() if self._experiment.is_trained(name)]
        files = product(codecs, ("history.tsv", "settings.json"))
        of_models = [*settings, *(f"results/codecs/{codec}/{file}" for codec, file in files)]
        tables = [f"results/corpora/{corpus}/utterances.parquet" for corpus in self._experiment.corpora]
        return [*of_models, *tables] if self._is_stored else []


def _of_checkpoint(name: str) -> list[str]:
    return [f"results/weights/{name}/{file}" for file in checkpoints.find(name).outputs]


def _archive(folder: str) -> str:
    return f"results/demo_archives/{folder}{archives.SUFFIX}"
