# codecfake: recordings -> codec fakes -> protocols -> detectors -> error rates and a report.
from pathlib import Path

from snakemake.utils import min_version

from codecfake.base import text_files

min_version("9.27")


# the run directory's config.yaml, or else the one beside this file; if this is a module, its importer's `config:`
CONFIG = "config.yaml" if Path("config.yaml").exists() else str(Path(str(workflow.current_basedir)) / "config.yaml")
if Path(CONFIG).is_file():
    text_files.read(Path(CONFIG))  # names a file that is not UTF-8, which Snakemake does not


configfile: CONFIG


report: "rules/report/workflow.rst"


include: "rules/config.smk"
include: "rules/corpora.smk"
include: "rules/hub_models.smk"
include: "rules/codec_weights.smk"
include: "rules/resynthesis.smk"
include: "rules/generation.smk"
include: "rules/protocols.smk"
include: "rules/quality.smk"
include: "rules/audit.smk"
include: "rules/training.smk"
include: "rules/released_detectors.smk"
include: "rules/evaluation.smk"
include: "rules/tracing.smk"
include: "rules/partial.smk"
include: "rules/report.smk"


rule all:
    input:
        "results/report.html",
        rules.protocols.input,
    localrule: True
    message:
        "All results are complete. Open results/report.html"


onstart:
    RUN.start()


onsuccess:
    hooks.settle_dates()
    timing.write_timing(RUN.storage.copies / "results", RUN.storage.copies / "results/timing.html")
    RUN.tell_report()


onerror:
    RUN.tell_failures()
