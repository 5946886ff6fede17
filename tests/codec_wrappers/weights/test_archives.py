"""Archives from others: damaged, hostile or ambiguous ones are refused by name, within bounds."""

import bz2
import gzip
import io
import lzma
import random
import resource
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from places import ROOT

from codec_wrappers.weights import archives
from codec_wrappers.weights.archives import ArchiveError, copy_member

WEIGHTS = np.random.default_rng(0).bytes(300_000)  # which cannot be packed, as weights
PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
packed = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


def tar(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def unpacked(data: bytes, tmp_path: Path, most_bytes: int = 1 << 20) -> bytes:
    path, output = tmp_path / "exp.tar", io.BytesIO()
    path.write_bytes(data)
    copy_member(path, "steps.pkl", output, most_bytes)
    return output.getvalue()


@packed
def test_a_packed_archive_gives_its_member_whole(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    data = pack(tar(("a/other.pkl", b"x" * 100), ("a/steps.pkl", WEIGHTS), ("a/last.pkl", b"y")))
    assert unpacked(data, tmp_path) == WEIGHTS


@packed
@pytest.mark.parametrize("place", [0.3, 0.5, 0.9])
def test_a_packed_archive_with_one_changed_byte_is_refused(
    pack: Callable[[bytes], bytes], place: float, tmp_path: Path
) -> None:
    data = bytearray(pack(tar(("a/steps.pkl", WEIGHTS))))
    data[int(place * len(data))] ^= 255
    with pytest.raises(ArchiveError, match=f"{tmp_path}/exp.tar: .*remove it and fetch it again"):
        unpacked(data, tmp_path)


@packed
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.999])
def test_a_packed_archive_that_is_cut_is_refused(pack: Callable[[bytes], bytes], keep: float, tmp_path: Path) -> None:
    data = pack(tar(("a/steps.pkl", WEIGHTS)))
    with pytest.raises(ArchiveError, match="exp.tar: .*remove it and fetch it again"):
        unpacked(data[: int(keep * len(data))], tmp_path)


def test_the_checksum_at_the_end_of_a_packed_archive_counts(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(tar(("a/steps.pkl", b"weights"))))
    data[-8] ^= 1
    with pytest.raises(ArchiveError, match="exp.tar: cannot be read .*CRC check failed"):
        unpacked(data, tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("pack", [tar, zipped])
def test_two_members_of_one_name_are_ambiguous(pack: Callable[..., bytes], tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="2 members end with 'steps.pkl', but there must be one"):
        unpacked(pack(("a/steps.pkl", b"good"), ("a/steps.pkl", b"evil")), tmp_path)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE], ids=["long name", "pax"])
def test_a_header_of_gigabytes_is_refused_before_it_is_read(kind: bytes, tmp_path: Path) -> None:
    header = tarfile.TarInfo("a/steps.pkl")
    header.type, header.size = kind, 4 << 30
    with pytest.raises(ArchiveError, match="a header declares 4,294,967,296 bytes"):
        unpacked(gzip.compress(header.tobuf() + bytes(10_000)), tmp_path)


def test_an_archive_that_unpacks_to_far_more_than_its_size_is_refused_within_seconds(tmp_path: Path) -> None:
    bomb = gzip.compress(tar(("a/zeros", bytes(100 << 20)), ("a/steps.pkl", b"x")), 1)
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ArchiveError, match="it unpacks to more than 67,108,864 bytes"):
        unpacked(bomb, tmp_path)
    assert time.monotonic() - start < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_a_member_with_holes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "steps.pkl").touch()
    with (tmp_path / "steps.pkl").open("wb") as file:
        file.truncate(500_000)
    subprocess.run(["tar", "--sparse", "-cf", "sparse.tar", "steps.pkl"], cwd=tmp_path, check=True)
    with pytest.raises(ArchiveError, match="'steps.pkl' is a link, a folder or a device"):
        unpacked((tmp_path / "sparse.tar").read_bytes(), tmp_path)


def test_an_archive_of_too_many_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    with pytest.raises(ArchiveError, match="exp.tar: more than 2 members"):
        unpacked(tar(*((f"{k}.pkl", b"") for k in range(3))), tmp_path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_methods_of_zip_archives_are_refused(method: int, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="'steps.pkl' is packed by an unusual method"):
        unpacked(zipped(("steps.pkl", b"x" * 1000), method=method), tmp_path)


def test_names_are_shown_without_control_characters(tmp_path: Path) -> None:
    for pack in (tar, zipped):
        with pytest.raises(ArchiveError) as error:
            unpacked(pack(("\x1b[2Jother.pkl", b""), ("b\n.pkl", b"")), tmp_path)
        assert str(error.value).isprintable()
        assert r"\x1b[2Jother.pkl" in str(error.value)


def test_an_error_of_writing_is_not_one_of_the_archive(tmp_path: Path) -> None:
    (tmp_path / "exp.tar").write_bytes(tar(("steps.pkl", WEIGHTS)))
    with (tmp_path / "exp.tar").open("rb") as not_writable, pytest.raises(io.UnsupportedOperation):
        copy_member(tmp_path / "exp.tar", "steps.pkl", not_writable, 1 << 20)


FUZZ = """
import io, resource, sys
from pathlib import Path
from codec_wrappers.weights.archives import ArchiveError, copy_member
limit = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize() + (1 << 30)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for path in sorted(Path(sys.argv[1]).iterdir()):
    output = io.BytesIO()
    try:
        copy_member(path, "steps.pkl", output, 1 << 20)
    except ArchiveError as error:
        assert str(error).startswith(str(path)), error
        assert str(error).isprintable(), ascii(str(error))
    assert len(output.getvalue()) <= 1 << 20
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*PACKERS, "tar", "zip", "deflated"])
def test_damaged_archives_are_read_or_refused_by_name_in_bounded_time_and_memory(kind: str, tmp_path: Path) -> None:
    """1,000 damaged archives of each kind."""
    rng, members = random.Random(kind), (("a/steps.pkl", WEIGHTS[:3000]), ("b" * 150, b"x" * 2000))
    makers: dict[str, Callable[[], bytes]] = {
        "tar": lambda: tar(*members),
        "zip": lambda: zipped(*members),
        "deflated": lambda: zipped(*members, method=zipfile.ZIP_DEFLATED),
    }
    whole = makers[kind]() if kind in makers else PACKERS[kind](tar(*members))
    (tmp_path / "files").mkdir()
    for number in range(1000):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 1, 2, 10))):
            place, length = rng.randrange(len(data)), rng.randrange(1, 9)
            data[place : place + length] = rng.choice((rng.randbytes(length), b"", data[place : place + length] * 9))
        (tmp_path / "files" / f"{number:04}").write_bytes(data)
    command = [sys.executable, "-c", FUZZ, str(tmp_path / "files")]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert process.stdout == "done\n", process.stderr[-2000:]
