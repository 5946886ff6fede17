"""The input files of jobs, from the experiment."""

from collections.abc import Iterable
from functools import cached_property
from itertools import product
from pathlib import Path

from codec_wrappers.weights import checkpoints
from codecfake.audio.settings import NATIVE
from codecfake.base import plugins
from codecfake.base.hub_models import record_name
from codecfake.base.provenance import RECORD
from codecfake.corpora import layout
from codecfake.detectors import released_files, released_forms
from codecfake.detectors.settings import FRONT_ENDS, DetectorSettings
from codecfake.experiment import audited, feature_stores, generators, hub_models, ladders, quality_choice, released
from codecfake.experiment.feature_stores import Store
from codecfake.experiment.schema import Experiment
from codecfake.experiment.stored_inputs import StoredInputs
from codecfake.features.augmentation.settings import links
from codecfake.protocols import utterance_lists
from codecfake.protocols.lists import RECORDINGS, Split
from codecfake.training.strategies import strategy_of


class Inputs:
    """Paths of the inputs of jobs, relative to the run directory."""

    def __init__(self, experiment: Experiment, is_stored: bool = False) -> None:
        """`is_stored`: jobs get only the files named here, because the run has a storage.

        Without one, a list of shards or a record of weights stands for the files below it: naming thousands of files in
        hundreds of jobs would cost minutes whenever Snakemake builds its graph.
        """
        self._experiment, self._is_stored = experiment, is_stored
        self.stored = StoredInputs(experiment, is_stored)

    # corpora

    def of_ingest(self, corpus: str) -> list[str]:
        """The demo, for its corpora, and the file of a layout beside the experiment."""
        rule = self._experiment.corpora[corpus]
        code = layout(rule.layout).code
        demo = ["results/demo/SHA256SUMS"] if rule.demo else []
        return [*demo, *self.stored.of_recordings(corpus), *([] if code is None else [str(code)])]

    def utterances(self, corpora: Iterable[str]) -> list[str]:
        """The utterance tables of corpora."""
        return [f"results/corpora/{corpus}/utterances.parquet" for corpus in dict.fromkeys(corpora)]

    def of_partition(self, domain: str) -> list[str]:
        """Utterance tables of a domain, and the lists that split them."""
        rule = self._experiment.domains[domain]
        return [*self.utterances(rule.corpora), *_lists_of(rule.split)]

    def of_condition(self, condition: str) -> list[str]:
        """Utterance tables of a condition, and the lists that split them."""
        settings = self._experiment.condition_settings(condition)
        sides = (settings.bonafide, settings.spoof)
        lists = [path for side in sides for path in _lists_of(side.split)]
        return list(dict.fromkeys([*self.utterances([*sides[0].corpora, *sides[1].corpora]), *lists]))

    # generated fakes

    def of_generation_list(self, corpus: str) -> list[str]:
        """Utterance tables, or captions, that a generation list is made from."""
        generation, corpora = self._experiment.generated()[corpus], self._experiment.text_corpora(corpus)
        if generation.captions is not None:
            return [f"results/corpora/{name}/captions.tsv" for name in corpora]
        domain = generation.texts.domain if generation.texts is not None else None
        lists = _lists_of(self._experiment.domains[domain].split) if domain is not None else []
        return [*self.utterances(corpora), *lists]

    def captions_argument(self, corpus: str) -> list[str]:
        """The command-line arguments that name captions."""
        captions = self._experiment.generated()[corpus].captions is not None
        return ["--captions", *self.of_generation_list(corpus)] if captions else []

    def of_prompts(self, corpus: str) -> list[str]:
        """Utterance tables of the corpora whose voices a generator imitates."""
        return self.utterances(self.prompt_corpora(corpus))

    def prompt_corpora(self, corpus: str) -> list[str]:
        """Their names: those of the texts that are evaluated, which can be fewer than those that are split."""
        generation = self._experiment.generated()[corpus]
        if generation.texts is None or not generators.takes_prompts(generation):
            return []
        return self._experiment.corpora_of(generation.texts)

    def code_of_generator(self, corpus: str) -> list[str]:
        """The file beside the experiment that implements a generator."""
        name = self._experiment.generated()[corpus].generator
        path = plugins.file_of(name) if plugins.is_outside(name) else None
        return [] if path is None else [str(path)]

    def generated_indexes(self, corpus: str) -> list[str]:
        """The indexes of the shards of a generated corpus."""
        return [path for path in self.shards(corpus, RECORDINGS) if path.endswith(".parquet")]

    def generated_rejections(self, corpus: str) -> list[str]:
        """What each of these shards left out."""
        return [path.replace(".parquet", ".rejected.tsv") for path in self.generated_indexes(corpus)]

    # audio

    def shards(self, corpus: str, source: str) -> list[str]:
        """Tars and indexes of one source of a corpus."""
        numbers = range(self._experiment.corpora[corpus].shards)
        return [f"results/audio/{corpus}/{source}/{n:04d}.{kind}" for n in numbers for kind in ("tar", "parquet")]

    def of_degraded(self, corpus: str, degradation: str) -> list[str]:
        """The protocols whose utterances of a corpus are degraded."""
        names = ladders.conditions_with(self._experiment, corpus, degradation)
        return [f"results/protocols/eval/{name}.tsv" for name in names]

    def folder_list(self, degradation: str) -> list[str]:
        """The list of the folder with the noise or the rooms of a degradation, if it has one."""
        return [f"results/degradation/{series}.tsv" for series in ladders.folder_of(self._experiment, degradation)]

    def of_second_codec(self, codec: str, corpus: str) -> list[str]:
        """The same for all steps of a second codec, which share a job."""
        steps = ladders.second_codecs(self._experiment)[codec]
        return list(dict.fromkeys(path for step in steps for path in self.of_degraded(corpus, step)))

    def lists(self, audio: Iterable[tuple[str, str]]) -> list[str]:
        """The shard lists of (corpus, source) pairs; such a list exists once all shards do. In a storage, these too."""
        pairs = list(dict.fromkeys((corpus, self._audio_source(source)) for corpus, source in audio))
        lists = [f"results/audio/{corpus}/{source}/shards.tsv" for corpus, source in pairs]
        return lists + [path for pair in pairs if self._is_stored for path in self.shards(*pair)]

    def of_generated(self, corpus: str) -> list[str]:
        """The audio of a generated corpus."""
        return self.lists([(corpus, RECORDINGS)])

    def all_audio(self) -> list[str]:
        """All audio that a protocol names."""
        return self.lists(self._experiment.all_audio())

    def of_codec_training(self) -> list[str]:
        """Recordings at their own sample rate."""
        training = self._experiment.codec_training
        return self.lists(product(training.corpora, [NATIVE])) if training else []

    def of_conditions(self) -> list[str]:
        """Audio in the trials of any condition."""
        e = self._experiment
        return self.lists(pair for condition in e.conditions for pair in e.audio_of_condition(condition))

    def of_quality(self, codec: str) -> list[str]:
        """The sources of a codec, and the recordings that their audio is compared with."""
        return self.lists(quality_choice.audio(self._experiment, codec))

    def quality_protocols(self) -> list[str]:
        """Eval protocols from whose bona fide trials the quality measurement draws."""
        return [f"results/protocols/eval/{name}.tsv" for name in quality_choice.conditions(self._experiment)]

    def audited(self) -> list[str]:
        """Utterance tables that the audit compares."""
        return self.utterances(audited.corpora(self._experiment) + audited.codec_training(self._experiment))

    def has_scores_alone(self) -> bool:
        """Whether the run directory has score files without their audio."""
        return Path("results/scores").is_dir() and not Path("results/audio").is_dir()

    def of_checkpoint(self, checkpoint: str) -> list[str]:
        """The files made from a published checkpoint for the codecs that use it."""
        return [f"results/weights/{checkpoint}/{name}" for name in checkpoints.find(checkpoint).outputs]

    def of_spectrograms(self) -> list[str]:
        """Audio for the spectrograms."""
        sources = self._experiment.spectrogram_sources().items()
        return self.lists((corpus, source) for corpus, names in sources for source in names)

    def _audio_source(self, source: str) -> str:
        return source if source == NATIVE else self._experiment.original(source)

    def code_of_codec(self, codec: str) -> list[str]:
        """The file beside the experiment that implements a codec's wrapper."""
        path = plugins.file_of(self._experiment.codecs[codec].wrapper)
        return [] if path is None else [str(path)]

    # models of the hub

    def hub_records(self, models: Iterable[str]) -> list[str]:
        """The records of fetched models of the hub."""
        return [f"results/weights/{record_name(model)}/{RECORD}" for model in models]

    def teacher_of_codec(self, codec: str) -> list[str]:
        """That of the teacher of a codec's training, if there is one."""
        return self.hub_records(hub_models.of_codec(self._experiment, codec))

    def parts_of_generator(self, corpus: str) -> list[str]:
        """Those of the models that the generator of a corpus reads."""
        return self.hub_records(hub_models.of_generator(self._experiment, corpus))

    def front_end_of_model(self, detector: str, training_set: str, strategy: str) -> list[str]:
        """That of a detector's front-end, if it comes from the hub."""
        return self.hub_records(hub_models.of_detector(self._experiment, detector, training_set, strategy))

    # detectors

    def train_lists(self, training_set: str) -> list[str]:
        """The train protocols of a training set."""
        return self._lists_of_trials(training_set, "train")

    def dev_lists(self, training_set: str) -> list[str]:
        """Its dev protocols."""
        return self._lists_of_trials(training_set, "dev")

    def lists_known_to(self, detector: str, training_set: str, strategy: str) -> list[str]:
        """Lists without recordings that a model may be evaluated on: of its training, or that a released one used."""
        if not released_forms.is_released(training_set):
            return self.train_lists(training_set)
        weights = released.weights_at(self._experiment, detector, training_set, strategy)
        lists = [f"results/protocols/{domain}/train.tsv" for domain in weights.trained_on]
        return [*lists, *self.calibration_lists(detector, training_set, strategy)]

    def calibration_lists(self, detector: str, training_set: str, strategy: str) -> list[str]:
        """The dev protocol that calibrates a released model, if there is one."""
        domain = released.weights_at(self._experiment, detector, training_set, strategy).calibrate_on
        return [] if domain is None else [f"results/protocols/{domain}/dev.tsv"]

    def of_calibration(self, detector: str, training_set: str, strategy: str) -> list[str]:
        """Its audio."""
        domain = released.weights_at(self._experiment, detector, training_set, strategy).calibrate_on
        return [] if domain is None else self.lists(self._experiment.audio_of_domain(domain))

    def of_released(self, form: str) -> list[str]:
        """The files that are fetched of a released detector."""
        return [f"results/weights/{form}/{name}" for name in released_files.outputs(form)]

    def models(self) -> list[str]:
        """Weights of all models, and the histories of those that are trained here."""
        names = [(name, "weights.safetensors") for name in self._experiment.model_names()]
        names += [(name, "history.tsv") for name in released.trained_names(self._experiment)]
        return [f"results/models/{model}/{file}" for model, file in names]

    def calibrations(self) -> list[str]:
        """Calibrations of the models that have one."""
        return [f"results/models/{model}/calibration.json" for model in released.calibrated_names(self._experiment)]

    def of_training(self, training_set: str) -> list[str]:
        """Audio of a training set."""
        domains = self._experiment.training_sets[training_set].domains
        return self.lists(pair for domain in domains for pair in self._experiment.audio_of_domain(domain))

    # features

    @cached_property
    def _stores(self) -> dict[str, Store]:
        return feature_stores.stores(self._experiment)

    def of_extraction(self, corpus: str, source: str) -> list[str]:
        """The protocols with the trials of a source."""
        domains = feature_stores.domains_with(self._experiment, corpus, source)
        return [f"results/protocols/{domain}/{split}.tsv" for domain in domains for split in ("train", "dev")]

    def front_end_of_store(self, store: str) -> list[str]:
        """The record of its front-end, if it comes from the hub, and the file beside the experiment with its code."""
        detector = self._stores[store].detector
        front_end = self._stores[store].settings.front_end
        code = FRONT_ENDS.part(front_end["name"]).code()
        record = self.hub_records(hub_models.of_front_end(self._experiment, detector))
        return record + ([] if code is None else [str(code)])

    def features_of_training(self, detector: str, training_set: str) -> list[str]:
        """The lists of the stored features of a training set, if its detector reads them.

        None in a storage, which does not carry the features: each training computes its own.
        """
        store = None if self._is_stored else feature_stores.name_for(self._experiment, detector, training_set)
        domains = self._experiment.training_sets[training_set].domains if store else []
        pairs = dict.fromkeys(pair for domain in domains for pair in self._experiment.audio_of_domain(domain))
        return [f"results/feature_lists/{store}/{corpus}/{source}.tsv" for corpus, source in pairs]

    def code_of_detector(self, detector: str) -> list[str]:
        """Files beside the experiment that implement parts of a detector."""
        return _texts(DetectorSettings(**self._experiment.detectors[detector]).code())

    def code_of_training(self, detector: str, training_set: str, strategy: str) -> list[str]:
        """The same, and those of augmentations and of the strategy."""
        settings = {**self._experiment.training, **self._experiment.training_sets[training_set].settings}
        files = (link.code() for link in links(settings.get("augmentation", [])))
        parts = [path for path in files if path is not None]
        own = strategy_of(strategy, self._experiment.strategies.get(strategy, {})).code()
        return _texts([*self.code_of_detector(detector), *parts, *own])

    def _lists_of_trials(self, training_set: str, split: str) -> list[str]:
        domains = self._experiment.training_sets[training_set].domains
        return [f"results/protocols/{domain}/{split}.tsv" for domain in domains]


def _lists_of(split: Split | None) -> list[str]:
    """The files of a split by lists of utterances."""
    return [] if split is None or split.file is None else _texts(utterance_lists.paths(split.file))


def _texts(paths: Iterable[Path | str]) -> list[str]:
    return list(dict.fromkeys(map(str, paths)))
