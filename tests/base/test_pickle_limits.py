"""Pickles of unknown origin: what they would cost is known before they are executed."""

import io
import pickle
import random
import resource
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from places import ROOT
from released_files import BUILD, EMPTY_TUPLE, REDUCE, called, named, storage, tensor, tupled, value, write_program

from codecfake.base import bounded_zip, pickle_limits, torch_files
from codecfake.base.pickle_limits import read_program
from codecfake.base.restricted_unpickling import UnpicklingError

FEW_BYTES = 2 << 30  # of address space beyond what the imports take
SECONDS = 20

STORE, LOAD, DROP = b"q\x63", b"h\x63", b"0"


def doubled(times: int) -> bytes:
    """A tuple of two tuples of two tuples…, each written once."""
    return value(1) + b"".join(bytes([ord("q"), k, ord("h"), k]) + b"\x86" for k in range(times))


def numbered(index: int) -> bytes:
    return b"Nr" + struct.pack("<I", index)


def module(modules: bytes = b"}", extra: bytes = b"") -> bytes:
    tables = b"".join(value(name) + b"}s" for name in ("_parameters", "_buffers"))
    return called("model", "X") + b"}" + tables + value("_modules") + modules + b"s" + extra + BUILD


def rebuilt(offset: bytes, size: bytes) -> bytes:
    return b"}" + value("w") + called("torch._utils", "_rebuild_tensor_v2", storage(), offset, size, (1,)) + b"s"


def weight(*place: Any) -> bytes:
    return b"}" + value("w") + tensor(*place) + b"s"


LONG_NAME = value("n" * 1000) + STORE + DROP
BOMBS = {
    "a key of nested tuples": (b"}" + doubled(60) + b"Ns", "a tuple of more than"),
    "a set of nested tuples": (called("builtins", "set", b"]" + doubled(60) + b"a"), "a tuple of more than"),
    "a key of many parts": (b"}" + doubled(10) + b"Ns", "a dictionary key of too many parts"),
    "a key of deep tuples": (b"}" + value(1) + b"\x85" * 100_000 + b"Ns", "more than 100 levels"),
    "keys with one hash": (b"}" + tupled(*[(k + 1) * (2**61 - 1) for k in range(9)]) + DROP
                           + value(2**61 - 1) + b"Ns", "a huge number"),
    "an offset of nested tuples": (rebuilt(doubled(40), value((1,))), "a tuple of more than"),
    "a size of nested tuples": (rebuilt(value(0), tupled(doubled(10))), "an offset, a size or a stride is a tuple"),
    "a large number of a value": (numbered(2**28), "numbers a value 268,435,456"),
    "the largest number of a value": (numbered(2**32 - 1), "numbers a value 4,294,967,295"),
    "a long text": (b"\x8d" + struct.pack("<Q", 2**62), "a text or number of 4,611,686,018,427,387,904 bytes"),
    "a long number": (b"\x8b" + struct.pack("<i", 2**31 - 1), "a text or number of 2,147,483,647 bytes"),
    "a number of many digits": (b"L" + b"9" * 5000 + b"L\n", "damaged"),
    "a long argument, again and again": (
        tupled(*[0] * 50_000) + STORE + DROP + (named("torch", "Size") + LOAD + REDUCE + DROP) * 200,
        "reads its own values more than",
    ),
    "a copy of copies": (
        b"](" + b"K\x00K\x01\x86" * 20_000 + b"e\x85" + STORE + DROP
        + (named("collections", "OrderedDict") + LOAD + REDUCE + DROP) * 300,
        "reads its own values more than",
    ),
    "many classes": (b"".join(named("model", f"A{k}") + DROP for k in range(1001)) + b"N", "more than 1,000 classes"),
    "names that grow": (
        LONG_NAME + b"".join(called("model", "X") + b"}" + value("_modules") + b"}" + LOAD for _ in range(9)) + module()
        + (b"ss" + value("_parameters") + b"}s" + value("_buffers") + b"}s" + BUILD) * 9,
        "longer than 1,000 characters",
    ),
    "a name with control characters": (
        b"}" + value("\x1b[2Jimported\r\n") + tensor(0, (1,), (1,)) + b"s",
        r"'\\x1b\[2Jimported\\r\\n': longer .*not printable",
    ),
    "a name that is a tuple": (b"}" + value((1, 2)) + tensor(0, (1,), (1,)) + b"s", "module is a tuple, not a text"),
    "a class with control characters": (named("o\x1bs", "x"), r"would execute 'o\\x1bs.x'"),
    "a stride beyond 64 bits": (weight(0, (1,), (2**70,)), "is a number of 71 bits, not a whole number"),
    "a size beyond 64 bits": (weight(0, (0, 2**70), (1, 1)), "is a number of 71 bits, not a whole number"),
    "sizes beyond 64 bits together": (weight(0, (0, 2**61, 2**61), (1, 1, 1)), "is too large for torch"),
    "many dimensions": (weight(0, (1,) * 65, (1,) * 65), "65 dimensions; at most 64"),
    "a storage of two types": (
        b"}" + value("a") + tensor(0, (1,), (1,)) + b"s" + value("b") + called("torch._utils", "_rebuild_tensor_v2",
        tupled("storage", named("torch", "DoubleStorage"), "0", "cpu", 1) + b"Q", 0, (1,), (1,)) + b"s",
        "storage 0 is described in two ways",
    ),
    "buffers that are a number": (
        module(extra=value("_non_persistent_buffers_set") + value(3) + b"s"),
        "are 3, not names",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BOMBS)
def test_a_small_file_that_asks_for_too_much_is_refused_by_name_within_seconds(kind: str, tmp_path: Path) -> None:
    program, message = BOMBS[kind]
    path = write_program(tmp_path / "x.pt", program)
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnpicklingError, match=rf"(?s)^{path}: .*{message}"):
        torch_files.read_state_dict(path)
    assert time.monotonic() - start < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # KiB


