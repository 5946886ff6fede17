"""Limits for pickles from any origin, checked before they are executed.

A pickle is a program for a small stack machine; a few bytes of it can ask for years of time or for all memory. Here the
program is followed with the sizes of its values instead of the values. A size counts repeated parts each time, because
hashing does so too.
"""

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

MOST_BYTES = 64 << 20  # of a program, without the tensors
MOST_TEXT = 1 << 20  # bytes of one text or number
MOST_OPCODES = 1_000_000
MOST_DEPTH = 100  # of tuples in each other: hashing recurses in C, without a limit of its own
MOST_PARTS = 100_000  # of one tuple
MOST_WORK = 5_000_000  # values that all keys and calls of the program read together
MOST_KEY_PARTS = 100
MOST_TUPLE_KEYS = 1_000
KEY_BOUND = 1 << 60  # larger whole numbers can all have the same hash

WHY = "weights never need that; the file was not executed. Fetch it from another address"


class UnpicklingError(ValueError):
    """A torch file cannot be read as data."""


@dataclass(slots=True, eq=False)
class _Size:
    """The size of a value. Lists and dictionaries grow after they have been put on the stack."""

    parts: int = 1  # of a tuple, all levels together
    depth: int = 0  # of tuples
    members: int = 0  # of a list, a dictionary or a set; of the result of a call: all that it may have copied
    inner: tuple["_Size", ...] = ()  # of a tuple: its parts that may grow

    def work(self) -> int:
        """The values that are read when this one is copied."""
        return self.parts + self.members + sum(value.members for value in self.inner)


MARK, SCALAR, HUGE = _Size(), _Size(), _Size(parts=MOST_KEY_PARTS + 1)


def read_program(file: BinaryIO) -> bytes:
    """The bytes of the pickle at the position of `file`, which stands behind it afterwards.

    Raises UnpicklingError if the program exceeds a limit, and ValueError or another error if it is damaged.
    """
    program, machine = _Program(file), _Machine()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(cast(BinaryIO, program))):
        if count >= MOST_OPCODES:
            raise UnpicklingError(f"its pickle has more than {MOST_OPCODES:,} steps; {WHY}")
        machine.follow(opcode, argument)
    return bytes(program.data)


