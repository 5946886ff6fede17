# One run at a time in a run directory; and what a killed run, a clock or a repair leaves there is settled. No rules.
import sys
import time
from datetime import datetime

from snakemake.logging import logger

from codecfake.running import dates, run_lock

# What Snakemake is asked for when it starts no job. It tells of a dry run at this point, but not of these.
ONLY_LOOKS = {
    *("--lint", "--list", "--list-rules", "-l", "--list-target-rules", "--lt", "--summary", "-S"),
    *("--detailed-summary", "-D", "--dag", "--rulegraph", "--filegraph", "--d3dag", "--print-compilation"),
    *("--list-changes", "--lc", "--list-input-changes", "--li", "--list-params-changes", "--lp"),
    *("--list-untracked", "--lu", "--list-conda-envs", "--unlock", "--nolock"),
}


def may_start_jobs():
    asked = {argument.split("=")[0] for argument in sys.argv[1:]}
    return workflow.is_main_process and not IS_MODULE and not workflow.output_settings.dryrun and not asked & ONLY_LOOKS


def first_of(paths):
    return f"{paths[0]}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


def settle_dates():
    same = dates.give_back(Path("results"))
    if same:
        logger.warning(
            f"Made again with the same bytes as before: {first_of(same)}. The date of before is kept, so nothing that "
            f"was made of that is made again"
        )
    future = dates.bring_back(Path("results"), time.time())
    if future:
        logger.warning(
            f"Dated in the future: {first_of(future)}. A clock was wrong; what it dated is dated back, in its order, so "
            f"nothing is made again for that"
        )


if may_start_jobs():
    try:
        # the lock holds as long as this file is open
        RUN_LOCK = run_lock.claim(SNAKEMAKE_FOLDER, datetime.now().isoformat(" ", "seconds"), logger.warning)
    except (run_lock.RunLockError, OSError) as error:
        raise WorkflowError(str(error)) from None
    settle_dates()
