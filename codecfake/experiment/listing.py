"""The choices for an experiment: codecs, parts of detectors, layouts, … Needs no torch."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def codecs() -> list[Row]:
    """The codecs that the package wraps."""
    import codec_wrappers

    entries = [codec_wrappers.entry(name) for name in codec_wrappers.names()]
    return [
        {
            "name": one.name,
            "about": one.about,
            "package": one.package or "ours",
            "license": one.license,
            "weights": list(one.weights),
        }
        for one in entries
    ]


def generators() -> list[Row]:
    """The generators of speech and sound from text."""
    from codecfake.generators import entry, names

    return [
        {
            "name": one.name,
            "about": one.about,
            "license": one.license,
            "checkpoints": list(one.checkpoints),
            "languages": list(one.languages),
        }
        for one in map(entry, names())
    ]


def detectors() -> list[Row]:
    """The parts of detectors; an aggregation, and some back-ends, take several layers of a front-end."""
    from codecfake.detectors.settings import AGGREGATIONS, BACK_ENDS, FRONT_ENDS

    several = {*AGGREGATIONS, *(name for name in BACK_ENDS if BACK_ENDS.part(name).several_layers)}
    return [
        {
            "name": name,
            "part": part,
            "takes": "" if part == "front-end" else "layers" if name in several else "one layer",
        }
        for part, names in (("front-end", FRONT_ENDS), ("aggregation", AGGREGATIONS), ("back-end", BACK_ENDS))
        for name in names
    ]


def losses() -> list[Row]:
    """The losses of detector training, with the default settings."""
    from codecfake.training.loss_settings import LOSSES

    return [{"name": name, "settings": LOSSES.part(name).complete({})} for name in LOSSES]


def layouts() -> list[Row]:
    """The layouts of corpora."""
    from codecfake.corpora import LAYOUTS, layout

    readers = map(layout, LAYOUTS)
    return [{"name": one.name, "what": _first_sentence(one.reader.__doc__), "license": one.license} for one in readers]


def strategies() -> list[Row]:
    """The training strategies."""
    from codecfake.training.strategies import STRATEGIES

    return [
        {"name": name, "update": one.update, "sampler": one.sampler, "settings": one.settings}
        for name, one in STRATEGIES.items()
    ]


def experiments() -> list[Row]:
    """The experiments that can be run by name from the current folder."""
    from codecfake.experiment import reading, site

    paths = site.experiments(Path())
    return [
        {"name": name, "title": reading.read(path).get("title", ""), "file": str(path)} for name, path in paths.items()
    ]


def checkpoints() -> list[Row]:
    """Weights of codecs, in the package and published, and of detectors in the forms that `import-checkpoint` reads."""
    from codec_wrappers import entry
    from codec_wrappers.weights import checkpoints, shipped
    from codecfake.detectors.released_forms import RELEASED

    ours = [
        {
            "name": one.name,
            "codec": one.wrapper,
            "detector": "",
            "permissive": True,
            "code license": entry(one.wrapper).license,
            "weights license": shipped.LICENSE,
            "published score": "",
            "origin": "shipped",
        }
        for one in map(shipped.find, shipped.names())
    ]
    codecs = [
        {
            "name": one.name,
            "codec": one.wrapper,
            "detector": "",
            "permissive": one.is_permissive,
            "code license": one.code_license,
            "weights license": one.weights_license,
            "published score": "",
            "origin": "",
        }
        for one in checkpoints.load().values()
    ]
    detectors = [
        {
            "name": name,
            "codec": "",
            "detector": f"{form.front_end['name']}, {form.back_end['name']}",
            "permissive": {form.code_license, form.weights_license} <= checkpoints.PERMISSIVE,
            "code license": form.code_license,
            "weights license": form.weights_license,
            "published score": form.published,
            "origin": form.origin,
        }
        for name, form in RELEASED.items()
    ]
    return ours + codecs + detectors


def models() -> list[Row]:
    """The trained detectors that come with the package, by the names that `score --model` takes."""
    from codecfake.detectors import shipped_models

    return [
        {
            "name": name,
            "about": shipped_models.about(name),
            "default": name == shipped_models.DEFAULT,
            "folder": str(shipped_models.SHIPPED / name),
        }
        for name in shipped_models.names()
    ]


KINDS: Mapping[str, Callable[[], list[Row]]] = {
    "codecs": codecs,
    "generators": generators,
    "detectors": detectors,
    "layouts": layouts,
    "losses": losses,
    "strategies": strategies,
    "experiments": experiments,
    "checkpoints": checkpoints,
    "models": models,
}


def as_text(rows: Sequence[Row]) -> str:
    """The rows as a table; a sentence without any."""
    if not rows:
        return "None come with this installation."
    from tabulate import tabulate

    return tabulate([[_cell(value) for value in row.values()] for row in rows], list(rows[0]), disable_numparse=True)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {setting}" for key, setting in value.items())
    if isinstance(value, list):
        return ", ".join(value)
    return str(value)


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())