def test_a_program_of_too_many_steps_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_limits, "MOST_OPCODES", 1001)
    assert read_program(io.BytesIO(b"N0" * 499 + b"N."))
    with pytest.raises(UnpicklingError, match="more than 1,001 steps"):
        read_program(io.BytesIO(b"N0" * 500 + b"N."))


def test_attributes_of_a_state_dict_cannot_replace_its_methods(tmp_path: Path) -> None:
    content = named("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE + value("w") + tensor(0, (2,), (1,)) + b"s"
    for name in ("items", "values", "__class__"):
        path = write_program(tmp_path / "x.pt", content + b"}" + value(name) + value("x") + b"s" + BUILD)
        assert torch_files.read_state_dict(path)["w"].tolist() == [0, 0]


def test_one_storage_under_many_names_is_in_memory_once(tmp_path: Path) -> None:
    shared = torch.zeros(1 << 20)
    torch.save({str(k): shared for k in range(3000)}, tmp_path / "x.pt")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tensors = torch_files.read_state_dict(tmp_path / "x.pt")
    assert len({values.data_ptr() for values in tensors.values()}) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB; copies would have 12 GiB


def test_keys_that_people_use_are_allowed() -> None:
    for plain in ({"a": 1, 2: 3, 0.5: None, True: (1, 2)}, {(1, 2): "x"}, {"nested": {("a", 1): [1] * 5000}}, 2**4000):
        program = pickle.dumps(plain, 2)
        assert read_program(io.BytesIO(program + b"more")) == program


def test_a_program_ends_where_the_next_one_begins() -> None:
    file = io.BytesIO(pickle.dumps([1], 2) + pickle.dumps({"a": 2}, 0))
    assert [pickle.loads(read_program(file)) for _ in range(2)] == [[1], {"a": 2}]


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_plain_file_is_not_opened(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    {
        "folder": path.mkdir,
        "pipe": lambda: subprocess.run(["mkfifo", str(path)], check=True),
        "device": lambda: path.symlink_to("/dev/zero"),
    }[kind]()
    with pytest.raises(UnpicklingError, match="x.pt: is a folder or a device, not a plain file"):
        torch_files.read(path)


def test_a_zip_archive_whose_table_of_contents_is_huge_is_refused_before_it_is_read(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "x.pt")
    data = bytearray((tmp_path / "x.pt").read_bytes())
    end, size = data.rfind(b"PK\x05\x06"), 20 << 20
    struct.pack_into("<II", data, end + 12, size, 0)
    (tmp_path / "x.pt").write_bytes(data[:end].ljust(size, b"\0") + data[end:])
    with pytest.raises(UnpicklingError, match="its table of contents has 20,971,520 bytes"):
        torch_files.read(tmp_path / "x.pt")


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}, 2))
        archive.writestr("archive/data/0", bytes(1000))
        for number in range(1, 50):
            twin = zipfile.ZipInfo(f"archive/data/{number}")
            twin.file_size, twin.compress_size, twin.CRC = 1000, 1000, archive.getinfo("archive/data/0").CRC
            twin.header_offset = archive.getinfo("archive/data/0").header_offset
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
    with pytest.raises(UnpicklingError, match="are larger than the file"):
        torch_files.read(tmp_path / "x.pt")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        for _ in range(2):
            archive.writestr("archive/data/0", b"1234")
    with pytest.raises(UnpicklingError, match="two members of one name"):
        torch_files.read(tmp_path / "x.pt")


