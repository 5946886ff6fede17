"""Files of `torch.save` from any origin: zip archives, and the older format of consecutive pickles.

Their content is read as data (see `restricted_unpickling`); nothing in a file is executed.
"""

import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from codecfake.base.restricted_unpickling import Reader, Skeleton, Storage, StoredTensor, UnpicklingError

ZIP_MAGIC = b"PK\x03\x04"
LEGACY_HEADER = (0x1950A86A20F9469CFC6C, 1001)  # the magic number and the version, each a pickle
LEGACY_COUNT_BYTES = 8  # before each storage
MOST_MODULES = 10_000


def read(path: Path) -> Any:
    """The content of a file of `torch.save`: plain values, StoredTensors and Skeletons.

    Raises UnpicklingError, naming the problem, if the file refers to anything else or is damaged.
    """
    with path.open("rb") as file:
        is_zip = file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
    try:
        return _read_zip(path) if is_zip else _read_legacy(path)
    except UnpicklingError as error:
        raise UnpicklingError(f"{path}: {error}") from error
    except Exception as error:  # damaged programs can raise anything
        raise UnpicklingError(
            f"{path}: damaged, or not written by torch.save ({type(error).__name__}: {error}); fetch it again"
        ) from error


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors by name in a file with a state_dict or a whole module. Raises UnpicklingError as `read`."""
    content = read(path)
    try:
        return state_dict(content)
    except UnpicklingError as error:
        raise UnpicklingError(f"{path}: {error}") from error


def state_dict(content: Any) -> dict[str, Tensor]:
    """The tensors by name in a state_dict or a whole module, without a DataParallel wrapper.

    Raises UnpicklingError if `content` is neither.
    """
    if isinstance(content, Skeleton):
        content = _without_wrapper(content)
        tensors = dict(_stored_tensors(content))
    elif isinstance(content, dict) and content and all(isinstance(value, StoredTensor) for value in content.values()):
        tensors = content
    else:
        raise UnpicklingError(f"holds {_description(content)}; a state_dict or a whole module is needed")
    prefix = "module." if all(str(name).startswith("module.") for name in tensors) else ""
    return {str(name).removeprefix(prefix): value.tensor() for name, value in tensors.items()}


def _without_wrapper(module: Skeleton) -> Any:
    is_wrapper = module.origin == f"{nn.DataParallel.__module__}.{nn.DataParallel.__name__}"
    return _table(module, "_modules").get("module") if is_wrapper else module


def _stored_tensors(network: Any) -> Iterator[tuple[str, StoredTensor]]:
    """Parameters and persistent buffers by name, as `state_dict` of the module would name them."""
    for prefix, module in _modules(network):
        passing = module.state.get("_non_persistent_buffers_set", ())
        own = {**_table(module, "_parameters"), **_table(module, "_buffers")}
        for name, value in own.items():
            if value is not None and not isinstance(value, StoredTensor):
                raise UnpicklingError(f"{prefix}{name} is a {type(value).__name__}, not a tensor")
            if value is not None and name not in passing:
                yield f"{prefix}{name}", value


def _modules(network: Any) -> Iterator[tuple[str, Skeleton]]:
    """The modules of a network, top down, each with the prefix of its tensors' names."""
    waiting, count = [("", network)], 0
    while waiting:
        prefix, module = waiting.pop()
        if not isinstance(module, Skeleton):
            raise UnpicklingError(f"{prefix or 'the module'} is a {type(module).__name__}, not a module")
        count += 1
        # a module that contains itself would never end; modules that contain others twice, nested, take nearly forever
        if count > MOST_MODULES:
            raise UnpicklingError(f"a network of more than {MOST_MODULES:,} modules; fetch it from another address")
        yield prefix, module
        parts = [(f"{prefix}{name}.", part) for name, part in _table(module, "_modules").items() if part is not None]
        waiting += reversed(parts)


def _table(module: Skeleton, name: str) -> dict[Any, Any]:
    table = module.state.get(name)
    if not isinstance(table, dict):
        raise UnpicklingError(f"a {module.origin} has no table {name}; it is not a module")
    return table


def _description(content: Any) -> str:
    if not isinstance(content, dict):
        return f"a {type(content).__name__}"
    return f"a dictionary with {len(content)} entries ({', '.join(map(str, list(content)[:5]))})"


# The two formats


def _read_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise UnpicklingError(f"a zip archive with {len(names)} data.pkl, not one; torch.save did not write it")
        folder = names[0].removesuffix("data.pkl")
        order = _member(archive, f"{folder}byteorder") if f"{folder}byteorder" in archive.namelist() else b"little"
        _require_byte_order(order.decode())

        def load(dtype: torch.dtype, key: str, count: int) -> bytearray:
            data = bytearray(_member(archive, f"{folder}data/{key}"))
            if len(data) != count * dtype.itemsize:
                raise UnpicklingError(f"storage {key} has {len(data)} bytes, not {count * dtype.itemsize}; fetch again")
            return data

        return Reader(io.BytesIO(_member(archive, names[0])), load).load()


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise UnpicklingError(f"{name} is compressed; torch.save compresses nothing")
    return archive.read(name)


def _read_legacy(path: Path) -> Any:
    with path.open("rb") as file:
        for number in LEGACY_HEADER:
            if Reader(file).load() != number:
                raise UnpicklingError("not written by torch.save, or by one before 2018; fetch it again")
        _require_byte_order("little" if Reader(file).load()["little_endian"] else "big")
        bytes_left = path.stat().st_size

        def allocate(dtype: torch.dtype, key: str, count: int) -> bytearray:
            nonlocal bytes_left
            bytes_left -= count * dtype.itemsize
            if bytes_left < 0:
                raise UnpicklingError("its storages are larger than the file; fetch it again")
            return bytearray(count * dtype.itemsize)

        reader = Reader(file, allocate)
        content = reader.load()
        for key in Reader(file).load():
            _fill(reader.storages[key], file, key)
    return content


def _fill(storage: Storage, file: io.BufferedReader, key: str) -> None:
    count = int.from_bytes(file.read(LEGACY_COUNT_BYTES), "little")
    data = file.read(len(storage.data))
    if count * storage.dtype.itemsize != len(storage.data) or len(data) != len(storage.data):
        raise UnpicklingError(f"storage {key} does not have the size that its tensors need; fetch it again")
    storage.data[:] = data


def _require_byte_order(order: str) -> None:
    if order != sys.byteorder:
        raise UnpicklingError(f"saved on a {order}-endian machine, but this one is {sys.byteorder}-endian")
