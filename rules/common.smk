# Configuration, checked before any job, and the paths and settings that several stages need. No rules.
import json
import shlex
import sys
from dataclasses import asdict
from functools import partial
from itertools import product

from snakemake.exceptions import WorkflowError

sys.path.insert(0, workflow.basedir)

from codecfake import experiment_file, site
from codecfake.protocols import RECORDINGS
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
    return [
        f"{folder}/{number:04d}.{kind}"
        for number in numbers
        for kind in ("tar", "parquet")
    ]


def shards_of(audio):
    """Shards of (corpus, source) pairs, each named once."""
    return [
        path
        for corpus, source in dict.fromkeys(audio)
        for path in shards(corpus, source)
    ]


def root_of(wildcards):
    return str(SITE.root(wildcards.corpus))
