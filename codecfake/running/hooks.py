"""Code that runs before the first job of a Snakemake run and after the last; only the main process imports it."""

import atexit
import shlex
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

import codec_wrappers
from codecfake import generators
from codecfake.base import hub_models, installation, plugins
from codecfake.base.files import WITHOUT_SEALS, FileError
from codecfake.base.settings import SettingsError
from codecfake.base.validation import ConfigurationError
from codecfake.experiment import configuration, ladders, site
from codecfake.experiment.inputs import Inputs
from codecfake.experiment.jobs import Jobs
from codecfake.experiment.papers import Papers
from codecfake.experiment.site import Site
from codecfake.running import dates, requirements, run_lock
from codecfake.running.gpu_jobs import GpuJobs, gpu_jobs
from codecfake.running.places import Places
from codecfake.running.storage import Storage
from codecfake.tables.published import Published

SECONDS_BETWEEN_NEWS = 60
RESULTS = Path("results")
# With these options, Snakemake starts no job. When it reads the workflow, it reveals a dry run, but not these options.
ONLY_LOOKS = {
    *("--lint", "--list", "--list-rules", "-l", "--list-target-rules", "--lt", "--summary", "-S"),
    *("--detailed-summary", "-D", "--dag", "--rulegraph", "--filegraph", "--d3dag", "--print-compilation"),
    *("--list-changes", "--lc", "--list-input-changes", "--li", "--list-params-changes", "--lp"),
    *("--list-untracked", "--lu", "--list-conda-envs", "--unlock", "--nolock", "--report"),
}


