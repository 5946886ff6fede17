"""Writes a finished run as a data set in one form: its files, a card, a record of the choices, and a manifest."""

import shutil
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import pandas as pd

from codecfake import __version__
from codecfake.base import files
from codecfake.publishing import card, forms, publication
from codecfake.publishing.clips import PublishingError
from codecfake.publishing.output import LABEL_POLICY, RECORD, begin
from codecfake.publishing.publication import Publication
from codecfake.publishing.run_facts import RunFacts
from codecfake.publishing.selection import Selection

WITHHELD = "withheld.tsv"


def publish(run: Path, facts: RunFacts, selection: Selection, form: str, to: Path) -> Publication:
    """Publish a run in the folder `to`; continue there after a stop. The same run gives the same bytes.

    Raises PublishingError, before it writes anything, if the run is not finished, nothing may be published, or the
    folder has something else.
    """
    kind = forms.form(form)
    data_set = publication.read(run, facts, selection, forms.place_of(form))
    forms.require(form, data_set)
    _require_room(to, sum(source.num_bytes for source in data_set.sources))
    fingerprint = sha256(f"{form} {data_set.fingerprint}".encode()).hexdigest()
    output = begin(to, fingerprint)
    kind.write(data_set, output)
    card.write(data_set, kind.USE, kind.configurations(data_set), forms.columns(form), output)
    if data_set.withheld:
        output.write_tsv(WITHHELD, pd.DataFrame([asdict(item) for item in data_set.withheld]))
    output.write_text(RECORD, files.as_json(record(data_set, form, fingerprint)))
    output.finish()
    return data_set


def record(data_set: Publication, form: str, fingerprint: str) -> dict[str, object]:
    """What was published: the form, the choices, and the numbers of trials that `--check` expects."""
    return {
        "title": data_set.facts.title,
        "command": data_set.facts.command,
        "codecfake": __version__,
        "form": form,
        "fingerprint": fingerprint,
        "selection": data_set.selection.plain(),
        "counts": data_set.catalog.counts(),
        "clips": data_set.num_clips,
        "fakes_without_twin": data_set.catalog.num_without_twin(),
        "sources": [source.plain() for source in data_set.sources],
        "withheld": [asdict(item) for item in data_set.withheld],
        **({LABEL_POLICY: data_set.policy} if data_set.policy else {}),
    }


def _require_room(to: Path, num_bytes: int) -> None:
    """Raise PublishingError if the disk has less room than the audio needs; what is there already counts as room."""
    place = next(path for path in [to, *to.resolve().parents] if path.exists())
    there = sum(path.stat().st_size for path in to.rglob("*") if path.is_file()) if to.is_dir() else 0
    room = shutil.disk_usage(place).free + there
    if room < num_bytes:
        raise PublishingError(
            f"{to}: {num_bytes / 1e9:.1f} GB of audio, but {room / 1e9:.1f} GB are free; "
            f"choose another disk, or fewer sources"
        )
