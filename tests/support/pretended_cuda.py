"""A CUDA device that is not there: its tensors compute on the CPU, say `cuda:0`, and refuse what CUDA would refuse.

It shows mistakes that do not depend on a GPU's arithmetic: a tensor left on the CPU, values brought to the CPU in the
middle of a step, an operation without a half-precision form. It says nothing about a GPU's numbers, its speed, its
memory, or races between streams. It uses private parts of torch, so it is tied to the pinned version.

Autograd works only for tensors that C++ does not take for CUDA tensors; autocast and TorchScript's fuser act only on
those that it does. `forward_only` chooses the second kind.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from pretended_operations import NO_KERNEL, PACKING, REPLACEMENTS, SYNCHRONIZING, may_mix, place
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

CUDA = torch.device("cuda", 0)
REDUCED = (torch.bfloat16, torch.float16)


class MixedDevicesError(RuntimeError):
    """An operation got tensors of the CPU and of the GPU."""


@dataclass
class Observations:
    """What happened on the pretended device, counted."""

    waits: Counter[tuple[str, str]] = field(default_factory=Counter)  # (operation, place): the CPU waits for the GPU
    kernels: Counter[str] = field(default_factory=Counter)
    reduced: Counter[str] = field(default_factory=Counter)  # operations on half-precision tensors

    @property
    def num_waits(self) -> int:
        return sum(self.waits.values())

    def clear(self) -> None:
        for counter in (self.waits, self.kernels, self.reduced):
            counter.clear()


class CudaTensor(Tensor):
    """A tensor on the pretended device; `host` holds its values."""

    host: Tensor
    observations = Observations()
    forward_only = False

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def around(host: Tensor) -> "CudaTensor":
        shape = torch.empty_strided(host.size(), host.stride(), dtype=host.dtype, device="meta")
        tensor: CudaTensor = Tensor._make_subclass(  # type: ignore[attr-defined]
            CudaTensor, shape, False, device_for_backend_keys=CUDA, dispatch_device=CudaTensor.forward_only
        )
        tensor.host = host
        return tensor

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return CUDA

    @property
    def is_cuda(self) -> bool:  # type: ignore[override]
        return True

    @property
    def is_cpu(self) -> bool:  # type: ignore[override]
        return False

    @property
    def is_meta(self) -> bool:  # type: ignore[override]
        return False

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"CudaTensor({self.host!r})"

    def numpy(self, *, force: bool = False) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first")

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def to(self, *args: Any, **kwargs: Any) -> Tensor:  # type: ignore[override]
        """On a GPU, a tensor that is already there is returned as it is."""
        if not kwargs and args in [(CUDA,), (torch.device("cuda"),), ("cuda",)]:
            return self
        return super().to(*args, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        copy: Tensor = CudaTensor.around(self.host.detach().clone())
        if isinstance(self, torch.nn.Parameter):
            copy = torch.nn.Parameter(copy, self.requires_grad)
        memo[id(self)] = copy
        return copy

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(func, args, kwargs or {})


class _Device(TorchDispatchMode):
    """Creates tensors on the pretended device, and takes tensors there and back."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        is_ours = any(isinstance(leaf, CudaTensor) for leaf in tree_leaves((args, kwargs)))
        if is_ours or _is_gpu(kwargs.get("device")):
            return _call(func, args, kwargs)
        return func(*args, **_unpinned(kwargs))


class _Values(TorchFunctionMode):
    """Has `torch.tensor` create tensors on the CPU and take them to the device, which no dispatch mode sees."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in (torch.tensor, torch.as_tensor) and _is_gpu(kwargs.get("device")):
            return func(*args, **{**kwargs, "device": "cpu"}).to(CUDA)
        return func(*args, **kwargs)


def _is_gpu(device: Any) -> bool:
    """`meta` is what C++ takes a tensor's device for if autograd has to work."""
    return device is not None and torch.device(device).type in ("cuda", "meta")


