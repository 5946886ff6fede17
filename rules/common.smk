# Configuration, checked before any job, and what the rules of every stage compute from it. No rules.
import json
import os
import shlex
import sys
from dataclasses import asdict
from functools import partial
from itertools import product
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

sys.path.insert(0, workflow.basedir)

from codec_wrappers import ON_CPU, checkpoints, configurations, licences
from codecfake import gpus, quality_choice, run_lock, site
from codecfake.planning import costs, rates
from codecfake.protocols import RECORDINGS
from codecfake.published import Published
from codecfake.settings import SettingsError
from codecfake.tables.figures import KINDS, drawable
from codecfake.validation import ConfigurationError

PUBLISHED = Path(workflow.basedir) / "protocols" / "published"  # the papers' own numbers
SECONDS_BETWEEN_NEWS = 60
NATIVE = "native"  # recordings at their own rate, which codecs are trained on
SNAKEMAKE_FOLDER = Path(".snakemake").resolve()

try:
    SITE = site.read(config, Path(workflow.basedir))
    EXPERIMENT = SITE.experiment
    site.check_run_directory(EXPERIMENT.title, Path("results"))
    configurations.check(EXPERIMENT)
except (ConfigurationError, configurations.CodecConfigurationError) as error:
    raise WorkflowError(str(error)) from None

# The package is used from the checkout, also inside conda environments and other run directories.
# Setting a prefix replaces Snakemake's own strict mode, without which `… | tee` would hide a failure. A job that ends
# inside compiled code says where.
shell.prefix(
    f"set -euo pipefail; {run_lock.shared_by_jobs(SNAKEMAKE_FOLDER)}"
    f"export PYTHONFAULTHANDLER=1 PYTHONPATH={shlex.quote(workflow.basedir)}; "
)


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
    recordings="F00|native",


def claim_run_directory():
    site.claim_run_directory(EXPERIMENT.title, Path("results"))


def require_room(outputs):
    """Refuse to start a run that the disk cannot hold; `outputs` are the files that it is going to make."""
    if SITE.check_disk:
        device = "cpu" if SITE.device == "cpu" else "gpu"
        try:
            plan = costs.plan(EXPERIMENT, Path(), rates.shipped(), device, SITE.roots)
            costs.require_room(costs.left(plan, Path(), frozenset(map(str, outputs))), Path())
        except (costs.DiskError, SettingsError) as error:
            raise WorkflowError(str(error)) from None


# GPUs


def on_cluster():
    """Whether jobs run on other machines than this, or this is one of those jobs.

    The executor is not known yet. `--jobs` tells a cluster's run, but on one machine people say it for `--cores`.
    """
    asked = workflow.resource_settings
    return workflow.remote_exec or (
        asked.nodes is not None and (asked.cores is None or asked.default_resources is not None)
    )


ON_CLUSTER = on_cluster()
GPUS = gpus.visible(os.environ)
HELPERS = 8  # threads of a job with a GPU: those beyond the first read, resample, decode and write beside it

if GPUS and not ON_CLUSTER and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", len(GPUS))  # as `--resources gpu=N` does: no more such jobs at a time


def gpus_needed(codec=None):
    """GPUs of a job that runs a detector, trains a codec, or resynthesizes by `codec`."""
    if codec is not None and EXPERIMENT.codecs[codec].wrapper in ON_CPU:
        return 0
    return gpus.needed(SITE.device, ON_CLUSTER, len(GPUS))


