"""Regular files are opened; whatever could hang is refused at once, by what it is."""

import os
import socket
from pathlib import Path

import pytest

from codecfake.base.regular_files import IrregularFileError, open_regular, read_bytes, require_regular


def test_a_regular_file_is_read_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "link").symlink_to("a")
    for name in ("a", "link"):
        assert read_bytes(tmp_path / name, 7) == b"content"
        with open_regular(tmp_path / name) as file:
            assert file.read() == b"content"


def test_a_larger_file_than_allowed_is_refused_without_reading_it(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(IrregularFileError, match="sparse: it has 1099511627776 bytes, and at most 100 are read"):
        read_bytes(tmp_path / "sparse", 100)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "folder"])
def test_what_is_no_regular_file_is_named_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    with socket.socket(socket.AF_UNIX) as server:
        match kind:
            case "pipe":
                os.mkfifo(path)
            case "socket":
                server.bind(str(path))
            case "device":
                path.symlink_to("/dev/zero")
            case "folder":
                path.mkdir()
        with pytest.raises(IrregularFileError, match=rf"x: it is a .*{kind}.*, not a regular file"):
            require_regular(path)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "x")
