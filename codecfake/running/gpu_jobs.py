"""Which jobs hold a GPU, and how many threads they have beside it."""

import os
from dataclasses import dataclass
from typing import Any

from codecfake.base import gpus

HELPERS = 8  # threads of a job with a GPU: those beyond the first read, resample, decode and write beside it


@dataclass(frozen=True)
class GpuJobs:
    """How jobs share the GPUs of the machines that they run on."""

    device: str  # of config.yaml
    on_cluster: bool
    here: int  # GPUs of this machine
    cores: int | None  # that a run may use on this machine, if that is known

    def needed(self, on_cpu: bool = False) -> int:
        """GPUs of a job that runs a network, 0 or 1; `on_cpu`: of one that cannot run on a GPU."""
        return 0 if on_cpu else gpus.needed(self.device, self.on_cluster, self.here)

    def threads(self, number: int) -> int:
        """Threads of a job with `number` GPUs: on one machine, cores are shared out among its GPUs."""
        if not number:
            return 1
        return HELPERS if self.on_cluster else max(1, min(HELPERS, (self.cores or HELPERS) // max(1, self.here)))


def gpu_jobs(workflow: Any, device: str) -> GpuJobs:
    """The sharing in a run of Snakemake, which is told to start no more jobs at a time than there are GPUs."""
    cluster, here = on_cluster(workflow), len(gpus.visible(os.environ))
    if here and not cluster and "gpu" not in workflow.global_resources:
        workflow.register_resource("gpu", here)  # as `--resources gpu=N` does
    return GpuJobs(device, cluster, here, workflow.global_resources["_cores"].value)


def on_cluster(workflow: Any) -> bool:
    """Whether jobs run on other machines than this, or this is one of those jobs.

    The executor is not known yet. `--jobs` tells a cluster's run, but on one machine people say it for `--cores`.
    """
    asked = workflow.resource_settings
    return workflow.remote_exec or (
        asked.nodes is not None and (asked.cores is None or asked.default_resources is not None)
    )
