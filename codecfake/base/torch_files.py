"""Files of `torch.save` from any origin: zip archives, and the older format of consecutive pickles.

Their content is read as data (see `restricted_unpickling`); nothing in a file is executed.
"""

import io
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import torch
from torch import Tensor, nn

from codecfake.base import bounded_zip
from codecfake.base.pickle_limits import UnpicklingError, read_program
from codecfake.base.printing import excerpt
from codecfake.base.restricted_unpickling import Reader, Skeleton, Storage, StoredTensor, in_words, text

ZIP_MAGIC = b"PK\x03\x04"
LEGACY_HEADER = (0x1950A86A20F9469CFC6C, 1001)  # the magic number and the version, each a pickle
LEGACY_PROGRAMS = 5  # pickles of an older file: the header, the machine, the content, the keys of the storages
LEGACY_COUNT_BYTES = 8  # before each storage
PROGRAM_BUFFER = 1 << 20
MOST_MODULES = 10_000
OF_TRAINING = ("model_state_dict", "state_dict")  # where checkpoints of a training have the weights

T = TypeVar("T")


def read(path: Path) -> Any:
    """The content of a file of `torch.save`: plain values, StoredTensors and Skeletons.

    Raises UnpicklingError, naming the problem, if the file refers to anything else or is damaged.
    """
    with _explaining(path):
        return _read_zip(path) if _is_zip(path) else _read_legacy(path)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors by name in a file with a state_dict or a whole module. Raises UnpicklingError as `read`.

    Tensors that the file stores once share their memory.
    """
    content = read(path)
    with _explaining(path):
        return state_dict(content)


def require_bounded(path: Path) -> None:
    """Raise UnpicklingError if reading a file of `torch.save` could take unlimited time or memory.

    For files that torch itself reads: it limits what they execute, but not what they cost.
    """
    with _explaining(path):
        if _is_zip(path):
            with _open_zip(path) as archive:
                _zipped_program(archive)
        else:
            with path.open("rb") as file:
                for _ in range(LEGACY_PROGRAMS):
                    read_program(file)


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    """Turn every error into an UnpicklingError that names the file: damaged programs can raise anything."""
    try:
        if not path.is_file() and path.exists():
            raise UnpicklingError("is a folder or a device, not a plain file; give a file of torch.save")
        yield
    except FileNotFoundError:
        raise
    except UnpicklingError as error:
        raise UnpicklingError(f"{path}: {error}") from error
    except Exception as error:
        reason = f"{type(error).__name__}: {excerpt(str(error))}"
        raise UnpicklingError(f"{path}: damaged, or not written by torch.save ({reason}); fetch it again") from error


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(ZIP_MAGIC)) == ZIP_MAGIC


def state_dict(content: Any) -> dict[str, Tensor]:
    """The tensors by name in a state_dict or a whole module, without a DataParallel wrapper.

    Raises UnpicklingError if `content` is neither.
    """
    if isinstance(content, dict):
        content = next((content[key] for key in OF_TRAINING if isinstance(content.get(key), dict)), content)
    if isinstance(content, Skeleton):
        content = _without_wrapper(content)
        tensors = dict(_stored_tensors(content))
    elif isinstance(content, dict) and content and all(isinstance(value, StoredTensor) for value in content.values()):
        tensors = content
    else:
        raise UnpicklingError(f"holds {_description(content)}; a state_dict or a whole module is needed")
    by_name = {_name(name): value for name, value in tensors.items()}
    return {name: value.tensor() for name, value in without_wrapper(by_name).items()}


def without_wrapper(state: Mapping[str, T]) -> dict[str, T]:
    """A state without the prefix that nn.DataParallel gives to every name."""
    prefix = "module." if all(name.startswith("module.") for name in state) else ""
    return {name.removeprefix(prefix): value for name, value in state.items()}


def _name(name: object) -> str:
    return text(str(name) if type(name) is int else name, "the name of a tensor or a module")


def _without_wrapper(module: Skeleton) -> Any:
    is_wrapper = module.origin == f"{nn.DataParallel.__module__}.{nn.DataParallel.__name__}"
    return _table(module, "_modules").get("module") if is_wrapper else module


def _stored_tensors(network: Any) -> Iterator[tuple[str, StoredTensor]]:
    """Parameters and persistent buffers by name, as `state_dict` of the module would name them."""
    for prefix, module in _modules(network):
        passing = module.state.get("_non_persistent_buffers_set", ())
        if not isinstance(passing, set | tuple | list):
            raise UnpicklingError(f"the non-persistent buffers of a {module.origin} are {in_words(passing)}, not names")
        own = {**_table(module, "_parameters"), **_table(module, "_buffers")}
        for name, value in own.items():
            if value is not None and not isinstance(value, StoredTensor):
                raise UnpicklingError(f"{prefix}{_name(name)} is a {type(value).__name__}, not a tensor")
            if value is not None and name not in passing:
                yield _name(f"{prefix}{name}"), value


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
        modules = _table(module, "_modules")
        parts = [(_name(f"{prefix}{name}."), part) for name, part in modules.items() if part is not None]
        waiting += reversed(parts)


def _table(module: Skeleton, name: str) -> dict[Any, Any]:
    table = module.state.get(name)
    if not isinstance(table, dict):
        raise UnpicklingError(f"a {module.origin} has no table {name}; it is not a module")
    return table


def _description(content: Any) -> str:
    if not isinstance(content, dict):
        return f"a {type(content).__name__}"
    names = [key if isinstance(key, str) else in_words(key) for key in list(content)[:5]]
    return f"a dictionary with {len(content)} entries ({', '.join(map(excerpt, names))})"


# The two formats


def _read_zip(path: Path) -> Any:
    with _open_zip(path) as archive:
        folder, program = _zipped_program(archive)
        _require_byte_order(_byte_order(archive, folder))

        def load(dtype: torch.dtype, key: str, count: int) -> bytearray:
            data = bounded_zip.read(archive, f"{folder}data/{key}")
            if len(data) != count * dtype.itemsize:
                raise UnpicklingError(f"storage {key} has {len(data)} bytes, not {count * dtype.itemsize}; fetch again")
            return data

        return Reader(program, load).load()


@contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    with bounded_zip.open_archive(path) as archive:
        bounded_zip.require_stored(archive, path.stat().st_size)
        yield archive


def _zipped_program(archive: zipfile.ZipFile) -> tuple[str, bytes]:
    """The folder of torch.save in a zip archive, and its program."""
    names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(names) != 1:
        raise UnpicklingError(f"a zip archive with {len(names)} data.pkl, not one; torch.save did not write it")
    with archive.open(names[0]) as member:
        return names[0].removesuffix("data.pkl"), read_program(
            io.BufferedReader(cast(io.RawIOBase, member), PROGRAM_BUFFER)
        )


def _byte_order(archive: zipfile.ZipFile, folder: str) -> str:
    name = f"{folder}byteorder"
    return bounded_zip.read(archive, name).decode() if name in archive.namelist() else "little"


def _read_legacy(path: Path) -> Any:
    with path.open("rb") as file:
        for number in LEGACY_HEADER:
            if _load(file) != number:
                raise UnpicklingError("not written by torch.save, or by one before 2018; fetch it again")
        _require_byte_order("little" if _load(file)["little_endian"] else "big")
        bytes_left = path.stat().st_size

        def allocate(dtype: torch.dtype, key: str, count: int) -> bytearray:
            nonlocal bytes_left
            bytes_left -= count * dtype.itemsize
            if bytes_left < 0:
                raise UnpicklingError("its storages are larger than the file; fetch it again")
            return bytearray(count * dtype.itemsize)

        reader = Reader(read_program(file), allocate)
        content = reader.load()
        for key in _load(file):
            _fill(reader.storages[text(key, "the key of a storage")], file, key)
    return content


def _load(file: BinaryIO) -> Any:
    return Reader(read_program(file)).load()


def _fill(storage: Storage, file: io.BufferedReader, key: str) -> None:
    count = int.from_bytes(file.read(LEGACY_COUNT_BYTES), "little")
    data = file.read(len(storage.data))
    if count * storage.dtype.itemsize != len(storage.data) or len(data) != len(storage.data):
        raise UnpicklingError(f"storage {key} does not have the size that its tensors need; fetch it again")
    storage.data[:] = data


def _require_byte_order(order: str) -> None:
    if order != sys.byteorder:
        raise UnpicklingError(f"saved on a {order}-endian machine, but this one is {sys.byteorder}-endian")
