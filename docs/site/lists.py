"""A hook of MkDocs: a list may follow a paragraph without a blank line, as in GitHub's Markdown."""

import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

FENCE_OR_START = re.compile(r"^```.*?^```|^(?P<paragraph>(?!- |[ #|\n])[^\n]+\n)(?=- )", re.MULTILINE | re.DOTALL)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put a blank line between a paragraph and its list."""
    return FENCE_OR_START.sub(lambda match: match[0] if match["paragraph"] is None else match[0] + "\n", markdown)
