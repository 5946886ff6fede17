# Which jobs hold a GPU, and how many threads they have beside it. No rules.
import os

import codec_wrappers
from codecfake.base import gpus


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
    if codec is not None and codec_wrappers.entry(EXPERIMENT.codecs[codec].wrapper).device == "cpu":
        return 0
    return gpus.needed(SITE.device, ON_CLUSTER, len(GPUS))


def threads_beside(number):
    """Threads of a job with so many GPUs: on one machine, cores are shared out among its GPUs."""
    if not number:
        return 1
    cores = workflow.global_resources["_cores"].value or HELPERS
    return HELPERS if ON_CLUSTER else max(1, min(HELPERS, cores // max(1, len(GPUS))))
