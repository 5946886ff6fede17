"""The number of GPUs and CPU threads of each job."""

import os
from dataclasses import dataclass
from typing import Any

from codecfake.base import gpus

HELPERS = 8  # threads of a job with a GPU: all but the first read, resample, decode and write


@dataclass(frozen=True)
class GpuJobs:
    """How jobs share the GPUs of their machines."""

    device: str  # of config.yaml
    on_cluster: bool
    here: int  # GPUs of this machine
    cores: int | None  # that a run may use on this machine; None if unknown

    def per_job(self, on_cpu: bool = False) -> int:
        """Number of GPUs, 0 or 1, for a job that runs a network; `on_cpu`: it cannot run on a GPU."""
        return 0 if on_cpu else gpus.num_needed(self.device, self.on_cluster, self.here)

    def threads(self, number: int) -> int:
        """Threads of a job with `number` GPUs; on a single machine, its GPUs share the cores equally."""
        if not number:
            return 1
        return HELPERS if self.on_cluster else max(1, min(HELPERS, (self.cores or HELPERS) // max(1, self.here)))


def gpu_jobs(workflow: Any, device: str) -> GpuJobs:
    """The GPU sharing of a Snakemake run; also limits Snakemake to as many GPU jobs at a time as GPUs exist."""
    cluster, here = on_cluster(workflow), len(gpus.visible(os.environ))
    if here and not cluster and "gpu" not in workflow.global_resources:
        workflow.register_resource("gpu", here)  # as `--resources gpu=N` does
    return GpuJobs(device, cluster, here, workflow.global_resources["_cores"].value)


def on_cluster(workflow: Any) -> bool:
    """Whether jobs run on other machines, or this process is such a job.

    The executor is not known yet. `--jobs` indicates a cluster, but on one machine people use it for `--cores`.
    """
    limits = workflow.resource_settings
    return workflow.remote_exec or (
        limits.nodes is not None and (limits.cores is None or limits.default_resources is not None)
    )
