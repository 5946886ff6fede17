# Configuration, checked before any job, and what the rules of every stage compute from it. No rules.
import json
import shlex
import sys
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, workflow.basedir)

from codecfake import site
from codecfake.validation import ConfigurationError

try:
    SITE = site.read(config, Path(workflow.basedir))
    EXPERIMENT = SITE.experiment
    site.check_run_directory(EXPERIMENT.title, Path("results"))
except ConfigurationError as error:
    raise WorkflowError(str(error)) from None

# The package is used from the checkout, also inside conda environments and other run directories.
# Setting a prefix replaces Snakemake's own strict mode, without which `… | tee` would hide a failure.
shell.prefix(f"set -euo pipefail; export PYTHONPATH={shlex.quote(workflow.basedir)}; ")


wildcard_constraints:
    corpus="[A-Za-z0-9_-]+",
    codec="[A-Za-z0-9_-]+",
    domain="[A-Za-z0-9_-]+",
    condition="[A-Za-z0-9_-]+",
    detector="[A-Za-z0-9_-]+",
    training_set="[A-Za-z0-9_-]+",
    strategy="[a-z-]+",
    seed=r"\d+",
    shard=r"\d{4}",


def claim_run_directory():
    site.claim_run_directory(EXPERIMENT.title, Path("results"))


def as_json(settings):
    """Settings as the one argument that a command takes them in; the same text for the same settings."""
    return json.dumps(settings, sort_keys=True, ensure_ascii=False)


def shards(corpus, source):
    """Tars and indexes of one source of a corpus."""
    folder = f"results/audio/{corpus}/{EXPERIMENT.original(source)}"
    numbers = range(EXPERIMENT.corpora[corpus].shards)
    return [f"{folder}/{number:04d}.{kind}" for number in numbers for kind in ("tar", "parquet")]


def shards_of(audio):
    """Shards of (corpus, source) pairs, each named once."""
    return [path for corpus, source in dict.fromkeys(audio) for path in shards(corpus, source)]


def root_of(wildcards):
    return str(SITE.root(wildcards.corpus))


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


# codec weights


def codec_training_settings(wildcards):
    codec = EXPERIMENT.codecs[wildcards.codec]
    recipe = asdict(EXPERIMENT.codec_training)
    del recipe["corpora"]
    return as_json(
        {
            "codec": wildcards.codec,
            "wrapper": codec.wrapper,
            "model": codec.model,
            "gain": codec.gain,
            "quantizers": EXPERIMENT.most_quantizers(wildcards.codec),
            "seed": EXPERIMENT.seed,
        }
        | recipe
        | codec.training
    )


def codec_training_tables(wildcards):
    return [f"results/corpora/{corpus}/utterances.parquet" for corpus in EXPERIMENT.codec_training.corpora]


def codec_training_roots(wildcards):
    return [str(SITE.root(corpus)) for corpus in EXPERIMENT.codec_training.corpora]


# resynthesis


def recordings_settings(wildcards):
    corpus = EXPERIMENT.corpora[wildcards.corpus]
    return as_json({"num_shards": corpus.shards, "sample_rate": EXPERIMENT.audio.sample_rate})


def resynthesis_settings(codec, wildcards):
    chosen = EXPERIMENT.codecs[codec]
    return as_json(
        {
            "codec": codec,
            "wrapper": chosen.wrapper,
            "model": chosen.model,
            "gain": chosen.gain,
            "sources": chosen.generated(),
            "num_shards": EXPERIMENT.corpora[wildcards.corpus].shards,
            "sample_rate": EXPERIMENT.audio.sample_rate,
        }
    )


# protocols


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


# training


def partitions(split, wildcards):
    domains = EXPERIMENT.training_sets[wildcards.training_set].domains
    return [f"results/protocols/{domain}/{split}.tsv" for domain in domains]


def training_audio(wildcards):
    domains = EXPERIMENT.training_sets[wildcards.training_set].domains
    return shards_of(pair for domain in domains for pair in EXPERIMENT.audio_of_domain(domain))


def training_settings(wildcards):
    return as_json(
        EXPERIMENT.train_settings(
            wildcards.detector,
            wildcards.training_set,
            wildcards.strategy,
            int(wildcards.seed),
        )
    )


# the report


def report_settings():
    """What the page shows, and in which order; the command reads the rest from results/."""
    codecs = EXPERIMENT.codecs.items()
    return as_json(
        {
            "title": EXPERIMENT.title,
            "description": EXPERIMENT.description,
            "notes": EXPERIMENT.notes,
            "models": EXPERIMENT.model_names(),
            "conditions": list(EXPERIMENT.conditions),
            "averages": EXPERIMENT.averages_run(),
            "training_protocols": {
                name: [f"{domain}/train" for domain in training_set.domains]
                for name, training_set in EXPERIMENT.training_sets.items()
            },
            "corpora": list(EXPERIMENT.corpora),
            "protocols": [f"{domain}/{split}" for domain, split in product(EXPERIMENT.domains, ("train", "dev"))]
            + [f"eval/{condition}" for condition in EXPERIMENT.conditions],
            "sources": EXPERIMENT.sources_by_corpus(),
            "trained_codecs": {
                source: name for name, codec in codecs if codec.weights == "trained" for source in codec.sources
            },
            "printed_kbps": {
                source: what.printed_kbps
                for _, codec in codecs
                for source, what in codec.sources.items()
                if what.printed_kbps is not None
            },
            "aliases": EXPERIMENT.aliases(),
            "not_run": EXPERIMENT.not_run,
            "experiment": SITE.experiment_as_written,
        }
    )


# folders of outputs and inputs


def folder(wildcards, output):
    return str(Path(output[0]).parent)


def model_folder(wildcards, input):
    return str(Path(input.model[0]).parent)
