"""Files as others release them: whole models pickled with their classes, and pickles that mean harm."""

import io
import pickle
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

GLOBAL, STACK_GLOBAL, EMPTY_TUPLE, REDUCE, BUILD, STOP = b"c", b"\x93", b")", b"R", b"b", b"."


@contextmanager
def published(network: nn.Module) -> Iterator[nn.Module]:
    """The network while its classes, but for torch's, are those of a module named `model`, as in a research script."""
    module = ModuleType("model")
    for part in network.modules():
        cls = type(part)
        if not cls.__module__.startswith("torch."):
            body = {"__module__": "model", "forward": cls.forward}
            part.__class__ = module.__dict__.setdefault(cls.__name__, type(cls.__name__, (nn.Module,), body))
    sys.modules["model"] = module
    try:
        yield network
    finally:
        del sys.modules["model"]


def write_program(path: Path, program: bytes, zipped: bool = True) -> Path:
    """A file of torch.save's format whose pickle is `program`, with one storage of 8 bytes."""
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02" + program + STOP)
            archive.writestr("archive/data/0", bytes(8))
    else:
        torch.save({}, path, _use_new_zipfile_serialization=False)
        header, values, keys = path.read_bytes(), pickle.dumps({}, 2), pickle.dumps([], 2)
        path.write_bytes(header.removesuffix(values + keys) + b"\x80\x02" + program + STOP + keys)
    return path


def named(module: str, name: str) -> bytes:
    return GLOBAL + f"{module}\n{name}\n".encode()


def called(module: str, name: str, *arguments: Any) -> bytes:
    """A call of what a file names, with plain arguments, or with programs of arguments (bytes)."""
    return named(module, name) + tupled(*arguments) + REDUCE


def tupled(*members: Any) -> bytes:
    return b"(" + b"".join(member if isinstance(member, bytes) else value(member) for member in members) + b"t"


def value(plain: Any) -> bytes:
    """The program of a plain value."""
    buffer = io.BytesIO()
    pickle.Pickler(buffer, 2).dump(plain)
    return buffer.getvalue()[2:-1]


def storage(count: Any = 2) -> bytes:
    """The program of a reference to the file's storage."""
    return tupled("storage", named("torch", "FloatStorage"), "0", "cpu", count) + b"Q"


def tensor(*place: Any) -> bytes:
    """The program of a tensor at (offset, size, stride) in the file's storage."""
    return called("torch._utils", "_rebuild_tensor_v2", storage(), *place, False, called("collections", "OrderedDict"))
