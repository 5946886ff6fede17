"""The README.md of a data set: a header for the Hugging Face Hub, and what a reader needs to know."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from tabulate import tabulate

from codecfake.base import files
from codecfake.base.utterances import KEYS
from codecfake.publishing import card_header, statements
from codecfake.publishing.card_header import README, Configurations
from codecfake.publishing.output import MANIFEST, Output
from codecfake.publishing.publication import Publication

TEMPLATE = "card.md"
# of results/tables/quality.csv: headings and decimals
MEASURES = {
    "pesq": ("PESQ", 2),
    "stoi": ("STOI", 3),
    "si_sdr_db": ("SI-SDR (dB)", 1),
    "mel_distance": ("mel distance (log10)", 3),
}
SIZES = ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M"))


def write(
    publication: Publication, use: str, configurations: Configurations, columns: Mapping[str, str], output: Output
) -> None:
    """Write the card; `use` says how to read the form of the data set, and `columns` what its rows have."""
    output.write_text(README, text(publication, use, header(publication, configurations), columns))


def text(publication: Publication, use: str, values: Mapping[str, Any], columns: Mapping[str, str]) -> str:
    """The whole card, with `values` as its header; without `columns` (name -> meaning), there is no table of them."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    body = environment.get_template(TEMPLATE).render(
        facts=publication.facts,
        say=statements,
        publication=publication,
        use=use.strip(),
        manifest=MANIFEST,
        parts=_parts(publication),
        sources=_sources(publication),
        quality=_quality(publication),
        withheld=_withheld(publication),
        credits=_credits(publication),
        codecs=_codecs(publication),
        columns=columns and _table(["column", "meaning"], list(columns.items())),
    )
    return card_header.as_text(values) + body + "\n"


def header(publication: Publication, configurations: Configurations) -> dict[str, Any]:
    """The values of the header, with the names of the Hub."""
    licenses = statements.licenses(publication)
    named = {"license": licenses[0].lower()} if len(licenses) == 1 else {}
    return {
        "pretty_name": publication.facts.title,
        **(named or {"license": "other", "license_name": "several", "license_link": README}),
        "language": statements.languages(publication),
        "task_categories": ["audio-classification"],
        "size_categories": [size_category(sum(publication.num_clips.values()))],
        "tags": statements.KEYWORDS,
        "configs": card_header.configs(configurations),
    }


def size_category(number: int) -> str:
    """The Hub's word for a number of clips."""
    return next((name for limit, name in SIZES if number < limit), "n>10M")


def _parts(publication: Publication) -> str:
    counts = publication.catalog.counts()
    rows = [
        (part, split, *(counts[part][split].get(key, 0) for key in KEYS))
        for part, splits in publication.parts.items()
        for split in splits
    ]
    return _table(["part", "split", *KEYS], rows)


def _sources(publication: Publication) -> str:
    rows = [
        (s.corpus, s.source, s.codec, s.quantizers, _bitrate(s.bitrate_kbps), s.num_clips, f"{s.seconds / 3600:.2f}",
         publication.license_of(s), s.weights_sha256[:12])
        for s in publication.sources
    ]  # fmt: skip
    names = ["corpus", "source", "codec", "quantizers", "kbit/s", "clips", "hours", "license", "weights (sha256)"]
    return _table(names, rows)


def _bitrate(kbps: float) -> str:
    return "none" if math.isnan(kbps) else f"{kbps:g}"  # latents have none


def _quality(publication: Publication) -> str:
    """Means of the measures of quality; "" if the run has not measured any of these sources."""
    path = publication.run / "results/tables/quality.csv"
    if not path.is_file():
        return ""
    table = files.read_csv(path, dtype=str, keep_default_na=False)
    measured = table[
        table["metric"].isin(list(MEASURES)) & table["source"].isin({s.source for s in publication.sources})
    ]
    if measured.empty:
        return ""
    wide = measured.pivot_table(index="source", columns="metric", values="mean", aggfunc="first")
    columns = {
        heading: [_decimals(text, n) for text in wide[name]] for name, (heading, n) in MEASURES.items() if name in wide
    }
    numbers = pd.Series(measured.groupby("source")["n"].first())
    rows = zip(wide.index, *columns.values(), numbers[wide.index], strict=True)
    return _table(["source", *columns, "clips"], list(rows))


def _decimals(text: object, number: int) -> str:
    """A number with this many decimals; "" where none was measured."""
    return "" if pd.isna(text) or text == "" else f"{float(str(text)):.{number}f}"


def _withheld(publication: Publication) -> str:
    items = publication.withheld
    rows = [(item.corpus, item.source, item.num_clips, item.license, f"`{item.recipe}`") for item in items]
    return _table(["corpus", "source", "clips", "license", "how to make it"], rows)


def _credits(publication: Publication) -> str:
    known = [publication.facts.corpora[name] for name in statements.corpora(publication)]
    rows = [(one.name, one.credit.license, one.credit.citation, one.credit.homepage, one.credit.note) for one in known]
    return _table(["corpus", "license", "credit", "homepage", "note"], rows)


def _codecs(publication: Publication) -> str:
    known = [publication.facts.codecs[name] for name in statements.codecs(publication)]
    return _table(
        ["codec", "about", "paper", "weights"], [(one.name, one.about, one.paper, one.weights) for one in known]
    )


def _table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    return tabulate(rows, list(names), tablefmt="github", disable_numparse=True)
