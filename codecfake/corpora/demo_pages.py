"""Collections of recordings from the demo pages of papers: how many there are, and how to collect them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from codecfake.base import settings
from codecfake.base.suggestions import unknown
from codecfake.base.utterances import BONAFIDE, SPOOF, Utterance
from codecfake.corpora.listing import CorpusError

PAGES = Path(__file__).with_name("demo_pages.yaml")


@dataclass(frozen=True)
class DemoPage:
    """One page, with the number of recordings of each key that a paper took from it."""

    about: str
    page: str
    bonafide: int
    spoof: int
    collect: str


def names() -> tuple[str, ...]:
    return tuple(_pages())


def find(name: str) -> DemoPage:
    """Raises CorpusError for an unknown name."""
    if name not in _pages():
        raise CorpusError(unknown("demo page", name, names()))
    return _pages()[name]


def require(name: str, root: Path, utterances: Iterable[Utterance]) -> None:
    """Raise CorpusError unless a collection has as many recordings of each key as the paper took from the page."""
    page = find(name)
    counts = Counter(utterance.key for utterance in utterances)
    for key, number in ((BONAFIDE, page.bonafide), (SPOOF, page.spoof)):
        if counts[key] != number:
            raise CorpusError(
                f"{root}: {counts[key]} {key} recordings, but {number} were taken from the demo page of {page.about} "
                f"({page.page}): {page.collect}. Collect these, or leave out the option demo_page"
            )


@cache
def _pages() -> dict[str, DemoPage]:
    content = yaml.safe_load(PAGES.read_text(encoding="utf-8"))
    return {name: settings.build(DemoPage, values) for name, values in content.items()}