@dataclass(frozen=True)
class Run:
    """A run as Snakemake reads it: everything that rules need from the configuration, and what happens around jobs."""

    workflow: Any
    site: Site
    papers: Papers
    jobs: Jobs
    gpus: GpuJobs
    storage: Storage
    is_module: bool  # another workflow imports this one and handles locks, dates and messages

    @property
    def inputs(self) -> Inputs:
        return Inputs(self.site.experiment, self.storage.is_used)

    @property
    def places(self) -> Places:
        return Places(self.site, self.inputs, self.storage)

    # input files of jobs that depend on this machine, too

    def weights_of(self, codec: str) -> list[str]:
        """The weight files that a codec reads."""
        return self.inputs.stored.with_weights(self.site.weights_of(codec))

    def start_of(self, codec: str) -> list[str]:
        """The weight files that a codec's training starts from."""
        return self.inputs.stored.with_weights(self.site.start_of(codec))

    def generator_weights_of(self, corpus: str) -> list[str]:
        """The weight files that the generator of a corpus reads."""
        return self.inputs.stored.with_weights(self.site.generator_weights_of(corpus))

    def released_file(self, detector: str, training_set: str, strategy: str) -> list[str]:
        """The checkpoint of a released detector."""
        return [self.site.released_file(detector, training_set, strategy)]

    def shell_prefix(self, importers: str) -> str:
        """The first commands of every job's shell; `importers` is the prefix of a workflow that imports this one.

        Setting a prefix replaces Snakemake's own strict mode, without which `… | tee` would hide a failure. A crash in
        compiled code prints its location. Jobs import the packages from here, also inside conda environments.
        """
        snakemake = _snakemake_folder()
        variables = {
            "PYTHONFAULTHANDLER": "1",
            "PYTHONPATH": str(installation.import_folder(snakemake / "codecfake")),
            plugins.VARIABLE: str(plugins.folder() or ""),
            hub_models.VARIABLE: str(Path(self.storage.local_path("results/weights")).resolve()),
        }
        if self.storage.is_used:
            variables[WITHOUT_SEALS] = "1"
        exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
        locks = importers if self.is_module else run_lock.shared_by_jobs(snakemake)
        # Snakemake formats a prefix, and folders may have braces in their names
        return f"set -euo pipefail; {locks}export {exports}; ".replace("{", "{{").replace("}", "}}")

    def gpus_of(self, codec: str) -> int:
        """Number of GPUs of a job that resynthesizes with a codec."""
        return self.gpus.per_job(
            on_cpu=codec_wrappers.entry(self.site.experiment.codecs[codec].wrapper).device == "cpu"
        )

    # when Snakemake has read the workflow

    def claim(self) -> TextIO | None:
        """Lock the run directory while the returned file is open, and correct its dates; None if no job will start."""
        if self._is_main and self.workflow.output_settings.dryrun:
            atexit.register(self._warn_of_missing_packages)  # a dry run calls no hook
        if not self._may_start_jobs():
            return None
        try:
            start = datetime.now().isoformat(" ", "seconds")
            lock = run_lock.claim(_snakemake_folder(), start, logger.warning)
        except (run_lock.RunLockError, OSError) as error:
            raise WorkflowError(str(error)) from None
        settle_dates()
        return lock

    def _may_start_jobs(self) -> bool:
        options = {argument.split("=")[0] for argument in sys.argv[1:]}
        return self._is_main and not self.workflow.output_settings.dryrun and not options & ONLY_LOOKS

    @property
    def _is_main(self) -> bool:
        return self.workflow.is_main_process and not self.is_module

    # before the first job

    def start(self) -> None:
        """Refuse a run that cannot succeed; otherwise record its experiment and start the progress messages."""
        self._require_packages()
        self._require_gpu()
        self._require_room()
        site.claim_run_directory(self.site.experiment.title, RESULTS)
        for condition, why in self.site.experiment.not_run.items():
            logger.info(f"Left out: condition {condition}, because {why}")
        self._begin_watching()

    def _require_packages(self) -> None:
        """Refuse to start a run whose jobs lack a package, unless they run in separate environments."""
        lines = self._missing_packages({job.rule.name for job in self._jobs()})
        if lines:
            raise WorkflowError("\n".join(["packages are missing for this run:", *lines]))

    def _warn_of_missing_packages(self) -> None:
        """At the end of a dry run, name the packages without which a run to the report would not start."""
        is_demo = any(corpus.demo for corpus in self.site.experiment.corpora.values())
        lines = self._missing_packages([rule for rule in requirements.NEEDS if is_demo or rule != "synthesize_demo"])
        if lines:
            print("\n".join(["\nWarning: packages are missing for a run to the report:", *lines]), file=sys.stderr)

    def _missing_packages(self, rules: Collection[str]) -> list[str]:
        if self.workflow.deployment_settings.deployment_method:
            return []
        experiment = self.site.experiment
        generated = [item for corpus, item in experiment.generated().items() if f"generate_{corpus}" in rules]
        used = [generators.entry(item.generator) for item in generated]
        wrappers = [experiment.codecs[codec].wrapper for codec in ladders.codecs_used(experiment)]
        # prompts of generators are coded, and their codes decoded
        entries = map(codec_wrappers.entry, wrappers + [entry.codec for entry in used if entry.codec is not None])
        packages = [package for entry in used for package in entry.packages]
        of_codecs = [entry.package for entry in entries if entry.package]
        kinds = [ladder.about for _, ladder in ladders.placed(experiment)]
        return requirements.missing(rules, of_codecs, packages, kinds)

    def _require_gpu(self) -> None:
        """Refuse to start if a job will need a GPU that this machine lacks, before others have run for hours."""
        uses_gpu = any(job.resources.get("gpu") for job in self._jobs())
        if uses_gpu and self.workflow.local_exec and not self.workflow.remote_exec and not self.gpus.here:
            raise WorkflowError("config.yaml: device: cuda, but this machine shows no GPU; set `device: cpu` or `auto`")

    def _require_room(self) -> None:
        """Refuse to start a run that does not fit on the disk, or whose split does not fit the ingested corpora.

        Warns about unknown sizes and rates.
        """
        # imported here, since the jobs read the workflow too and do not need planning
        from codecfake.protocols.splits import SplitError
        from codecfake.running.planning import disk

        if self.site.check_disk and not self.storage.is_used:  # a disk then holds the files of a few jobs at a time
            outputs = [path for job in self._jobs() for path in job.output]
            device = "cpu" if self.site.device == "cpu" else "gpu"
            try:
                for warning in disk.check_run(self.site.experiment, outputs, device, self.site.roots):
                    logger.warning(warning)
            except (disk.DiskError, SplitError, SettingsError, FileError) as error:
                raise WorkflowError(str(error)) from None

    def _begin_watching(self) -> None:
        """Record the jobs of this run, and print its progress while it runs."""
        from codecfake.running.watching import following, jobs

        copies = self.storage.copies
        logs = (Path(job.log[0]).relative_to(copies) for job in self._jobs() if job.log)
        jobs.write_list(copies, [jobs.name_of(str(log)) for log in logs])
        following.narrate(copies, logger.info, SECONDS_BETWEEN_NEWS)

    # after the last job

    def tell_report(self) -> None:
        """Print where the report is, if there is one."""
        report = "results/report.html"
        if self.storage.is_used:
            print(f"\nThe report: {self.storage.address(report)}")
        elif Path(report).exists():
            print(f"\nThe report: {Path(report).resolve()}")

    def tell_failures(self) -> None:
        """Print which jobs failed, the ends of their logs, and remedies."""
        from codecfake.running.watching import failures, jobs

        logger.error(f"\n{failures.failures(jobs.read_run(self.storage.copies)) or failures.NO_JOB_FAILED}\n")

    def _jobs(self) -> list[Any]:
        return list(self.workflow.dag.needrun_jobs())


