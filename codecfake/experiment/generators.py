"""Rules for generated corpora: their generators, weights, texts and licenses; checked before any job."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from codec_wrappers.weights import checkpoints
from codec_wrappers.weights.checkpoints import ManifestError
from codecfake import generators
from codecfake.base import settings
from codecfake.base.home import expanded
from codecfake.base.plugins import PluginError
from codecfake.base.settings import Fault, Keys
from codecfake.base.suggestions import unknown
from codecfake.corpora import CorpusError
from codecfake.corpora.captions import has_captions
from codecfake.experiment.schema import Experiment
from codecfake.experiment.sections import Corpus, Generation
from codecfake.experiment.weights import Local, NoWeights, Official, Weights
from codecfake.generators import Entry, GeneratorError, GeneratorSettings, lexicon_text, registry
from codecfake.generators.model_settings import RANDOM, ValleV2Settings
from codecfake.protocols.lists import RECORDINGS, plain

LAYOUT = "listed"  # of a folder that can replace a generator


def faults(experiment: Experiment) -> Iterator[Fault]:
    """Every fault of generated corpora, and of their use."""
    for name, corpus in experiment.corpora.items():
        if corpus.generation is not None:
            keys = ("corpora", name, "generation")
            yield from (each.below(*keys) for each in _generator_faults(corpus.generation))
            yield from (each.below(*keys) for each in _text_faults(corpus.generation, experiment))
            yield from (each.below("corpora", name) for each in _corpus_faults(corpus))
    yield from _use_faults(experiment)


def licenses_of(generation: Generation) -> dict[str, str]:
    """SPDX identifiers of the `code` and the `weights` that a generator runs with, and of its codec's weights."""
    entry = generators.entry(generation.generator)
    licenses = generation.weights_used.licenses(entry.license)
    if isinstance(generation.codec_weights_used, NoWeights):
        return licenses
    return {**licenses, "codec weights": generation.codec_weights_used.licenses(entry.license)["weights"]}


def license_of(generation: Generation) -> str:
    """The same in one line for a table: `MIT`, or `code MIT, weights unstated`."""
    licenses = licenses_of(generation)
    if len(set(licenses.values())) == 1:
        return licenses["code"]
    return ", ".join(f"{kind} {identifier}" for kind, identifier in licenses.items())


def takes_prompts(generation: Generation) -> bool:
    """Whether the generator imitates a voice."""
    return generators.entry(generation.generator).needs_prompt


def list_settings(experiment: Experiment, corpus: str) -> dict[str, Any]:
    """Plain values of `GenerationListSettings`."""
    section = experiment.corpora[corpus]
    generation = experiment.generated()[corpus]
    prompts = asdict(generation.prompts) if takes_prompts(generation) else None
    texts = plain(experiment.side(generation.texts)) if generation.texts is not None else None
    return {
        "corpus": corpus,
        "num_shards": section.shards,
        "texts": texts,
        "captions": asdict(generation.captions) if generation.captions is not None else None,
        "prompts": prompts,
        "prefix": section.options.get("prefix", ""),
        "seed": _seed(experiment, generation),
        "published": section.size.get("spoof"),
        "speakers_of": experiment.speakers_of(),
    }


def shard_settings(experiment: Experiment, corpus: str) -> dict[str, Any]:
    """Plain values of `ShardSettings`. The size of batches changes no byte, so another one makes nothing again."""
    section, generation = experiment.corpora[corpus], experiment.generated()[corpus]
    return {
        "corpus": corpus,
        "generator": {
            "generator": generation.generator,
            "model": generation.model,
            "sampling": generation.sampling,
        },
        "num_shards": section.shards,
        "attack": section.options.get("attack", generation.generator),
        "license": license_of(generation),
        "sample_rate": experiment.audio.sample_rate,
        "max_rejected": section.max_rejected,
    }


def _seed(experiment: Experiment, generation: Generation) -> int:
    return experiment.seed if generation.seed is None else generation.seed


