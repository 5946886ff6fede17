"""A hook of MkDocs: each notebook in docs/notebooks becomes a page with its text and code, and can be downloaded.

Notebooks are stored without outputs, so their pages have none.
"""

import json
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page of every notebook."""
    for file in list(files):
        if file.src_uri.endswith(".ipynb") and file.abs_src_path is not None:
            notebook = json.loads(Path(file.abs_src_path).read_text(encoding="utf-8"))
            uri = PurePosixPath(file.src_uri)
            text = page_of(notebook, uri.name)
            files.append(File.generated(config, uri.with_suffix(".md").as_posix(), content=text))
    return files


def page_of(notebook: dict[str, Any], name: str) -> str:
    """The Markdown of a notebook; below its title, a link to the file."""
    title, *cells = [text_of(cell) for cell in notebook["cells"]]
    heading, _, introduction = title.partition("\n")
    download = f'<a href="{name}" download>Download this notebook</a>'
    return "\n\n".join([heading, download, introduction.strip(), *cells]) + "\n"


def text_of(cell: dict[str, Any]) -> str:
    text = "".join(cell["source"])
    return text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```"
