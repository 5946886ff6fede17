"""Where networks run, and with how many threads: said once at the start of a job, never changed in silence."""

import logging
import os

import torch

logger = logging.getLogger(__name__)


def prepare(name: str, threads: int) -> torch.device:
    """The device called `cpu`, `cuda` or `auto`, ready for repeatable results with `threads` CPU threads.

    `auto` takes CUDA where there is a device and says which it took.
    Raises RuntimeError if `cuda` is asked for and there is none.
    """
    torch.set_num_threads(threads)
    if name == "cuda" and not torch.cuda.is_available():
        raise RuntimeError("device: cuda was asked for, but no CUDA device is visible; set `device: cpu` or `auto`")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
        logger.info("running on %s", name)
    if name == "cuda":
        # TF32 changes codes: the nearest codebook entry is decided by small differences
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = False
    return torch.device(name)


def use_huge_pages() -> None:
    """Have torch ask the kernel for pages of 2 MB, where it has them (Linux: "madvise" or "always"); else nothing.

    A decoder's tensors are large and short-lived: as pages of 4 kB, mapping and clearing them for each new tensor takes
    a fifth to a third of its CPU time. To be called before the first tensor; numbers do not change.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch reads it nowhere else
