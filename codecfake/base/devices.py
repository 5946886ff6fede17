"""The device of a job and its number of threads: logged once at the start, never changed silently."""

import logging
import os

import torch

from codecfake.base import gpus

logger = logging.getLogger(__name__)


def prepare(name: str, threads: int) -> torch.device:
    """The device called `cpu`, `cuda` or `auto`, ready for repeatable results with `threads` CPU threads.

    `auto` uses CUDA if there is a device, and logs its choice.
    Raises GpuError for `cuda` without a CUDA device.
    """
    torch.set_num_threads(threads)
    if name == "cuda" and not torch.cuda.is_available():
        raise gpus.GpuError(f"there is no CUDA device to run on: {_why_none()}; set `device: cpu` to run on the CPU")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
        logger.info("running on %s", name)
    return make_repeatable(torch.device(name))


def make_repeatable(device: torch.device) -> torch.device:
    """Have this process compute on the device, with repeatable results.

    torch warns of an operation without a deterministic form on CUDA, and computes it nevertheless. These are gradients
    of some paddings and poolings, which only training needs.
    """
    if device.type == "cuda":
        # TF32 changes codes: the nearest codebook entry is decided by small differences
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        _make_deterministic()
        if device.index is not None:
            torch.cuda.set_device(device)
    return device


def _make_deterministic() -> None:
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it when it starts
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.set_deterministic_debug_mode("warn")
    # no code here reads memory before it writes it, so filling it would only cost time
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # TorchScript would compile DAC's activation at its second call, and again for other shapes: an utterance's bits
    # could depend on those before it
    torch.jit.set_fusion_strategy([])


def of_job(device: torch.device, num_gpus: int | None) -> list[torch.device]:
    """The devices of a job with `num_gpus`, given the one that `prepare_job` returned."""
    if device.type != "cuda" or num_gpus in (None, 0, 1):
        return [device]
    return [torch.device("cuda", number) for number in range(num_gpus)]


def prepare_job(name: str, num_gpus: int | None, threads: int) -> torch.device:
    """As `prepare`, for a job to which the workflow assigns `num_gpus`; no other job uses its GPUs.

    `auto` runs on the assigned GPU, or else on the CPU. Must be called before anything asks CUDA for its devices.
    Without a workflow (`num_gpus` is None), same as `prepare`.
    Raises GpuError if a GPU is needed but was not assigned or does not exist.
    """
    if num_gpus is None:
        return prepare(name, threads)
    if name == "cpu":
        if num_gpus:
            logger.warning("this job reserves a GPU (resources: gpu=1) but does not use it (device: cpu)")
        return prepare("cpu", threads)
    if not num_gpus:
        if name == "cuda":
            raise gpus.GpuError(
                "device: cuda, but this job was assigned no GPU (resources: gpu=0); assign one, or set `device: cpu`"
            )
        logger.info("running on cpu: this job was assigned no GPU")
        return prepare("cpu", threads)
    names = gpus.visible(os.environ)
    if names:
        os.environ[gpus.VISIBLE] = ",".join(gpus.take_several(names, gpus.slots(os.environ), num_gpus))
        logger.info("taking GPU %s", os.environ[gpus.VISIBLE])
    return prepare("cuda", threads)


def _why_none() -> str:
    if not torch.backends.cuda.is_built():
        return "this torch is built without CUDA"
    setting = f"CUDA_VISIBLE_DEVICES={os.environ[gpus.VISIBLE]}; " if gpus.VISIBLE in os.environ else ""
    return f"torch sees none ({setting}`nvidia-smi` shows GPUs and driver)"


def use_huge_pages() -> None:
    """Make torch request 2 MB pages where the kernel offers them (Linux: "madvise" or "always"); otherwise no effect.

    A decoder's tensors are large and short-lived: with 4 kB pages, mapping and clearing memory for each new tensor
    takes a fifth to a third of its CPU time. Must be called before the first tensor; numbers do not change.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch has no other switch for it
