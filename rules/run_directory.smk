# One run at a time in a run directory; and what a killed run, a clock or a repair leaves there is settled. No rules.
import sys
import time
from datetime import datetime

from snakemake.logging import logger

from codecfake import dates, run_lock

# What Snakemake is asked for when it starts no job. It tells of a dry run at this point, but not of these.
ONLY_LOOKS = {
    *("--lint", "--list", "--list-rules", "-l", "--list-target-rules", "--lt", "--summary", "-S"),
    *("--detailed-summary", "-D", "--dag", "--rulegraph", "--filegraph", "--d3dag", "--print-compilation"),
    *("--list-changes", "--lc", "--list-input-changes", "--li", "--list-params-changes", "--lp"),
    *("--list-untracked", "--lu", "--list-conda-envs", "--unlock", "--nolock"),
}


def may_start_jobs():
    asked = {argument.split("=")[0] for argument in sys.argv[1:]}
    return workflow.is_main_process and not workflow.output_settings.dryrun and not asked & ONLY_LOOKS


def settle_dates():
    for path in dates.give_back(Path("results")):
        logger.warning(f"{path} was made again, with the same bytes as before; it keeps its date, so nothing follows")
    for path in dates.bring_back(Path("results"), time.time()):
        logger.warning(f"{path} was dated in the future: a clock was wrong. It is dated back; nothing is made again")


if may_start_jobs():
    try:
        # the lock holds as long as this file is open
        RUN_LOCK = run_lock.claim(SNAKEMAKE_FOLDER, datetime.now().isoformat(" ", "seconds"), logger.warning)
    except (run_lock.RunLockError, OSError) as error:
        raise WorkflowError(str(error)) from None
    settle_dates()
