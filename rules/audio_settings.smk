# What the rules from corpora to protocols read, and their settings. No rules.
from dataclasses import asdict
from itertools import product

from codec_wrappers.weights import checkpoints

# corpora


def ingest_input(wildcards):
    return "results/demo/SHA256SUMS" if EXPERIMENT.corpora[wildcards.corpus].demo else []


def ingest_settings(wildcards):
    corpus = EXPERIMENT.corpora[wildcards.corpus]
    return as_json(
        {
            "corpus": wildcards.corpus,
            "layout": corpus.layout,
            "options": corpus.options,
            "max_rejected": corpus.max_rejected,
        }
    )


# codecs


def wrapper_of(codec):
    """The file of a codec's own code, where it lies beside the experiment."""
    path = plugins.file_of(EXPERIMENT.codecs[codec].wrapper)
    return [] if path is None else [str(path)]


# codec weights


def trained_wrapper(wildcards):
    return wrapper_of(wildcards.codec)


def codec_training_settings(wildcards):
    return as_json(EXPERIMENT.codec_training_settings(wildcards.codec))


def codec_training_audio(wildcards):
    return shards_of(product(EXPERIMENT.codec_training.corpora, [NATIVE]))


def checkpoint_files(checkpoint):
    return [f"results/weights/{checkpoint}/{name}" for name in checkpoints.find(checkpoint).outputs]


# resynthesis


def recordings_settings(wildcards):
    native = wildcards.recordings == NATIVE
    return as_json(
        {
            "num_shards": EXPERIMENT.corpora[wildcards.corpus].shards,
            "sample_rate": NATIVE if native else EXPERIMENT.audio.sample_rate,
            "bonafide_only": native,
        }
    )


def resynthesis_settings(codec, wildcards):
    chosen = EXPERIMENT.codecs[codec]
    return as_json(
        {
            "codec": codec,
            "wrapper": chosen.wrapper,
            "model": chosen.model,
            "gain": chosen.gain,
            "keep_gain": chosen.keep_gain,
            "license": EXPERIMENT.license_of(codec),
            "sources": chosen.generated(),
            "num_shards": EXPERIMENT.corpora[wildcards.corpus].shards,
            "sample_rate": EXPERIMENT.audio.sample_rate,
        }
    )


# protocols


def sources_settings():
    used = {name: EXPERIMENT.codecs[name] for name in EXPERIMENT.codecs_run()}
    return as_json(
        {
            "sources": [
                {
                    "source": source,
                    "codec": name,
                    "wrapper": codec.wrapper,
                    "quantizers": codec.generated()[what.same_as or source],
                    "printed_kbps": what.printed_kbps,
                    "same_as": what.same_as or "",
                    "alternative_to": what.alternative_to or "",
                    "weights": codec.weights.label,
                    "license": EXPERIMENT.license_of(name),
                    "note": what.note,
                }
                for name, codec in used.items()
                for source, what in codec.sources.items()
            ]
        }
    )


def utterance_tables(corpora):
    return [f"results/corpora/{corpus}/utterances.parquet" for corpus in dict.fromkeys(corpora)]


def partition_input(wildcards):
    return utterance_tables(EXPERIMENT.domains[wildcards.domain].corpora)


def partition_settings(wildcards):
    return as_json(asdict(EXPERIMENT.partition_settings(wildcards.domain)))


def condition_input(wildcards):
    settings = EXPERIMENT.condition_settings(wildcards.condition)
    return utterance_tables([*settings.bonafide.corpora, *settings.spoof.corpora])


def condition_settings(wildcards):
    return as_json(asdict(EXPERIMENT.condition_settings(wildcards.condition)))
