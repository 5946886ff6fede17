# Configuration, checked before any job, and what rules of all stages use. No rules.
import json
import shlex
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from codecfake.experiment import codecs
from codecfake.running import run_lock
from codecfake.experiment import site
from codecfake.base import installation
from codecfake.base.validation import ConfigurationError

NATIVE = "native"  # recordings at their own rate, which codecs are trained on
SNAKEMAKE_FOLDER = Path(".snakemake").resolve()
# Another workflow can import this one as a module. That workflow then owns the run: its locks, dates and messages.
IS_MODULE = not workflow.modifier.is_main_snakefile()
if IS_MODULE and (workflow.modifier.path_modifier.prefix or workflow.modifier.path_modifier._prefix_replacements):
    raise WorkflowError("module codecfake: its commands write to results/, so leave out prefix: and replace_prefix:")
BASE = Path(config.get("relative_to") or workflow.basedir)  # the folder of the Snakefile that was started

try:
    SITE = site.read(config, BASE)
    EXPERIMENT = SITE.experiment
    site.check_run_directory(EXPERIMENT.title, Path("results"))
    codecs.check(EXPERIMENT)
except (ConfigurationError, codecs.CodecConfigurationError) as error:
    raise WorkflowError(str(error)) from None

# The packages are used from here, also inside conda environments and other run directories.
# Setting a prefix replaces Snakemake's own strict mode, without which `… | tee` would hide a failure. A job that ends
# inside compiled code says where. Jobs of a module have the prefix of the importing workflow, too.
shell.prefix(
    "set -euo pipefail; "
    f"{shell._process_prefix or '' if IS_MODULE else run_lock.shared_by_jobs(SNAKEMAKE_FOLDER)}"
    f"export PYTHONFAULTHANDLER=1 "
    f"PYTHONPATH={shlex.quote(str(installation.import_folder(SNAKEMAKE_FOLDER / 'codecfake')))}; "
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


# Places and devices. They take `output` though they do not need it: Snakemake then knows that they say how a job is run,
# not what it makes, and makes nothing again when a corpus is moved or when the rest of a run gets a GPU.


def root_of(wildcards, output):
    return str(SITE.root(wildcards.corpus))


def weights_folder(wildcards, output):
    return str(SITE.weights)


def device(wildcards, output):
    return SITE.device


# folders of outputs and inputs


def folder(wildcards, output):
    return str(Path(output[0]).parent)


def model_folder(wildcards, input):
    return str(Path(input.model[0]).parent)


def published_folder(wildcards, input):
    return str(Path(input.published[0]).parent)
