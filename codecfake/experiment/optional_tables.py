"""What tables need that only some experiments have."""

from typing import Any

from codecfake.experiment import contents, kinds, labels, ladders, released
from codecfake.experiment.schema import Experiment


def settings(experiment: Experiment) -> dict[str, Any]:
    """Plain values of these parts of `TableSettings`, empty where an experiment has none."""
    return {
        "label_policies": labels.policies(experiment),
        "kinds": kinds.of_sources(experiment),
        "baselines": released.baselines(experiment),
        "ladders": ladders.steps_of(experiment),
        "contents": contents.settings(experiment),
    }
