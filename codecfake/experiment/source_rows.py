"""The rows of the table of sources, from an experiment."""

from collections.abc import Iterator
from typing import Any

from codecfake.experiment.schema import Experiment


def rows(experiment: Experiment) -> Iterator[dict[str, Any]]:
    """Plain values of `SourceRow` for every source of the codecs in use."""
    for name in experiment.codecs_run():
        codec = experiment.codecs[name]
        for source, rule in codec.sources.items():
            yield {
                "source": source,
                "codec": name,
                "wrapper": codec.wrapper,
                "quantizers": codec.generated()[codec.coded_by(source)],
                "printed_kbps": rule.printed_kbps,
                "same_as": rule.same_as or "",
                "alternative_to": rule.alternative_to or "",
                "weights": codec.weights.label,
                "license": experiment.license_of(name),
                "note": rule.note,
            }
