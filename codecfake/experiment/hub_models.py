"""The models of the Hugging Face hub that an experiment uses.

They are weights and teachers of codecs, front-ends of detectors, and parts of generators.
"""

from collections.abc import Iterator

from codec_wrappers.training.settings import CodecTrainingSettings
from codecfake.base import hub_models, settings
from codecfake.detectors.import_settings import ImportSettings
from codecfake.experiment import ladders, released
from codecfake.experiment.schema import Experiment
from codecfake.experiment.weights import Hub, Weights
from codecfake.generators import registry


def all_of(experiment: Experiment) -> list[str]:
    """The hub ids, each once, in the order of their jobs."""
    codecs = [name for name in ladders.codecs_used(experiment) if experiment.is_trained(name)]
    weights = [used.model for used in _weights(experiment) if isinstance(used, Hub)]
    teachers = [model for name in codecs for model in of_codec(experiment, name)]
    places = [name.split("/")[:3] for name in experiment.model_names()]
    front_ends = [model for place in places for model in of_detector(experiment, *place)]
    tracers = [detector for task in experiment.tracing.values() for detector in task.detectors]
    front_ends += [model for detector in tracers for model in of_front_end(experiment, detector)]
    parts = [model for corpus in experiment.generated() for model in of_generator(experiment, corpus)]
    return list(dict.fromkeys([*weights, *teachers, *front_ends, *parts]))


def _weights(experiment: Experiment) -> Iterator[Weights]:
    return (experiment.codecs[name].weights for name in ladders.codecs_used(experiment))


def files_of(experiment: Experiment, model: str) -> tuple[str, ...]:
    """The names of the files to fetch of a model; none for its configuration and weights."""
    parts = (of_generator(experiment, corpus) for corpus in experiment.generated())
    return next((names[model] for names in parts if model in names), ())


def of_generator(experiment: Experiment, corpus: str) -> dict[str, tuple[str, ...]]:
    """The models that the generator of a corpus reads, with the names of their files."""
    generation = experiment.generated()[corpus]
    return registry.hub_models(generation.generator, generation.model)


def of_codec(experiment: Experiment, codec: str) -> list[str]:
    """The teacher of a codec's training, if it is a model of the hub."""
    recipe = settings.build(CodecTrainingSettings, experiment.codec_training_settings(codec)).resolved()
    return _ids(recipe.teacher if recipe.is_used("distillation") else None)


def of_detector(experiment: Experiment, detector: str, training_set: str, strategy: str) -> list[str]:
    """The front-end of a model, if it is a model of the hub."""
    if not released.is_released(training_set):
        return of_front_end(experiment, detector)
    weights = released.weights_at(experiment, detector, training_set, strategy)
    values = released.import_settings(experiment, detector, weights)
    return _ids(settings.build(ImportSettings, values).front_end_weights)


def of_front_end(experiment: Experiment, detector: str) -> list[str]:
    """The front-end of a detector that is trained here, if it is a model of the hub."""
    return _ids(experiment.detectors[detector]["front_end"].get("weights"))


def _ids(weights: str | None) -> list[str]:
    return [weights] if weights is not None and hub_models.is_id(weights) else []