def _unpinned(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {**kwargs, "pin_memory": False} if kwargs.get("pin_memory") else kwargs


def _call(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    if func is torch.ops.prim.device.default:
        return CUDA
    name = func._schema.name.removeprefix("aten::")
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
    stays = any(isinstance(tensor, CudaTensor) for tensor in tensors) and kwargs.get("device") is None
    to_gpu = stays or _is_gpu(kwargs.get("device"))
    _refuse_mixture(name, tensors)
    _observe(name, args, kwargs, tensors, to_gpu)
    result = _compute(func, name, args, kwargs)
    if torch.Tag.inplace_view in func.tags:
        return _change_shape(func, args, kwargs)
    written = _written(func, args, kwargs)
    if written:
        return written[0] if len(written) == 1 else tuple(written)
    if name in PACKING:
        return _on_gpu(result[0]), result[1]
    wrap = to_gpu and name not in ("_local_scalar_dense", "equal", "is_same_size", "is_nonzero")
    return tree_map(_on_gpu, result) if wrap else result


def _compute(func: Any, name: str, args: Any, kwargs: dict[str, Any]) -> Any:
    function: Callable[..., Any] = REPLACEMENTS.get(name, func)
    kwargs = _unpinned({**kwargs, "device": torch.device("cpu")} if kwargs.get("device") is not None else kwargs)
    host_args, host_kwargs = tree_map(_on_host, (args, kwargs))
    cpu_autocast = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCPU)
    with torch._C._ExcludeDispatchKeyGuard(cpu_autocast):
        return function(*host_args, **host_kwargs)


def _on_host(value: Any) -> Any:
    return value.host if isinstance(value, CudaTensor) else value


def _on_gpu(value: Any) -> Any:
    return CudaTensor.around(value) if isinstance(value, Tensor) else value


def _change_shape(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Change the shape that C++ sees, after that of the values."""
    with torch._C._DisableTorchDispatch():
        before = torch._C._meta_in_tls_dispatch_include()
        torch._C._set_meta_in_tls_dispatch_include(True)
        try:
            func(*args, **kwargs)
        finally:
            torch._C._set_meta_in_tls_dispatch_include(before)
    return args[0]


def _written(func: Any, args: Any, kwargs: dict[str, Any]) -> list[Any]:
    """The arguments that an operation in place returns."""
    schema = func._schema
    returns = [value.alias_info for value in schema.returns]
    if not returns or not all(alias is not None and alias.is_write for alias in returns):
        return []
    aliases = [argument.alias_info for argument in schema.arguments]
    changed = [at for at, alias in enumerate(aliases) if alias is not None and alias.is_write]
    return [args[at] if at < len(args) else kwargs[schema.arguments[at].name] for at in changed]


def _refuse_mixture(name: str, tensors: list[Tensor]) -> None:
    plain = [tensor for tensor in tensors if not isinstance(tensor, CudaTensor)]
    if plain and len(plain) < len(tensors) and not all(may_mix(name, tensor) for tensor in plain):
        raise MixedDevicesError(
            f"Expected all tensors to be on the same device, but {name} got cuda:0 and cpu at {place()}"
        )


def _observe(name: str, args: Any, kwargs: dict[str, Any], tensors: list[Tensor], to_gpu: bool) -> None:
    seen = CudaTensor.observations
    ours = [tensor for tensor in tensors if isinstance(tensor, CudaTensor)]
    base = name.rstrip("_")
    crosses = (base == "_to_copy" and bool(ours) != to_gpu) or (base == "copy" and len(ours) == 1)
    asynchronous = kwargs.get("non_blocking") or (base == "copy" and len(args) > 2 and args[2])
    masked = base in ("index", "index_put", "_unsafe_index", "_index_put_impl") and any(
        isinstance(leaf, Tensor) and leaf.dtype == torch.bool for leaf in tree_leaves(args[1])
    )
    if (crosses and not asynchronous) or (ours and (base in SYNCHRONIZING or masked)):
        seen.waits[name, place()] += 1
    if ours and base not in NO_KERNEL:
        seen.kernels[name] += 1
        if any(tensor.dtype in REDUCED for tensor in ours):
            seen.reduced[name] += 1


class _Event:
    """As `torch.cuda.Event`: everything before it is complete at once."""

    def record(self, stream: object = None) -> None: ...

    def synchronize(self) -> None: ...


class _SyncDebugMode:
    """As `torch.cuda.set_sync_debug_mode`, but it raises when "error" ends, not at once."""

    waits_before = 0

    def __call__(self, mode: str) -> None:
        waits = CudaTensor.observations.num_waits
        if mode == "default" and waits > self.waits_before:
            raise RuntimeError(f"called a synchronizing CUDA operation: {CudaTensor.observations.waits}")
        self.waits_before = waits


@contextmanager
def pretended_cuda(forward_only: bool = False) -> Iterator[Observations]:
    """Let `torch.device("cuda")` be the pretended device in this thread, and count what happens on it."""
    torch._C._ensureCUDADeviceGuardSet()
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(CudaTensor, "forward_only", forward_only)
        _replace_cuda(patch)
        if forward_only:
            _without_gradients(patch)
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        stack.callback(torch.__future__.set_overwrite_module_params_on_conversion, False)
        stack.enter_context(_Values())
        stack.enter_context(_Device())
        CudaTensor.observations.clear()
        yield CudaTensor.observations


def _replace_cuda(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(torch.cuda, "_lazy_init", lambda: None)
    patch.setattr(torch.cuda, "Event", _Event)
    patch.setattr(torch.cuda, "set_sync_debug_mode", _SyncDebugMode())
    patch.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: True)
    patch.setattr(torch.cuda.amp.common, "amp_definitely_not_available", lambda: False)
    patch.setattr(torch.cuda, "mem_get_info", lambda device="cuda": (10**10, 10**10))
    patch.setattr(torch.cuda, "get_rng_state", lambda device="cuda": torch.get_rng_state())
    patch.setattr(torch.cuda, "set_rng_state", lambda state, device="cuda": torch.set_rng_state(state))
    patch.setattr(torch.backends.cudnn, "enabled", False)  # LSTMs as single steps
    patch.setattr(Tensor, "pin_memory", lambda self, *_: self)
    patch.setattr(torch.inference_mode, "__enter__", _without_gradient)
    save = torch.save
    patch.setattr(torch, "save", lambda content, file, **kwargs: save(tree_map(_on_host, content), file, **kwargs))
    patch.setattr(torch, "load", _loading_by_map_location(torch.load))


def _without_gradient(mode: Any) -> None:
    """Enter `no_grad` instead of `inference_mode`, which knows no tensors of a subclass with values of its own."""
    mode._inference_mode_context = torch.no_grad()
    mode._inference_mode_context.__enter__()


def _loading_by_map_location(load: Callable[..., Any]) -> Callable[..., Any]:
    """`torch.load` reads storages, which the pretended device has none of."""

    def loaded(file: Any, map_location: Any = None, **kwargs: Any) -> Any:
        content = load(file, map_location="cpu", **kwargs)
        if map_location is None or torch.device(map_location).type != "cuda":
            return content
        return tree_map(_on_gpu, content)

    return loaded


def _without_gradients(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Tensor, "backward", lambda self, *_, **__: None)
    patch.setattr(torch.autograd, "backward", lambda *_, **__: None)
    patch.setattr(torch.autograd, "grad", lambda outputs, inputs, **__: (torch.zeros_like(inputs),))