FUZZ = f"""
import resource, sys
from pathlib import Path
from codecfake.base import torch_files
limit = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() + {FEW_BYTES}
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        torch_files.read_state_dict(path)
    except torch_files.UnpicklingError as error:
        assert str(error).startswith(str(path)), error
        assert str(error).isprintable(), ascii(str(error))
print("done")
"""


def mutations(whole: bytes, number: int, rng: random.Random) -> list[bytes]:
    """Copies with bytes changed, removed, repeated or inserted."""
    results = []
    for _ in range(number):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            place, length = rng.randrange(len(data) + 1), rng.randrange(1, 9)
            piece = bytes(data[place : place + length])
            change = rng.choice((rng.randbytes(length), b"", piece * rng.randrange(2, 50), piece + rng.randbytes(1)))
            data[place : place + length] = change
        results.append(bytes(data))
    return results


@pytest.mark.slow
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
@pytest.mark.parametrize("seed", range(4))
def test_damaged_programs_are_read_or_refused_by_name_in_bounded_time_and_memory(
    seed: int, zipped: bool, tmp_path: Path
) -> None:
    """1,000 damaged programs for each seed and format."""
    rng = random.Random(seed)
    torch.save({"a": torch.zeros(2), "b": {"c": (1, 2.5)}, "d": torch.ones(1, 1).half()}, tmp_path / "whole.pt")
    with zipfile.ZipFile(tmp_path / "whole.pt") as archive:
        whole = archive.read("whole/data.pkl")
    bombs = [program for program, _ in BOMBS.values() if len(program) < 5000]
    programs = mutations(whole[2:-1], 500, rng)
    programs += [part for bomb in bombs for part in mutations(bomb, 500 // len(bombs) + 1, rng)]
    (tmp_path / "files").mkdir()
    for number, program in enumerate(programs[:1000]):
        write_program(tmp_path / "files" / f"{number:04}.pt", program, zipped)
    command = [sys.executable, "-c", FUZZ, str(tmp_path / "files")]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert process.stdout == "done\n", process.stderr[-2000:]


def test_programs_of_released_files_are_within_the_limits(shared: Path) -> None:
    for path in sorted((shared / "weights" / "aasist").glob("*.pth")):
        with bounded_zip.open_archive(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            program = bytes(bounded_zip.read(archive, name))
        assert read_program(io.BytesIO(program)) == program
