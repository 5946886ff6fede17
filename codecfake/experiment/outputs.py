"""The rules of jobs: their names, their stages and the output files of their jobs, relative to the run directory."""

from collections.abc import Sequence
from itertools import product

from codec_wrappers.weights.checkpoints import PROVENANCE
from codecfake.base.degraded_names import with_degradation
from codecfake.experiment import ladders, tracing_tasks
from codecfake.experiment.audited import TABLES
from codecfake.experiment.jobs import JobName
from codecfake.experiment.schema import Experiment
from codecfake.protocols.lists import RECORDINGS

RULES = {  # stage, folder in results/, names of files; {} is a wildcard
    "synthesize_demo": ("corpora", "demo/", "SHA256SUMS"),
    "ingest_corpus": ("corpora", "corpora/{}/", "utterances.parquet", "rejected.tsv"),
    "fetch": ("codec weights", "weights/{}/", PROVENANCE),  # and what depends on the form of the checkpoint
    "fetch_hub_model": ("hub models", "weights/{}/", PROVENANCE),
    "train_codec": (
        "codec weights",
        "codecs/{}/",
        "weights.safetensors",
        "history.tsv",
        "quality.tsv",
        "settings.json",
    ),
    "read_captions": ("corpora", "corpora/{}/", "captions.tsv"),
    "write_generation_list": ("generation", "protocols/generation/", "{}.tsv", "{}.rejected.tsv", "{}.counts.tsv"),
    "generate": ("generation", f"audio/{{}}/{RECORDINGS}/"),  # shards
    "list_generated": ("generation", "corpora/{}/", "utterances.parquet", "rejected.tsv"),
    "record": ("resynthesis", "audio/{}/{}/"),  # shards
    "resynthesize": ("resynthesis", "audio/{1}/"),
    "splice": ("resynthesis", "audio/{}/{}/"),  # shards
    "list_spans": ("resynthesis", "spans/{0}/", "{1}.tsv"),
    "list_folder": ("degradation", "degradation/", "{}.tsv"),
    "degrade": ("degradation", "audio/{}/{}+{}/"),  # shards
    "degrade_through": ("degradation", "audio/{1}/"),
    "list_shards": ("resynthesis", "audio/{}/{}/", "shards.tsv"),
    "write_sources": ("protocols", "protocols/", "sources.tsv"),
    "write_partition": ("protocols", "protocols/{}/", "train.tsv", "dev.tsv"),
    "write_condition": ("protocols", "protocols/eval/", "{}.tsv"),
    "quality": ("quality", "quality/", "{}.tsv"),
    "quality_summary": ("quality", "tables/", "quality.csv", "quality_order.csv"),
    "measure_generated": ("quality", "quality/generated/", "{}.tsv"),
    "generated_summary": ("quality", "tables/", "generated.csv"),
    "audit": ("audit", "audit/", "audit.json", *(f"{table}.csv" for table in TABLES)),
    "audit_verdict": ("audit", "audit/", "passed.txt"),
    "check_lists": ("training", "audit/lists/", "{}.tsv"),
    "extract_features": ("training", "feature_lists/{0}/{1}/", "{2}.tsv"),  # the list of the files that have them
    "train_detector": (
        *("training", "models/{}/{}/{}/seed{}/"),
        *("weights.safetensors", "settings.json", "history.tsv", "calibration.json"),
    ),
    "fetch_detector": ("released detectors", "weights/{}/", PROVENANCE),  # and the checkpoint
    "import_detector": ("released detectors", "models/{}/{}/{}/seed{}/", "weights.safetensors", "settings.json"),
    "calibrate_detector": ("released detectors", "models/{}/{}/{}/seed{}/", "calibration.json"),
    "score": ("evaluation", "scores/{}/{}/{}/seed{}/"),  # a file for each condition
    "tabulate": ("evaluation", "tables/", "eer.csv"),  # and the papers' tables
    "train_tracer": (
        *("source tracing", "tracing/models/{}/{}/seed{}/"),
        *("weights.safetensors", "settings.json", "history.tsv"),
    ),
    "trace": ("source tracing", "tracing/scores/{0}/{1}/", "seed{2}.tsv"),
    "tabulate_tracing": ("source tracing", "tables/"),  # a file for each table that the tasks have
    "score_segments": ("partial fakes", "segments/{0}/{1}/{2}/", "seed{3}.tsv"),
    "tabulate_partial": ("partial fakes", "tables/", "partial.csv"),
    "report": ("report", "", "report.html"),
    "all": ("all", ""),
}
# each of their first wildcards has a rule of its own
A_RULE_EACH = ("fetch", "fetch_hub_model", "fetch_detector", "resynthesize", "degrade_through", "generate")


def stage(job: JobName) -> str:
    """The stage of the workflow that a job belongs to."""
    return RULES[job[0]][0]


def rule_name(job: JobName) -> str:
    """The name of its rule in the workflow."""
    rule, wildcards = job
    return f"{rule}_{wildcards[0]}" if rule in A_RULE_EACH else rule


def outputs(job: JobName, experiment: Experiment) -> tuple[tuple[str, ...], ...]:
    """The outputs of one job, or of the jobs for all shards of a corpus."""
    (rule, wildcards), names = job, RULES[job[0]][2:]
    folder = f"results/{RULES[rule][1]}".format(*wildcards)
    if rule in ("record", "splice", "degrade"):
        return _shards(folder, experiment.corpora[wildcards[0]].shards)
    if rule == "generate":
        return _shards(folder, experiment.corpora[wildcards[0]].shards, kinds=("tar", "parquet", "rejected.tsv"))
    if rule == "resynthesize":
        sources = [f"{source}/" for source in experiment.codecs[wildcards[0]].generated()]
        return _shards(folder, experiment.corpora[wildcards[1]].shards, sources)
    if rule == "degrade_through":
        codec, corpus, base = wildcards
        folders = [f"{with_degradation(base, step)}/" for step in ladders.second_codecs(experiment)[codec]]
        return _shards(folder, experiment.corpora[corpus].shards, folders)
    if rule == "score":
        names = tuple(f"{condition}.tsv" for condition in experiment.conditions)
    if rule == "tabulate_tracing":
        names = tuple(f"{table}.csv" for table in tracing_tasks.tables(experiment))
    return (tuple(folder + name.format(*wildcards) for name in names),)


def _shards(
    folder: str, number: int, sources: Sequence[str] = ("",), kinds: Sequence[str] = ("tar", "parquet")
) -> tuple[tuple[str, ...], ...]:
    parts = list(product(sources, kinds))
    return tuple(tuple(f"{folder}{source}{shard:04d}.{kind}" for source, kind in parts) for shard in range(number))
