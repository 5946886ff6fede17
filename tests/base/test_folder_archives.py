"""The folder of a corpus as one file."""

import tarfile
from pathlib import Path

import pytest

from codecfake.base import archives


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    (tmp_path / "VCTK/wav48/p225").mkdir(parents=True)
    (tmp_path / "VCTK/wav48/p225/p225_001.wav").write_bytes(b"speech")
    (tmp_path / "VCTK/speakers.txt").write_text("p225\n", encoding="utf-8")
    return tmp_path / "VCTK"


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_unpacking_gives_the_packed_folder_until_the_block_ends(corpus: Path, tmp_path: Path) -> None:
    archives.pack(corpus, tmp_path / "archives/VCTK.tar")
    with archives.unpacked(tmp_path / "archives/VCTK.tar") as folder:
        assert folder != corpus
        assert content(folder) == content(corpus)
    assert not folder.exists()


def test_the_same_content_gives_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    archives.pack(corpus, tmp_path / "first/VCTK.tar")
    for path in corpus.rglob("*"):
        path.touch()
    archives.pack(corpus, tmp_path / "second/VCTK.tar")
    assert (tmp_path / "first/VCTK.tar").read_bytes() == (tmp_path / "second/VCTK.tar").read_bytes()


def test_a_folder_is_used_as_it_is(corpus: Path) -> None:
    with archives.unpacked(corpus) as folder:
        assert folder == corpus
    assert corpus.is_dir()


def test_nothing_is_written_outside_the_folder(corpus: Path, tmp_path: Path) -> None:
    archive = tmp_path / "VCTK.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(corpus / "speakers.txt", "../outside.txt")
    with (
        pytest.raises(ValueError, match=r"'../outside.txt' is not a regular file of the packed folder"),
        archives.unpacked(archive),
    ):
        pass
