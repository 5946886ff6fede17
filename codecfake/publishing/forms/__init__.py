"""The forms of published data sets: one module per form, all with the same interface.

A form offers
- `ABOUT`: what it is, in a few words, and `USE`: how to read it, as Markdown;
- `MARKER`: a glob of files, relative to the folder, that no other form has;
- `configurations(publication)`: part -> split -> globs of its files, for the header of a card on the Hugging Face Hub;
  empty if the Hub cannot load this form;
- `write(publication, output)`: writes every file of the form, except for those of `codecfake.publishing.publish`;
- `read(folder)`: the clips of such a folder, ours or another's, each once, for checks.

A form that has no room for everything also offers
- `WITHOUT`: fields of `PublishedClip` that its files do not have;
- `place_of(place)`: a place as its files name it; None for a place that it does not have;
- `require(publication)`: raises PublishingError, before anything is written, for what it cannot hold.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol, cast

from codecfake.base.suggestions import unknown
from codecfake.publishing import DEFAULT_FORM, FORMS
from codecfake.publishing.clips import Place, PublishingError
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.published import PublishedClip
from codecfake.publishing.rows import COLUMNS


class Form(Protocol):
    """The interface of the modules."""

    ABOUT: str
    USE: str
    MARKER: str

    def configurations(self, publication: Publication) -> Mapping[str, Mapping[str, list[str]]]: ...

    def write(self, publication: Publication, output: Output) -> None: ...

    def read(self, folder: Path) -> Iterator[PublishedClip]: ...


def form(name: str) -> Form:
    """The form of that name. Raises PublishingError for an unknown one."""
    if name not in FORMS:
        raise PublishingError(unknown("form", name, FORMS))
    return cast(Form, importlib.import_module(f"codecfake.publishing.forms.{name}"))


def without(name: str) -> tuple[str, ...]:
    """The fields of `PublishedClip` that the files of a form do not have."""
    return getattr(form(name), "WITHOUT", ())


def columns(name: str) -> Mapping[str, str]:
    """Column -> meaning, of the rows of a form; empty for lists that have a few words for each clip."""
    return {} if "codec" in without(name) else COLUMNS


def place_of(name: str) -> Callable[[Place], Place | None]:
    """The function from a place to the one that the files of a form name; None for a place without room."""
    return getattr(form(name), "place_of", _same)


def require(name: str, publication: Publication) -> None:
    """Raise PublishingError if a form cannot hold a publication."""
    getattr(form(name), "require", _accept)(publication)


def recognize(folder: Path) -> str:
    """The name of the form that a folder has. Raises PublishingError if it has none.

    The default form comes last, as its parquet files are in other forms too.
    """
    for name in sorted(FORMS, key=lambda name: name == DEFAULT_FORM):
        if next(folder.glob(form(name).MARKER), None) is not None:
            return name
    raise PublishingError(f"{folder}: has no form that can be checked; name one with --form: {', '.join(FORMS)}")


def _same(place: Place) -> Place:
    return place


def _accept(publication: Publication) -> None:
    pass
