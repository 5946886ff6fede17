# Reads the configuration and checks it before any job; defines the names that the rules use. This file has no rules.
from functools import partial
from pathlib import Path

from codecfake.base import installation
from codecfake.base.hub_models import record_name
from codecfake.degradation.settings import CODEC
from codecfake.detectors.released_forms import SET
from codecfake.experiment import audited, contents, hub_models, ladders, papers, quality_choice, released
from codecfake.experiment.partial_inputs import PartialInputs
from codecfake.experiment.tracing_inputs import TracingInputs
from codecfake.protocols.exports import FORMS as EXPORTS
from codecfake.report import timing
from codecfake.running import environments, hooks, report_marks
from codecfake.running.places import above, folder, model_folder, published_folder
from codecfake.running.storage import provided
from codecfake.running.wildcards import by_wildcards, provided_by_wildcards, text_of
from codecfake.tables.figures import KINDS

RUN = hooks.read(workflow, config)
EXPERIMENT, JOBS, INPUTS, PAPERS = RUN.site.experiment, RUN.jobs, RUN.inputs, RUN.papers
TRACING, PARTIAL = TracingInputs(EXPERIMENT, INPUTS), PartialInputs(EXPERIMENT, INPUTS)
PLACES, GPUS, STORAGE = RUN.places, RUN.gpus, RUN.storage
MODEL = "{detector}/{training_set}/{strategy}/seed{seed}"
DEGRADED = r"[+][A-Za-z0-9_-]+"  # the end of the name of a source or a condition of a laundering ladder
DEGRADED_HERE = f"(?!{CODEC}-)[A-Za-z0-9_-]+"  # without a second codec
TRAINING_SETS, RELEASED_SETS = f"(?!{SET})[A-Za-z0-9_-]+", f"{SET}[A-Za-z0-9_-]*"  # the second name released detectors


container: RUN.site.container  # none, unless config.yaml names one


shell.prefix(RUN.shell_prefix(shell._process_prefix or ""))


wildcard_constraints:
    corpus="[A-Za-z0-9_-]+",
    codec="[A-Za-z0-9_-]+",
    domain="[A-Za-z0-9_-]+",
    condition=f"[A-Za-z0-9_-]+({DEGRADED})?",
    detector="[A-Za-z0-9_-]+",
    training_set="[A-Za-z0-9_-]+",
    source=f"[A-Za-z0-9_-]+({DEGRADED})?",
    base="[A-Za-z0-9_-]+",
    degradation="[A-Za-z0-9_-]+",
    series="[A-Za-z0-9_-]+",
    store="[A-Za-z0-9_-]+",
    strategy="[A-Za-z0-9_-]+",
    task="[A-Za-z0-9_-]+",
    seed=r"\d+",
    shard=r"\d{4}",
    recordings="F00|native",


# generators write what is read from disk for other corpora; no corpus has the name `-`
GENERATED = "|".join(EXPERIMENT.generated()) or "-"
RECORDED = "|".join(name for name in EXPERIMENT.corpora if name not in EXPERIMENT.generated())

RUN_LOCK = RUN.claim()  # an open file; the lock ends when it is closed