def read(workflow: Any, config: Mapping[str, Any]) -> Run:
    """The run that Snakemake will do. Raises WorkflowError with every fault of its configuration."""
    is_module = not workflow.modifier.is_main_snakefile()
    paths = workflow.modifier.path_modifier
    if is_module and (paths.prefix or paths._prefix_replacements):
        raise WorkflowError("module codecfake: its commands write to results/; leave out prefix: and replace_prefix:")
    base = configuration.folder(config) or Path(workflow.basedir)  # the folder of the main Snakefile
    result = site.check(config, base, map(Path, workflow.configfiles))
    faults = result.faults + _faults_of_run_directory(result.title)
    if result.site is None or faults:
        raise WorkflowError("\n".join(faults))
    papers = Papers(result.site.experiment, Published(installation.paper_tables()))
    jobs = Jobs(result.site.experiment, papers, result.site.experiment_as_written)
    try:
        jobs.check()
    except ConfigurationError as error:
        raise WorkflowError(str(error)) from None
    gpus = gpu_jobs(workflow, result.site.device)
    return Run(workflow, result.site, papers, jobs, gpus, Storage(workflow), is_module)


def _faults_of_run_directory(title: str | None) -> list[str]:
    try:
        site.check_run_directory(title or "", RESULTS)
    except ConfigurationError as error:
        return [str(error)] if title else []
    return []


def settle_dates() -> None:
    """Correct timestamps of results that a wrong clock or a repair has changed, so that nothing is remade for them."""
    same = dates.give_back(RESULTS)
    if same:
        logger.warning(
            f"Made again with the same bytes as before: {_first_of(same)}. The earlier timestamp is kept, so nothing "
            f"that depends on it is made again"
        )
    future = dates.bring_back(RESULTS, time.time())
    if future:
        logger.warning(
            f"Dated in the future: {_first_of(future)}. A clock was wrong. No action needed: timestamps are corrected "
            f"in order and nothing is made again"
        )


def _first_of(paths: list[Path]) -> str:
    return f"{paths[0]}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


def _snakemake_folder() -> Path:
    return Path(".snakemake").resolve()
