# What happens before the first job of a run, and after its last. No rules.
# These run in the main process alone: jobs need not import what they do.
import codec_wrappers
from codecfake.base.files import FileError
from codecfake.base.installation import InstallationError
from codecfake.running.planning import costs, rates
from codecfake.base.settings import SettingsError

SECONDS_BETWEEN_NEWS = 60


def claim_run_directory():
    site.claim_run_directory(EXPERIMENT.title, Path("results"))


def require_room(outputs):
    """Refuse to start a run that the disk cannot hold; `outputs` are the files that it is going to make."""
    if SITE.check_disk:
        device = "cpu" if SITE.device == "cpu" else "gpu"
        try:
            plan = costs.plan(EXPERIMENT, Path(), rates.shipped(), device, SITE.roots)
            costs.require_room(costs.left(plan, Path(), frozenset(map(str, outputs))), Path())
        except (costs.DiskError, SettingsError, FileError) as error:
            raise WorkflowError(str(error)) from None


def require_gpu():
    """Refuse to start where a job will need a GPU and there is none, before others have run for hours."""
    needed = any(job.resources.get("gpu") for job in workflow.dag.needrun_jobs())
    if needed and workflow.local_exec and not workflow.remote_exec and not GPUS:
        raise WorkflowError("config.yaml: device: cuda, but this machine shows no GPU; set `device: cpu` or `auto`")


def require_packages():
    """Refuse to start a run whose jobs will miss a package, unless they run in environments of their own."""
    from codecfake.running import requirements

    if not workflow.deployment_settings.deployment_method:
        entries = [codec_wrappers.entry(EXPERIMENT.codecs[codec].wrapper) for codec in EXPERIMENT.codecs_run()]
        rules = {job.rule.name for job in workflow.dag.needrun_jobs()}
        try:
            requirements.require(rules, [entry.package for entry in entries if entry.package])
        except InstallationError as error:
            raise WorkflowError(str(error)) from None


def begin_watching():
    """Write down which jobs this run will do, and tell how far it is while it is at work."""
    from codecfake.running.watching import following, jobs

    jobs.write_list(Path(), [jobs.name_of(job.log[0]) for job in workflow.dag.needrun_jobs() if job.log])
    following.narrate(Path(), logger.info, SECONDS_BETWEEN_NEWS)


def tell_failures():
    """Say at the end which jobs failed, what their logs end with, and what helps."""
    from codecfake.running.watching import failures, jobs

    logger.error(f"\n{failures.failures(jobs.read_run(Path())) or failures.NONE_BEGUN}\n")


def write_timing():
    """Gather the records of all jobs in a page beside the report."""
    from codecfake.report import timing

    timing.write_timing(Path("results"), Path("results/timing.html"))
