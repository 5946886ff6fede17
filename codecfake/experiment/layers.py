"""An experiment file and those that it is `based_on`, merged, with the line of each value."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codecfake.base import installation
from codecfake.base.hidden_files import visible
from codecfake.base.home import expanded
from codecfake.base.merging import laid_over
from codecfake.base.settings import Fault
from codecfake.base.suggestions import unknown
from codecfake.base.validation import ConfigurationError, Document, read_document

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Layers:
    """The files of an experiment, its own first."""

    documents: tuple[Document, ...]

    def values(self) -> dict[str, Any]:
        """The values of the first file, merged into those of the others.

        Mappings are merged key by key; anything else, lists included, is replaced; null removes a key.
        """
        values: dict[str, Any] = {}
        for document in reversed(self.documents):
            layer = {key: value for key, value in document.values.items() if key != "based_on"}
            values = _without_nulls(layer, laid_over(values, layer), values)
        return values

    def message(self, fault: Fault) -> str:
        """A fault in words, with its file and line: those of the first file with the most of its keys."""
        places = [(document.path, document.place(fault.place)) for document in self.documents]
        path, place = max(places, key=lambda item: item[1].depth)
        text = fault.text
        if text.startswith("expected text") and place.text:
            text += f': "{place.text}"'
        if text.startswith("unknown setting") and path != self.documents[0].path:
            text += f"; to leave it out, write `{fault.key}: null` in {self.documents[0].path.name}"
        return f"{path}:{place.line}: " + ": ".join(filter(None, (".".join(fault.keys), text)))


def read(path: Path) -> Layers:
    """The layers of an experiment. Raises ConfigurationError if a file is missing or based on itself."""
    documents: list[Document] = []
    while True:
        documents.append(read_document(path))
        base = documents[-1].values.get("based_on")
        if base is None:
            return Layers(tuple(documents))
        next_path = _base(documents[-1], base)
        if next_path in [document.path for document in documents]:
            first = documents[0].path
            raise ConfigurationError(f"{first}: based_on is circular: it leads back to {next_path}; remove one")
        path = next_path


def by_name(folders: Iterable[Path]) -> dict[str, Path]:
    """Name -> file of the experiments in folders; if two have the same name, the one in the first folder."""
    paths = [path for folder in folders for path in visible(folder.glob("*.yaml"))]
    return dict(sorted({path.stem: path for path in reversed(paths)}.items()))


def _base(document: Document, base: Any) -> Path:
    """The file that another is based on: one beside it, or one that comes with the workflow."""
    where = f"{document.path}:{document.place(('based_on',)).line}: based_on"
    if not isinstance(base, str):
        raise ConfigurationError(f"{where}: expected the name of an experiment, found {base!r}")
    base = expanded(base)
    beside = document.path.parent / (base if base.endswith(SUFFIXES) else f"{base}.yaml")
    if beside.exists():
        return beside
    if base.endswith(SUFFIXES):
        raise ConfigurationError(f"{where}: there is no file {beside}; correct the path, or name an experiment")
    shipped = by_name([installation.experiments()])
    if base not in shipped:
        names = set(by_name([document.path.parent, installation.experiments()])) - {document.path.stem}
        raise ConfigurationError(f"{where}: {unknown('experiment', base, sorted(names))}")
    return shipped[base]


def _without_nulls(layer: Any, values: Any, base: Any) -> Any:
    """`values` without the keys of `base` that `layer` sets to null; other nulls stay."""
    if not (isinstance(layer, dict) and isinstance(base, dict)):
        return values
    nulls = {key for key, value in layer.items() if value is None and key in base}
    return {
        key: _without_nulls(layer.get(key), value, base.get(key)) for key, value in values.items() if key not in nulls
    }
