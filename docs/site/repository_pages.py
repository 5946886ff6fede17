"""A hook of MkDocs: files outside docs/ that a page links to become pages, and links lead to these.

Pages link as they do in the repository (`../envs/README.md`). On the site, such a file is `repository/envs/README.md`;
a source file is shown as code.
"""

import os.path
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

SETTINGS = Path(__file__).parent  # of the site: no documents
DOCS = SETTINGS.parent
ROOT = DOCS.parent
FOLDER = "repository"
FENCE_OR_LINK = re.compile(r"^```.*?^```|(?<=\]\()(?P<target>[^)\s#:]+)(?=[#)])", re.MULTILINE | re.DOTALL)
LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file outside docs/ that a page links to."""
    waiting = files.documentation_pages()
    while waiting:
        source = waiting.pop()
        for target in links(source.content_string, folder_of(source.src_uri)):
            if not is_document(target) and files.get_file_from_path(uri_of(target)) is None:
                page = File.generated(config, uri_of(target), content=text_of(target))
                files.append(page)
                waiting.append(page)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to the places that files have on the site."""
    folder = folder_of(page.file.src_uri)
    start = PurePosixPath(page.file.src_uri).parent

    def place(match: re.Match[str]) -> str:
        if match["target"] is None:
            return match[0]
        return os.path.relpath(uri_of((folder / match["target"]).resolve()), start)

    return FENCE_OR_LINK.sub(place, markdown)


def links(text: str, folder: Path) -> list[Path]:
    """The existing files that a page links to, in its order; MkDocs reports the links that lead nowhere."""
    targets = [(folder / match["target"]).resolve() for match in FENCE_OR_LINK.finditer(text) if match["target"]]
    return [target for target in targets if target.is_file()]


def is_document(path: Path) -> bool:
    """Whether MkDocs itself puts the file on the site."""
    return DOCS in path.parents and SETTINGS not in path.parents


def uri_of(path: Path) -> str:
    """The place of a file on the site. A notebook's is its page, which `notebook_pages.py` writes."""
    if is_document(path):
        return path.with_suffix(".md" if path.suffix == ".ipynb" else path.suffix).relative_to(DOCS).as_posix()
    name = path.relative_to(ROOT).as_posix()
    return f"{FOLDER}/{name}" if path.suffix == ".md" else f"{FOLDER}/{name}.md"


def folder_of(uri: str) -> Path:
    """The folder in which the links of a page start."""
    name = uri.removeprefix(f"{FOLDER}/")
    return (DOCS if name == uri else ROOT) / Path(name).parent


def text_of(path: Path) -> str:
    """The Markdown of a page from outside docs/."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    return f"# {path.relative_to(ROOT).as_posix()}\n\n```{LANGUAGES.get(path.suffix, 'text')}\n{text}\n```\n"
