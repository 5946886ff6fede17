"""What tables need that only some experiments have."""

from typing import Any

from codecfake.experiment import contents, kinds, labels, ladders, partial_fakes, released
from codecfake.experiment.schema import Experiment


def settings(experiment: Experiment) -> dict[str, Any]:
    """Plain values of these parts of `TableSettings`, empty where an experiment has none."""
    partial = partial_fakes.sources(experiment)  # their error rates are those of spans, not of kinds of codecs
    return {
        "label_policies": labels.policies(experiment),
        "kinds": {source: kind for source, kind in kinds.of_sources(experiment).items() if source not in partial},
        "baselines": released.baselines(experiment),
        "ladders": ladders.steps_of(experiment),
        "contents": contents.settings(experiment),
    }
