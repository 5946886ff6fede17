"""What is exported is what the index says, byte for byte; anything else is refused by name, and nothing is written."""

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from odd_places import endless, pipe

from codecfake.audio import shards
from codecfake.audio.export import export
from codecfake.base import files
from codecfake.base.files import FileError

TAR, INDEX = "audio/en/F01/0000.tar", "audio/en/F01/0000.parquet"
ERRORS = (shards.ShardError, FileError)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run with one shard of three utterances."""
    rng = np.random.default_rng(0)
    with shards.ShardWriter(tmp_path / TAR, "F01_", shards.Provenance("dac", 1, 1.0, "", "test")) as writer:
        for name in "abc":
            writer.add(name, rng.uniform(-0.5, 0.5, 4000), 16000)
    return tmp_path


def unpack(root: Path) -> int:
    return export(root / "audio", root / "loose")


def assert_refused(root: Path, match: str) -> None:
    with pytest.raises(ERRORS, match=match):
        unpack(root)
    assert not [path for path in (root / "loose").rglob("*") if path.is_file()]


# damage of the tar


def flip(tar: Path) -> None:
    data = bytearray(tar.read_bytes())
    data[tar_members(tar)[1].offset_data + 100] ^= 1
    tar.write_bytes(data)


def cut_in_half(tar: Path) -> None:
    os.truncate(tar, tar.stat().st_size // 2)


def cut_between_members(tar: Path) -> None:
    os.truncate(tar, tar_members(tar)[1].offset)


def zero_the_tail(tar: Path) -> None:
    start, size = tar_members(tar)[1].offset, tar.stat().st_size
    os.truncate(tar, start)
    os.truncate(tar, size)


def lose_the_last_zeros(tar: Path) -> None:
    os.truncate(tar, tar.stat().st_size - 512)


def empty(tar: Path) -> None:
    os.truncate(tar, 0)


def remove(path: Path) -> None:
    path.unlink()


def tar_members(tar: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(tar) as archive:
        return archive.getmembers()


@pytest.mark.parametrize(
    ("damage", "match"),
    [
        (flip, r"0000.tar: utterance 'b' is damaged \(its sha256 differs from the index\); `codecfake check --delete`"),
        (cut_in_half, "0000.tar: "),
        (cut_between_members, "0000.tar: "),
        (zero_the_tail, "0000.tar: there is another member, or none, before the data of utterance 'b'"),
        (lose_the_last_zeros, "0000.tar: it has .* bytes, but its index describes"),
        (empty, "0000.tar: "),
        (remove, "0000.tar: missing; a shard is a tar and its index"),
        (endless, "0000.tar: is not a file"),
        (pipe, "0000.tar: is not a file"),
    ],
)
def test_a_damaged_tar_is_refused(root: Path, damage: Callable[[Path], None], match: str) -> None:
    damage(root / TAR)
    assert_refused(root, match)


def test_a_tar_without_its_index_is_refused(root: Path) -> None:
    (root / INDEX).unlink()
    assert_refused(root, "0000.parquet: missing; a shard is a tar and its index")


# foreign tars: the index is made to fit as far as it can


Content = list[tuple[str, bytes, bytes]]  # name, type and data of each member


def replace(root: Path, content: Content, kind: int = tarfile.GNU_FORMAT) -> None:
    """Another tar with an index that has its names, places, sizes and digests."""
    with tarfile.open(root / TAR, "w", format=kind) as tar:
        for name, member_type, data in content:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = member_type, len(data), "/etc/passwd"
            tar.addfile(info, io.BytesIO(data))
    rows = [(info.name, info.offset_data, max(info.size, 1)) for info in tar_members(root / TAR)]
    reindex(root, rows)


def reindex(root: Path, rows: list[tuple[str, int, int]]) -> None:
    tar = (root / TAR).read_bytes()
    table = pd.DataFrame(rows, columns=["utterance_id", "offset", "num_bytes"])
    table["utterance_id"] = table["utterance_id"].str.removesuffix(".flac")
    parts = [tar[offset : offset + size] for _, offset, size in rows]
    files.write_parquet(root / INDEX, table.assign(sha256=[hashlib.sha256(part).hexdigest() for part in parts]))


FILE, LINK, PIPE, DEVICE = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (
            [("x/a.flac", FILE, b"one"), ("y/a.flac", FILE, b"three")],
            "'x/a.flac' and 'y/a.flac' have the same file name",
        ),
        ([("evil.sh", FILE, b"rm -rf")], "member 'evil.sh' .* is not utterance 'evil.sh'"),
        ([("a.flac", LINK, b"")], "member 'a.flac'"),
        ([("a.flac", PIPE, b"")], "member 'a.flac'"),
        ([("a.flac", DEVICE, b"")], "member 'a.flac'"),
        ([(".", FILE, b"abc")], "is not utterance '.'"),
        ([("a/..", FILE, b"abc")], "is not utterance 'a/..'"),
        ([("\x1b[2Ja.sh", FILE, b"abc")], re.escape(r"'\x1b[2Ja.sh'")),
    ],
)
def test_members_that_are_not_utterances_are_refused(root: Path, content: Content, match: str) -> None:
    replace(root, content)
    assert_refused(root, match)


def test_a_member_outside_the_folder_is_written_inside(root: Path) -> None:
    replace(root, [("../../../../x.flac", FILE, b"abc")])
    assert unpack(root) == 1
    assert list(root.rglob("x.flac")) == [root / "loose/en/F01/x.flac"]


def test_a_member_that_the_index_lacks_is_refused(root: Path) -> None:
    rows = pd.read_parquet(root / INDEX)
    files.write_parquet(root / INDEX, rows.drop(index=1))
    assert_refused(root, "0000.tar: its members are not those of its index|there is another member")
    files.write_parquet(root / INDEX, rows.head(2))
    assert_refused(root, "0000.tar: it has more members than its index|bytes, but its index describes")


def test_a_sparse_member_of_gigabytes_is_refused_at_once(root: Path) -> None:
    header = bytearray(512)
    for place, text in ((0, b"s.flac"), (100, b"0000644"), (108, b"0000000"), (116, b"0000000"), (124, b"00000000000"),
                        (136, b"00000000000"), (156, b"S"), (257, b"ustar  \0"), (386, b"00000000000\0"),
                        (398, b"00000000000\0"), (483, b"77777777777")):  # fmt: skip
        header[place : place + len(text)] = text
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (root / TAR).write_bytes(bytes(header) + bytes(10240 - 512))
    reindex(root, [("s", 512, (8 << 30) - 1)])
    assert_refused(root, "member 's.flac' .* is not utterance 's'|bytes, but its index describes")


# impossible indexes


@pytest.mark.parametrize(
    ("column", "value", "match"),
    [
        ("offset", -1, "utterance 'a' has .* bytes at offset -1, which no tar can have"),
        ("offset", 0, "at offset 0, which no tar can have"),
        ("offset", 2**63 - 1, "0000.tar: "),
        ("num_bytes", -5, "utterance 'a' has -5 bytes"),
        ("num_bytes", 2**33, "0000.tar: "),
        ("sha256", "xyz", "utterance 'a' is damaged"),
        ("sha256", None, "an utterance lacks its id, place or sha256"),
        ("utterance_id", None, "an utterance lacks its id, place or sha256"),
        ("utterance_id", "../../../ESCAPED", "is not utterance '../../../ESCAPED'"),
        ("utterance_id", "a\0b", "is not utterance"),
    ],
)
def test_an_index_that_no_tar_can_have_is_refused_by_export_and_by_readers(
    root: Path, column: str, value: object, match: str
) -> None:
    table = pd.read_parquet(root / INDEX)
    table[column] = table[column].astype(object)
    table.loc[0, column] = value
    files.write_parquet(root / INDEX, table)
    assert_refused(root, match)
    store = shards.AudioStore(root / "audio", [("en", "F01")])
    with pytest.raises(ERRORS, match=r"0000\.|no utterance a"):
        store.read("en", "F01", "a")


def test_a_file_that_is_there_with_other_bytes_is_written_again(root: Path) -> None:
    assert unpack(root) == 3
    path = root / "loose/en/F01/F01_a.flac"
    whole = path.read_bytes()
    path.write_bytes(bytes(len(whole)))
    assert (unpack(root), path.read_bytes()) == (1, whole)
    assert [path.name for path in sorted(path.parent.iterdir())] == [f"F01_{name}.flac" for name in "abc"]
