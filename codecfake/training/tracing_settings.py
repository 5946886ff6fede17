"""Settings of a model that traces sources. This module needs no torch, so that an experiment can be checked early."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from codecfake.base.settings import Fault, FaultsError
from codecfake.detectors.back_end_settings import LINEAR
from codecfake.features.settings import DISK
from codecfake.protocols.traced_quantities import TracedQuantity
from codecfake.training.loss_settings import CROSS_ENTROPY
from codecfake.training.settings import SELECTIONS, TrainSettings

OF_DETECTION = ("spoof_weight", "bonafide_weight")  # all classes of sources weigh the same
OF_CLASSES = (*OF_DETECTION, "loss", "loss_settings")  # a regression has the mean squared error


@dataclass(frozen=True)
class TracingSettings:
    """The training of a detector's front-end and back-end, with a logit for each class, or with one number."""

    training: TrainSettings
    classes: dict[str, list[str]] = field(default_factory=dict)  # class -> its sources; F00 are the recordings
    regression: TracedQuantity | None = None  # in place of classes

    def __post_init__(self) -> None:
        if faults := list(self._faults()):
            raise FaultsError("", faults)

    def _faults(self) -> Iterator[Fault]:
        t = self.training
        if self.regression is None and len(self.classes) < 2:
            yield Fault(("classes",), f"{len(self.classes)} classes leave nothing to tell apart; give two or more")
        if t.loss != CROSS_ENTROPY:
            yield Fault(("training", "loss"), f"{t.loss} is of two classes; set it to {CROSS_ENTROPY}")
        if t.detector.complete()["back_end"].get("head", LINEAR) != LINEAR:
            text = f"{t.detector.back_end['head']} gives two logits; take a detector with `head: {LINEAR}`"
            yield Fault(("training", "detector", "back_end", "head"), text)
        if "dev_eer" in SELECTIONS[t.select]:
            text = f"{t.select}, but source tracing has no EER; choose dev_loss, dev_loss_of_batches or last"
            yield Fault(("training", "select"), text)
        if t.cache == DISK:
            text = f"{DISK}, but stored features are of detectors; set it to true or false"
            yield Fault(("training", "cache_features"), text)