class _Program:
    """A file whose bytes are kept as they are read, in bounded pieces."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.data = file, bytearray()

    def read(self, count: int) -> bytes:
        if not 0 <= count <= MOST_TEXT:
            raise UnpicklingError(f"its pickle has a text or number of {count:,} bytes, at most {MOST_TEXT:,}; {WHY}")
        return self._keep(self._file.read(count))

    def readline(self) -> bytes:
        return self._keep(self._file.readline(MOST_TEXT))

    def _keep(self, data: bytes) -> bytes:
        self.data += data
        if len(self.data) > MOST_BYTES:
            raise UnpicklingError(f"its pickle has more than {MOST_BYTES >> 20} MiB; {WHY}")
        return data


class _Machine:
    """Follows a program with sizes."""

    def __init__(self) -> None:
        self._stack: list[_Size] = []
        self._memo: dict[int, _Size] = {}
        self._work = self._tuple_keys = 0

    def follow(self, opcode: pickletools.OpcodeInfo, argument: Any) -> None:
        """One step of the program."""
        name = opcode.name
        if name in STEPS:
            STEPS[name](self, argument)
        elif name in SCALARS:
            self._stack.append(HUGE if isinstance(argument, int) and abs(argument) >= KEY_BOUND else SCALAR)
        elif name in CALLS:
            self._call(name, self._take(opcode))
        elif name in GROWTH:
            self._grow(name, self._take(opcode))
        elif name in TUPLES:
            self._stack.append(self._tuple(self._take(opcode)))
        else:
            self._take(opcode)
            self._stack += [SCALAR] * len(opcode.stack_after)

    def _take(self, opcode: pickletools.OpcodeInfo) -> list[_Size]:
        """The values that a step takes from the stack."""
        before = opcode.stack_before
        num_single = before.index(pickletools.markobject) if pickletools.markobject in before else len(before)
        many = self._to_mark() if num_single < len(before) else []
        single = [self._pop() for _ in range(num_single)]
        return single[::-1] + many

    def _to_mark(self) -> list[_Size]:
        values: list[_Size] = []
        while self._stack and self._stack[-1] is not MARK:
            values.append(self._stack.pop())
        if not self._stack:
            raise ValueError("a mark is missing")
        self._stack.pop()
        return values[::-1]

    def _pop(self) -> _Size:
        if not self._stack or self._stack[-1] is MARK:
            raise ValueError("the stack is empty")
        return self._stack.pop()

    def _call(self, name: str, values: list[_Size]) -> None:
        """A function is called, a class is instantiated, or an object gets its state."""
        if name == "BUILD":
            self._charge(values[1].work())
            self._stack.append(values[0])
            return
        result = self._tuple(values)
        result.members = sum(value.work() for value in values)
        self._charge(result.members)
        self._stack.append(result)

    def _tuple(self, values: list[_Size]) -> _Size:
        depth = 1 + max((value.depth for value in values), default=0)
        parts = 1 + sum(value.parts for value in values)
        if depth > MOST_DEPTH or parts > MOST_PARTS:
            raise UnpicklingError(
                f"its pickle has a tuple of more than {MOST_PARTS:,} parts, or of more than {MOST_DEPTH} levels; {WHY}"
            )
        compound = [value for value in values if value is not SCALAR]
        self._charge(sum(len(value.inner) for value in compound))
        return _Size(parts, depth, inner=tuple(part for value in compound for part in (value, *value.inner)))

    def _grow(self, name: str, values: list[_Size]) -> None:
        """A list, a dictionary or a set gets members, or starts with them."""
        is_new = name not in ("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS")
        target, members = (_Size(), values) if is_new else (values[0], values[1:])
        for key in members[:: GROWTH[name]] if GROWTH[name] else ():
            self._check_key(key)
        target.members += len(members)
        self._stack.append(target)

    def _check_key(self, key: _Size) -> None:
        if key.parts > MOST_KEY_PARTS:
            raise UnpicklingError(f"its pickle has a dictionary key of too many parts, or a huge number; {WHY}")
        self._tuple_keys += key.depth > 0
        if self._tuple_keys > MOST_TUPLE_KEYS:
            raise UnpicklingError(f"its pickle has more than {MOST_TUPLE_KEYS:,} keys that are tuples; {WHY}")

    def _charge(self, work: int) -> None:
        self._work += work
        if self._work > MOST_WORK:
            raise UnpicklingError(f"its pickle reads its own values more than {MOST_WORK:,} times; {WHY}")

    # steps that pickletools does not describe in full

    def mark(self, _: Any) -> None:
        self._stack.append(MARK)

    def pop(self, _: Any) -> None:
        if not self._stack:
            raise ValueError("the stack is empty")
        self._stack.pop()  # a value, or the mark itself

    def duplicate(self, _: Any) -> None:
        value = self._pop()
        self._stack += [value, value]

    def recall(self, index: int) -> None:
        self._stack.append(self._memo[index])

    def store(self, index: int | None) -> None:
        index = len(self._memo) if index is None else index
        if not 0 <= index < MOST_OPCODES:
            raise UnpicklingError(f"its pickle numbers a value {index:,}, at most {MOST_OPCODES:,}; {WHY}")
        value = self._pop()
        self._stack.append(value)
        self._memo[index] = value


STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "DUP": _Machine.duplicate,
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.recall),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.store),
}
TUPLES = {"EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
CALLS = {"REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BINPERSID"}
GROWTH = {  # name -> every how many of the members is a key; 0: none is
    **dict.fromkeys(("EMPTY_LIST", "LIST", "APPEND", "APPENDS", "EMPTY_DICT", "EMPTY_SET"), 0),
    **dict.fromkeys(("ADDITEMS", "FROZENSET"), 1),
    **dict.fromkeys(("DICT", "SETITEM", "SETITEMS"), 2),
}
SCALARS = {
    opcode.name
    for opcode in pickletools.opcodes
    if not opcode.stack_before and len(opcode.stack_after) == 1 and opcode.name not in STEPS | GROWTH
} - TUPLES