def _generator_faults(generation: Generation) -> Iterator[Fault]:
    values = {"generator": generation.generator, "model": generation.model, "sampling": generation.sampling}
    try:
        entry = generators.entry(generation.generator)
    except (GeneratorError, PluginError) as error:
        yield Fault(("generator",), str(error))
        return
    model_faults = settings.faults_of(GeneratorSettings, values)
    yield from model_faults or _table_faults(registry.model_of(generation.generator, generation.model))
    yield from _weights_faults("weights", generation.weights_used, entry.checkpoints, entry)
    codec = [name for name, each in checkpoints.load().items() if each.wrapper == entry.codec]
    yield from _weights_faults("codec_weights", generation.codec_weights_used, codec, entry)
    if entry.needs_prompt and generation.captions is not None:
        yield Fault(("captions",), f"{entry.name} imitates a speaker, and captions have none; give `texts`")


def _table_faults(model: Any) -> Iterator[Fault]:
    """Tables of the user's own, which no checkpoint contains."""
    if not isinstance(model, ValleV2Settings) or model.tables == RANDOM:
        return
    if text := lexicon_text.folder_fault(expanded(model.tables)):
        yield Fault(("model", "tables"), text)


def _weights_faults(key: str, weights: Weights, names: list[str] | tuple[str, ...], entry: Entry) -> Iterator[Fault]:
    if not isinstance(weights, Official | Local | NoWeights):
        choices = "{official: CHECKPOINT}, {local: PATH, license: SPDX} or none"
        yield Fault((key,), f"{weights.kind}, but those of {entry.name} can only be {choices}")
    elif isinstance(weights, Official) and weights.checkpoint not in names:
        yield Fault((key, "official"), _unknown_checkpoint(weights.checkpoint, names, entry))


def _unknown_checkpoint(name: str, names: list[str] | tuple[str, ...], entry: Entry) -> str:
    try:
        checkpoints.find(name)
    except ManifestError as error:
        return str(error)
    return f"{name} has no weights for {entry.name}; choose from {', '.join(names) or 'none'}"


def _text_faults(generation: Generation, experiment: Experiment) -> Iterator[Fault]:
    if generation.captions is not None:
        yield from _caption_faults(generation.captions.corpus, experiment)
        return
    assert generation.texts is not None
    texts, keys = generation.texts, ("texts",)
    if texts.source != RECORDINGS:
        yield Fault((*keys, "source"), f"texts are those of recordings, not of fakes ({texts.source}); leave it out")
    if texts.domain is not None and texts.domain not in experiment.domains:
        yield Fault((*keys, "domain"), unknown("domain", texts.domain, experiment.domains))
    for name in [*(texts.corpora or []), *([texts.corpus] if texts.corpus is not None else [])]:
        yield from _source_faults((*keys, "corpus"), name, experiment)


def _caption_faults(name: str, experiment: Experiment) -> Iterator[Fault]:
    keys = ("captions", "corpus")
    yield from _source_faults(keys, name, experiment)
    if name not in experiment.corpora:
        return
    try:
        if not has_captions(experiment.corpora[name].layout):
            yield Fault(keys, f"corpora of layout {experiment.corpora[name].layout} have no captions; give `texts`")
    except CorpusError:
        return  # its layout's fault is reported elsewhere


def _source_faults(keys: Keys, name: str, experiment: Experiment) -> Iterator[Fault]:
    if name not in experiment.corpora:
        yield Fault(keys, unknown("corpus", name, experiment.corpora))
    elif experiment.corpora[name].generation is not None:
        yield Fault(keys, f"{name!r} is generated itself; name a corpus of recordings")


def _corpus_faults(corpus: Corpus) -> Iterator[Fault]:
    if corpus.demo:
        yield Fault(("demo",), "a corpus is either synthesized for the demo or generated; leave out one of them")
    if corpus.layout != LAYOUT:
        text = f"{corpus.layout}, but a generated corpus can be replaced by a folder only if its layout is {LAYOUT}"
        yield Fault(("layout",), text)


def _use_faults(experiment: Experiment) -> Iterator[Fault]:
    """Generated fakes are evaluated; they have no recordings that codecs or detectors could be trained on."""
    fakes = set(experiment.generated())
    for name, domain in experiment.domains.items():
        for corpus in sorted(fakes.intersection(domain.corpora)):
            text = f"{corpus!r} is generated, and its texts may come from this domain; evaluate it in a condition"
            yield Fault(("domains", name, "corpora"), text)
    training = experiment.codec_training
    for corpus in sorted(fakes.intersection(training.corpora if training else [])):
        yield Fault(("codec_training", "corpora"), f"{corpus!r} is generated; codecs are trained on recordings")
