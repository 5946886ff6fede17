"""Where networks run, and with how many threads: said once at the start of a job, never changed in silence."""

import logging
import os

import torch

from codecfake.base import gpus

logger = logging.getLogger(__name__)


def prepare(name: str, threads: int) -> torch.device:
    """The device called `cpu`, `cuda` or `auto`, ready for repeatable results with `threads` CPU threads.

    `auto` takes CUDA where there is a device and says which it took.
    Raises GpuError if `cuda` is asked for and there is none.
    """
    torch.set_num_threads(threads)
    if name == "cuda" and not torch.cuda.is_available():
        raise gpus.GpuError(f"there is no CUDA device to run on: {_why_none()}; set `device: cpu` to run on the CPU")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
        logger.info("running on %s", name)
    if name == "cuda":
        # TF32 changes codes: the nearest codebook entry is decided by small differences
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = False
    return torch.device(name)


def prepare_job(name: str, given: int | None, threads: int) -> torch.device:
    """As `prepare`, for a job that the workflow gave so many GPUs (0 or 1), which it takes for itself alone.

    `auto` runs where the workflow means it to: on the GPU it was given, or else on the CPU. To be called before
    anything asks CUDA for its devices. Without a workflow (`given` is None), as `prepare`.
    Raises GpuError if a GPU is needed and none was given, or none is there.
    """
    if given is None:
        return prepare(name, threads)
    if name == "cpu":
        if given:
            logger.warning("this job holds a GPU (resources: gpu=1) and leaves it idle (device: cpu)")
        return prepare("cpu", threads)
    if not given:
        if name == "cuda":
            raise gpus.GpuError(
                "device: cuda, but this job was given no GPU (resources: gpu=0); give it one, or set `device: cpu`"
            )
        logger.info("running on cpu: this job was given no GPU")
        return prepare("cpu", threads)
    found = gpus.visible(os.environ)
    if found:
        os.environ[gpus.VISIBLE] = gpus.take(found, gpus.slots(os.environ))
        logger.info("taking GPU %s", os.environ[gpus.VISIBLE])
    return prepare("cuda", threads)


def _why_none() -> str:
    if not torch.backends.cuda.is_built():
        return "this torch is built without CUDA"
    shown = f"CUDA_VISIBLE_DEVICES={os.environ[gpus.VISIBLE]}; " if gpus.VISIBLE in os.environ else ""
    return f"torch sees none ({shown}`nvidia-smi` shows GPUs and driver)"


def use_huge_pages() -> None:
    """Have torch ask the kernel for pages of 2 MB, where it has them (Linux: "madvise" or "always"); else nothing.

    A decoder's tensors are large and short-lived: as pages of 4 kB, mapping and clearing them for each new tensor takes
    a fifth to a third of its CPU time. To be called before the first tensor; numbers do not change.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch reads it nowhere else