def threads_beside(number):
    """Threads of a job with so many GPUs: on one machine, cores are shared out among its GPUs."""
    if not number:
        return 1
    cores = workflow.global_resources["_cores"].value or HELPERS
    return HELPERS if ON_CLUSTER else max(1, min(HELPERS, cores // max(1, len(GPUS))))


def require_gpu():
    """Refuse to start where a job will need a GPU and there is none, before others have run for hours."""
    needed = any(job.resources.get("gpu") for job in workflow.dag.needrun_jobs())
    if needed and workflow.local_exec and not workflow.remote_exec and not GPUS:
        raise WorkflowError("config.yaml: device: cuda, but this machine shows no GPU; set `device: cpu` or `auto`")


# hooks: they run in the main process alone, so the jobs need not import what these do


def begin_watching():
    """Write down which jobs this run will do, and tell how far it is while it is at work."""
    from codecfake.watching import following, jobs

    jobs.write_list(Path(), [jobs.name_of(job.log[0]) for job in workflow.dag.needrun_jobs() if job.log])
    following.narrate(Path(), logger.info, SECONDS_BETWEEN_NEWS)


def tell_failures():
    """Say at the end which jobs failed, what their logs end with, and what helps."""
    from codecfake.watching import failures, jobs

    logger.error(f"\n{failures.failures(jobs.read_run(Path()))}\n")


def write_timing():
    """Gather the records of all jobs in a page beside the report."""
    from codecfake.report import timing

    timing.write_timing(Path("results"), Path("results/timing.html"))


# settings


def as_json(settings):
    """Settings as the one argument that a command takes them in; the same text for the same settings."""
    return json.dumps(settings, sort_keys=True, ensure_ascii=False)


def shards(wildcards):
    """Tars and indexes of one source of a corpus."""
    folder = f"results/audio/{wildcards.corpus}/{wildcards.source}"
    numbers = range(EXPERIMENT.corpora[wildcards.corpus].shards)
    return [f"{folder}/{number:04d}.{kind}" for number in numbers for kind in ("tar", "parquet")]


def shards_of(audio):
    """The lists of the shards of (corpus, source) pairs, which are there when all shards are."""
    return list(dict.fromkeys(f"results/audio/{corpus}/{made_as(source)}/shards.tsv" for corpus, source in audio))


def made_as(source):
    return source if source == NATIVE else EXPERIMENT.original(source)


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
            "licence": licences.licence(chosen.wrapper, chosen.weights),
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
                    "weights": " ".join(codec.weights.values()) if isinstance(codec.weights, dict) else codec.weights,
                    "licence": licences.licence(codec.wrapper, codec.weights),
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


# quality


def quality_protocols():
    return [f"results/protocols/eval/{condition}.tsv" for condition in quality_choice.conditions(EXPERIMENT)]


def quality_sources():
    return quality_choice.sources(EXPERIMENT)


def quality_audio(wildcards):
    return shards_of(product(quality_choice.corpora(EXPERIMENT, wildcards.source), (RECORDINGS, wildcards.source)))


def quality_settings(wildcards):
    return as_json(
        {
            "source": wildcards.source,
            "corpora": quality_choice.corpora(EXPERIMENT, wildcards.source),
            "utterances": EXPERIMENT.quality.utterances,
            "seed": EXPERIMENT.seed,
        }
    )


# tables


def paper_tables():
    """The papers' tables that this experiment has cells of."""
    published = Published(PUBLISHED)
    rates = published.matching(EXPERIMENT.model_names(), EXPERIMENT.conditions)
    return [*rates, *published.counts_of(EXPERIMENT.title)]


def paper_captions():
    """Each of them as the paper calls it."""
    published = Published(PUBLISHED)
    counted = published.counts_of(EXPERIMENT.title)
    tables = [published.counts(name) if name in counted else published.rates(name) for name in paper_tables()]
    return {table.name: f"{table.paper}, {table.place}: {table.caption}" for table in tables}


def paper_figures():
    return drawable(EXPERIMENT.model_names(), EXPERIMENT.conditions, paper_tables())


def drawn_histories():
    """What training wrote down, where a figure shows it."""
    models = EXPERIMENT.model_names() if "xie2025_figure6" in paper_figures() else []
    return [f"results/models/{model}/history.tsv" for model in models]


def counted_protocols():
    """Protocols of training, where a table counts their trials."""
    domains = EXPERIMENT.domains if Published(PUBLISHED).counts_of(EXPERIMENT.title) else []
    return [f"results/protocols/{domain}/{split}.tsv" for domain, split in product(domains, ("train", "dev"))]


def published_files():
    return [str(path) for path in sorted(PUBLISHED.iterdir())]


def table_files():
    names = [f"{name}.csv" for name in ("eer", "confusion", "metrics", "eer_seeds", "comparisons")]
    names += [f"{name}.{kind}" for name in paper_tables() for kind in ("csv", "tex", "html")]
    names += [f"figures/{name}.{kind}" for name in paper_figures() for kind in KINDS]
    return [f"results/tables/{name}" for name in names]


def table_settings():
    return as_json(
        {
            "models": EXPERIMENT.model_names(),
            "conditions": list(EXPERIMENT.conditions),
            "title": EXPERIMENT.title,
            "papers": paper_tables(),
            "figures": paper_figures(),
        }
    )


# audit


AUDIT_TABLES = ("overlap", "duplicates", "twins", "counts", "shortcuts")


def audit_corpora():
    """Corpora that are trained on or judged."""
    return list(dict.fromkeys(corpus for corpus, _ in EXPERIMENT.all_audio()))


def audit_codec_training():
    """Corpora that codecs of this run are trained on."""
    trained = any(EXPERIMENT.is_trained(codec) for codec in EXPERIMENT.codecs_run())
    return EXPERIMENT.codec_training.corpora if trained else []


def audit_condition(condition):
    sides = {"bonafide": condition.bonafide, "spoof": condition.spoof}
    return {
        "domains": list(dict.fromkeys(side.domain for side in sides.values() if side.domain is not None)),
        "all_of": [key for key, side in sides.items() if side.utterances == "all"],
    }


def audit_settings():
    wrappers = {source: codec.wrapper for codec in EXPERIMENT.codecs.values() for source in codec.generated()}
    return as_json(
        {
            "domains": {name: {"split_by": domain.split.by} for name, domain in EXPERIMENT.domains.items()},
            "conditions": {name: audit_condition(item) for name, item in EXPERIMENT.conditions.items()},
            "training_sets": {name: item.domains for name, item in EXPERIMENT.training_sets.items()},
            "corpora": audit_corpora(),
            "codec_training": audit_codec_training(),
            "aliases": EXPERIMENT.aliases(),
            "controls": [source for source, wrapper in wrappers.items() if wrapper == "passthrough"],
            "limits": asdict(EXPERIMENT.audit),
            "seed": EXPERIMENT.seed,
        }
    )


def drawn_sources():
    """Corpus -> recordings and the codecs' sources of the first condition's recordings, an utterance of which is drawn."""
    drawn = EXPERIMENT.corpora_of(next(iter(EXPERIMENT.conditions.values())).bonafide)
    return {corpus: sources for corpus, sources in EXPERIMENT.sources_by_corpus().items() if corpus in drawn}


def drawn_audio():
    return [(corpus, source) for corpus, sources in drawn_sources().items() for source in sources]


def spectrogram_files():
    return [f"results/tables/figures/xie2025_figure2.{kind}" for kind in KINDS]


def scores_alone():
    """Whether score files were brought here without the audio that they are of."""
    return Path("results/scores").is_dir() and not Path("results/audio").is_dir()


def spectrogram_settings():
    return as_json({"sources": drawn_sources()})


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
            "quality": quality_sources(),
            "papers": paper_captions(),
            "audit": True,
            "not_run": EXPERIMENT.not_run,
            "experiment": SITE.experiment_as_written,
        }
    )


# folders of outputs and inputs


def folder(wildcards, output):
    return str(Path(output[0]).parent)


def model_folder(wildcards, input):
    return str(Path(input.model[0]).parent)


def published_folder(wildcards, input):
    return str(Path(input.published[0]).parent)
