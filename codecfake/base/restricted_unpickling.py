"""Reads torch pickles as data: classes and functions that they name are not looked up, imported or called.

A pickle is a program for a small machine. Here everything it can name is inert: a tensor becomes a description, a
module becomes a skeleton that keeps its state, and tensors are created after the program has ended. Any other name is
an error. `torch_files` reads the files that contain such pickles.
"""

import io
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from codecfake.base.pickle_limits import KEY_BOUND, UnpicklingError
from codecfake.base.printing import excerpt

OWN_MODULE = "model"  # module of the classes in a pickled model
STORAGE_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
MOST_CLASSES = 1_000  # of a file
MOST_DIMENSIONS = 64  # of a tensor, as torch allows
MOST_NUMBER = 1 << 62  # torch computes sizes and strides with 64 bits
MOST_NAME = 1_000  # characters in the name of a tensor or a class, with the names of all modules around it


class Skeleton:
    """The state of a pickled module, which its class would have received. It has no behavior."""

    __slots__ = ("state",)
    origin = ""  # the class's name in the file, with its module

    def __new__(cls) -> "Skeleton":
        self = super().__new__(cls)
        self.state = {}
        return self

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            raise UnpicklingError(f"the state of a {self.origin} is a {type(state).__name__}, not a dictionary")
        self.state = state


class _Inert:
    """An object whose state a file cannot set."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise UnpicklingError(f"it changes {type(self).__name__.strip('_')}, which has no state")


class _Function(_Inert):
    """Stands in for a function that files call."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)


class _StorageType(_Inert):
    __slots__ = ("dtype",)

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype


class Storage(_Inert):
    """The numbers of one or more tensors; in the older format they are filled in after the program has ended."""

    __slots__ = ("dtype", "data")

    def __init__(self, dtype: torch.dtype, data: bytearray) -> None:
        self.dtype, self.data = dtype, data


class StoredTensor(_Inert):
    """The position of a tensor in its storage."""

    __slots__ = ("storage", "offset", "size", "stride")

    def __init__(self, storage: object, offset: object, size: object, stride: object, *_: object) -> None:
        if not isinstance(storage, Storage):
            raise UnpicklingError(f"a tensor refers to a {type(storage).__name__}, not to a storage")
        self.storage, self.offset = storage, _natural(offset)
        self.size, self.stride = _naturals(size), _naturals(stride)
        if len(self.size) != len(self.stride):
            raise UnpicklingError(f"a tensor has {len(self.size)} lengths and {len(self.stride)} strides")

    def tensor(self) -> Tensor:
        """A view of the storage, not a copy: a file can name one storage under many names.

        Raises UnpicklingError if it extends beyond its storage.
        """
        data, dtype = self.storage.data, self.storage.dtype
        flat = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        ends = sum((length - 1) * step for length, step in zip(self.size, self.stride, strict=True))
        numel = math.prod(self.size)
        if numel and (self.offset + ends >= len(flat) or numel > len(flat)):
            raise UnpicklingError(f"a tensor of {list(self.size)} extends beyond its {len(flat)} stored numbers")
        if math.prod(max(1, length) for length in self.size) > MOST_NUMBER:
            raise UnpicklingError(f"a tensor of {list(self.size)} is too large for torch")
        return flat.as_strided(self.size, self.stride, self.offset) if numel else flat.new_empty(self.size)


# What a file may name


@dataclass(frozen=True)
class _Values:
    """Stands in for values that are not needed, such as the device of a DataParallel."""

    values: tuple[Any, ...]


def _parameter(data: object, *_: object) -> object:
    return data


