"""Collections of demo pages: ingest compares the number of recordings with that of the paper."""

from pathlib import Path

import pytest

from codecfake import corpora
from codecfake.corpora import demo_pages
from codecfake.corpora.listing import CorpusError


def collection(root: Path, bonafide: int, spoof: int) -> Path:
    """A folder with a table of empty files, which a reader never decodes."""
    names = [(f"real_{n:02d}.wav", "real") for n in range(bonafide)] + [
        (f"fake_{n:02d}.wav", "fake") for n in range(spoof)
    ]
    for name, _ in names:
        (root / name).touch()
    rows = "".join(f"{name},{label}\n" for name, label in names)
    (root / "list.csv").write_text(f"path,label\n{rows}", encoding="utf-8")
    return root


def read(root: Path, page: str) -> int:
    options = {"table": "list.csv", "language": "en", "prefix": "x_", "demo_page": page}
    return len(corpora.layout("listed").utterances(root, options).utterances)


@pytest.mark.parametrize(("page", "number"), [("vallex", 36), ("speechx", 12)])
def test_a_collection_of_the_papers_size_is_read(tmp_path: Path, page: str, number: int) -> None:
    assert read(collection(tmp_path, number, number), page) == 2 * number


def test_an_incomplete_collection_is_refused_with_the_page_and_what_to_collect(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"11 spoof recordings, but 12 were taken .* SpeechX.*https://.*speechx"):
        read(collection(tmp_path, 12, 11), "speechx")


def test_an_unknown_page_is_named() -> None:
    with pytest.raises(CorpusError, match="unknown demo page 'valex'; did you mean 'vallex'"):
        corpora.layout("listed").build_options({"demo_page": "valex"})


def test_every_page_has_its_numbers_and_says_how_to_collect() -> None:
    pages = [demo_pages.find(name) for name in demo_pages.names()]
    assert [(page.bonafide, page.spoof) for page in pages] == [(36, 36), (12, 12)]
    assert all(page.page.startswith("https://") and page.collect for page in pages)
