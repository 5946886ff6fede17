"""What CUDA does with torch's operations: which wait, which launch nothing, which take a tensor of the CPU as well."""

import sys
from typing import Any

from places import ROOT
from torch import Tensor

# Operations whose result the CPU must know: a number, or the size of the output
SYNCHRONIZING = frozenset(
    ["_local_scalar_dense", "equal", "is_nonzero", "nonzero", "masked_select", "_unique2", "unique_dim", "bincount"]
)
# Operations that launch no kernel: views, and allocations without contents
VIEWS = """view _unsafe_view reshape _reshape_alias expand permute transpose t select slice unsqueeze squeeze detach
alias as_strided split split_with_sizes unbind unfold diagonal view_as_real view_as_complex lift_fresh set_data"""
ALLOCATIONS = "empty empty_like empty_strided new_empty new_empty_strided is_same_size _local_scalar_dense"
NO_KERNEL = frozenset([*VIEWS.split(), *ALLOCATIONS.split()])
# Kernels that refuse even a tensor of one number from the CPU
STRICT = "cat stack mm addmm bmm convolution embedding gather index_select scatter"
NO_NUMBERS_OF_THE_CPU = frozenset(STRICT.split())
COPIES = ("copy", "_to_copy")
PACKING = ("_pack_padded_sequence", "_pad_packed_sequence")  # take and return lengths of the CPU, as their second part
INDEXING = ("index", "index_put", "_unsafe_index", "_index_put_impl")


def may_mix(name: str, cpu_tensor: Tensor) -> bool:
    """Whether an operation on the GPU takes this tensor of the CPU: as a number, an index, or the end of a copy."""
    base = name.rstrip("_")
    is_index = base in INDEXING and not cpu_tensor.is_floating_point()
    is_length = name in PACKING and not cpu_tensor.is_floating_point()
    return base in COPIES or is_index or is_length or (cpu_tensor.dim() == 0 and base not in NO_NUMBERS_OF_THE_CPU)


def place() -> str:
    """The innermost line of this repository's product that is running."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        path = frame.f_code.co_filename
        if path.startswith((f"{ROOT}/codecfake/", f"{ROOT}/codec_wrappers/")):
            return f"{path.removeprefix(f'{ROOT}/')}:{frame.f_lineno}"
        frame = frame.f_back
    return "outside the product"


def _lstm_cell(inputs: Tensor, hidden: Tensor, cell: Tensor, *biases: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """One step of an LSTM, which is a kernel of its own on CUDA alone; gates `[B, 4 D]`, `cell` `[B, D]`."""
    gates = inputs + hidden
    for bias in biases:
        gates = gates if bias is None else gates + bias
    enter, keep, new, leave = gates.chunk(4, dim=1)
    state = keep.sigmoid() * cell + enter.sigmoid() * new.tanh()
    return leave.sigmoid() * state.tanh(), state, gates


REPLACEMENTS: dict[str, Any] = {"_thnn_fused_lstm_cell": _lstm_cell}
