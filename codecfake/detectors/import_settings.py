"""Settings of the import of a released detector into a run. This module needs no torch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from codecfake.base.settings import Fault, FaultsError, Range, below
from codecfake.detectors import released_forms
from codecfake.detectors.front_end_settings import RANDOM
from codecfake.detectors.released_forms import CROP_SAMPLES, Released
from codecfake.detectors.settings import DetectorSettings
from codecfake.detectors.shipped_front_ends import PREFIX

# where the weights of a front-end are is not part of what a detector is
PLACES = ("weights", "config", "seed")


@dataclass(frozen=True)
class ImportSettings:
    """A form of `released_forms`, and the detector of an experiment that its file must be.

    The detector names the weights of a front-end that is not in the file, and the dilation of Nes2Net.
    """

    form: str
    detector: DetectorSettings
    crop: Literal["whole"] | Annotated[int, Range(least=1)] | None = None  # samples; None: those of the form

    def __post_init__(self) -> None:
        with below("form"):
            released_forms.find(self.form)
        with below("crop"):
            released_forms.adjusted(self.form, crop=self.crop)
        if faults := [fault.below("detector") for fault in self._misfits(released_forms.find(self.form))]:
            raise FaultsError("", faults)

    @property
    def includes_front_end(self) -> bool:
        """Whether the file has the weights of the front-end."""
        return released_forms.find(self.form).front_end_prefix is not None

    @property
    def front_end_weights(self) -> str | None:
        """The weights of the front-end that the detector names; None if the file has them, or if it needs none."""
        return None if self.includes_front_end else self.detector.front_end.get("weights")

    @property
    def dilation(self) -> int | None:
        """That of the detector; None if it has none."""
        dilation: int | None = self.detector.complete()["back_end"].get("dilation")
        return dilation

    @property
    def crop_samples(self) -> int:
        """The length of its clips at 16 kHz; of a detector of whole recordings, the length that its rates are for."""
        crop = self.crop or released_forms.find(self.form).crop
        return crop if isinstance(crop, int) else CROP_SAMPLES

    def _misfits(self, form: Released) -> Iterator[Fault]:
        """Settings of the detector that are not those of the form."""
        theirs = DetectorSettings(form.front_end, form.back_end).complete()
        ours = self.detector.complete()
        weights = self.front_end_weights or ""
        if weights == RANDOM or weights.startswith(PREFIX):
            yield Fault(("front_end", "weights"), self._text(weights, form.front_end["weights"]))
        if "aggregation" in ours:
            yield Fault(("aggregation",), f"the released {self.form} has none; remove it")
        for part, free in (("front_end", PLACES), ("back_end", _shown_by_no_form(form))):
            if ours[part]["name"] != theirs[part]["name"]:
                yield Fault((part, "name"), self._text(ours[part]["name"], theirs[part]["name"]))
                continue
            for key in sorted(theirs[part].keys() - set(free)):
                if _plain(ours[part][key]) != _plain(theirs[part][key]):
                    yield Fault((part, key), self._text(ours[part][key], theirs[part][key]))

    def _text(self, ours: Any, theirs: Any) -> str:
        return f"{ours!r}, but the released {self.form} has {theirs!r}; change the detector, or release another form"


def _shown_by_no_form(form: Released) -> tuple[str, ...]:
    """Settings of a back-end that differ between files of one form."""
    return ("head",) if form.back_end["name"] == "pooling" else ("dilation",)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