class _OrderedDict(dict, _Inert):
    """Dictionaries keep their order. Attributes, such as the versions of a state_dict, are not needed."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        pass


def _ordered_dict(pairs: object = ()) -> _OrderedDict:
    if not isinstance(pairs, list | tuple) or not all(isinstance(pair, list | tuple) for pair in pairs):
        raise UnpicklingError(f"an OrderedDict is built from a {type(pairs).__name__}, not from a list of pairs")
    content = _OrderedDict()
    for key, value in pairs:
        content[_key(key)] = value
    return content


def _set(members: object = ()) -> set:
    if not isinstance(members, list | tuple):
        raise UnpicklingError(f"a set is built from a {type(members).__name__}, not from a list")
    return set(map(_key, members))


def _key(value: object) -> object:
    """A plain value, whose hash is quick to compute and not easily that of many others."""
    if not isinstance(value, str | int | float | None) or (isinstance(value, int) and abs(value) >= KEY_BOUND):
        raise UnpicklingError(f"a key, or a member of a set, is {in_words(value)}, not a text or a number")
    return value


def _values(*values: object) -> _Values:
    return _Values(values)


DATA: dict[tuple[str, str], _Inert] = {
    ("collections", "OrderedDict"): _Function(_ordered_dict),
    ("__builtin__", "set"): _Function(_set),  # names of buffers that are not saved, in every module since torch 1.6
    ("builtins", "set"): _Function(_set),
    ("torch", "Size"): _Function(_values),
    ("torch", "device"): _Function(_values),
    ("pathlib", "PosixPath"): _Function(_values),  # paths among the settings of a training, not opened
    ("pathlib", "WindowsPath"): _Function(_values),
    ("torch._utils", "_rebuild_tensor"): _Function(StoredTensor),
    ("torch._utils", "_rebuild_tensor_v2"): _Function(StoredTensor),
    ("torch._utils", "_rebuild_parameter"): _Function(_parameter),
    **{
        (module, name): _StorageType(dtype)
        for module in ("torch", "torch.cuda")
        for name, dtype in STORAGE_DTYPES.items()
    },
}


class Reader(pickle.Unpickler):
    """Runs a program that `pickle_limits.read_program` has checked.

    `load` returns the bytes of a storage of `count` numbers; None forbids storages.
    """

    def __init__(self, program: bytes, load: Callable[[torch.dtype, str, int], bytearray] | None = None) -> None:
        super().__init__(io.BytesIO(program))
        self._load = load
        self._classes: dict[tuple[str, str], type[Skeleton]] = {}
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in DATA:
            return DATA[module, name]
        if not _is_module(module, name):
            raise UnpicklingError(
                f"would execute {in_words(f'{module}.{name}')} when loaded; weights never need that; "
                f"the file was not executed. Do not load it with other tools either; fetch it from another address"
            )
        if (module, name) not in self._classes:
            if len(self._classes) >= MOST_CLASSES:
                raise UnpicklingError(f"it has more than {MOST_CLASSES:,} classes; fetch it from another address")
            body = {"__slots__": (), "origin": f"{module}.{name}"}
            self._classes[module, name] = type("Skeleton", (Skeleton,), body)
        return self._classes[module, name]

    def persistent_load(self, identifier: Any) -> Any:
        match identifier:
            case ("module", type() as skeleton, *_):  # a class with its source code, in older files
                return skeleton
            case ("storage", _StorageType() as kind, str() as key, _, count, *rest) if self._load and not any(rest):
                return self._storage(kind.dtype, key, _natural(count))
        raise UnpicklingError("refers to an external object that is not a tensor storage")

    def _storage(self, dtype: torch.dtype, key: str, count: int) -> Storage:
        assert self._load is not None
        key = text(key, "the key of a storage")
        if key not in self.storages:
            self.storages[key] = Storage(dtype, self._load(dtype, key, count))
        storage = self.storages[key]
        if storage.dtype != dtype or len(storage.data) != count * dtype.itemsize:
            raise UnpicklingError(f"storage {key} is described in two ways; fetch it again")
        return storage


def _is_module(module: str, name: str) -> bool:
    """Whether this names a class in the file's own `model`, or a module class of torch.nn."""
    if module == OWN_MODULE:
        return name.isidentifier() and len(name) <= MOST_NAME
    candidate = vars(nn).get(name)
    return isinstance(candidate, type) and issubclass(candidate, nn.Module) and candidate.__module__ == module


def _naturals(values: object) -> tuple[int, ...]:
    if isinstance(values, _Values) and len(values.values) == 1:
        (values,) = values.values
    if not isinstance(values, list | tuple):
        raise UnpicklingError(f"a tensor's size or stride is a {type(values).__name__}, not numbers")
    if len(values) > MOST_DIMENSIONS:
        raise UnpicklingError(f"a tensor has {len(values):,} dimensions; at most {MOST_DIMENSIONS} are possible")
    return tuple(map(_natural, values))


def _natural(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MOST_NUMBER:
        raise UnpicklingError(f"an offset, a size or a stride is {in_words(value)}, not a whole number from 0 to 2^62")
    return value


def text(value: object, what: str) -> str:
    """A text from a file, which messages may contain. Raises UnpicklingError if it cannot be one."""
    if not isinstance(value, str):
        raise UnpicklingError(f"{what} is {in_words(value)}, not a text")
    if len(value) > MOST_NAME or not value.isprintable():
        raise UnpicklingError(f"{what} is {in_words(value)}: longer than {MOST_NAME:,} characters, or not printable")
    return value


def in_words(value: object) -> str:
    """A value from a file in a message: short, with control characters escaped, and without what it contains."""
    if not isinstance(value, str | int | float | None):
        return f"a {type(value).__name__}"
    if isinstance(value, int) and abs(value) > MOST_NUMBER:
        return f"a number of {value.bit_length()} bits"
    return f"'{excerpt(value)}'" if isinstance(value, str) else repr(value)
