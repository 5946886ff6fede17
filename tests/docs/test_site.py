"""The documentation site: it builds without a warning, all its links work, and it loads nothing from elsewhere."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from places import ROOT

pytest.importorskip("mkdocs", reason="the site needs mkdocs (`make setup`, or the extra `docs`)")
SITE = ROOT / "docs/site"
ADDRESS = re.compile(r"""(?:href|src)=["']?([^"'\s>]+)""")
LOADED = re.compile(r"<(?:script|link|img|iframe|audio|source)\b[^>]*>")


def hook(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, SITE / f"{name}.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """Path -> HTML of every page, built as `make docs` builds it, where every warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--config-file", str(SITE / "mkdocs.yml"), "--site-dir", folder]
    process = subprocess.run(command, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.html"))}


@pytest.mark.long
def test_every_address_of_a_page_leads_to_a_file_of_the_site(pages: dict[Path, str]) -> None:
    for path, html in pages.items():
        for address in ADDRESS.findall(html):
            target = address.partition("#")[0].partition("?")[0]
            if target and "://" not in target and path.name != "404.html":
                assert (path.parent / target).is_file(), f"{path.name}: {address}"


@pytest.mark.long
def test_pages_load_nothing_from_elsewhere(pages: dict[Path, str]) -> None:
    tags = [tag for html in pages.values() for tag in LOADED.findall(html)]
    assert any("script" in tag for tag in tags)
    assert [tag for tag in tags if "//" in tag] == []


@pytest.mark.parametrize("name", ["README.md", "adding.md", "../envs/README.md"])
def test_links_of_a_page_start_in_the_folder_of_its_file(name: str) -> None:
    module = hook("repository_pages")
    path = (ROOT / "docs" / name).resolve()
    assert module.folder_of(module.uri_of(path)) == path.parent


def test_code_outside_the_documents_has_a_page_that_shows_it() -> None:
    module = hook("repository_pages")
    path = ROOT / "codec_wrappers/codec.py"
    assert module.uri_of(path) == "repository/codec_wrappers/codec.py.md"
    assert module.text_of(path).startswith("# codec_wrappers/codec.py\n\n```python\n")


def test_brackets_in_code_are_no_links() -> None:
    text = "[a](README.md)\n\n```python\nfirst[0](LICENSE)\n```\n"
    assert hook("repository_pages").links(text, ROOT) == [ROOT / "README.md"]


def test_a_list_after_a_paragraph_is_a_list() -> None:
    text = "What this says:\n- a\n- b\n  still b\n- c\n\n```\nno list:\n- d\n```\n"
    expected = text.replace("says:\n", "says:\n\n")
    assert hook("lists").on_page_markdown(text, None, None, None) == expected


def test_a_notebook_is_a_page_of_text_and_code_with_its_file_to_download() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "Why."]},
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"]},
    ]
    page = hook("notebook_pages").page_of({"cells": cells}, "x.ipynb")
    assert page.startswith('# Title\n\n<a href="x.ipynb" download>')
    assert page.endswith("Why.\n\n```python\na = 1\nb = 2\n```\n")
