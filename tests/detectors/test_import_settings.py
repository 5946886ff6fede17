"""A released form fits the detector of an experiment, or every setting that differs is named. Needs no torch."""

from typing import Any

import pytest

from codecfake.base.settings import faults_of
from codecfake.detectors.import_settings import ImportSettings
from codecfake.detectors.released_forms import RELEASED
from codecfake.detectors.settings import DetectorSettings


def detector(form: str, **changes: dict[str, Any]) -> dict[str, Any]:
    """The detector of a form, with other settings of some of its parts."""
    released = RELEASED[form]
    parts: dict[str, Any] = {"front_end": released.front_end, "back_end": released.back_end}
    return {part: {**values, **changes.get(part, {})} for part, values in parts.items()}


@pytest.mark.parametrize("form", RELEASED)
def test_every_form_fits_its_own_detector(form: str) -> None:
    settings = ImportSettings(form, DetectorSettings(**detector(form)))
    assert settings.includes_front_end == (RELEASED[form].front_end_prefix is not None)


def test_the_weights_of_a_front_end_and_the_dilation_of_nes2net_are_the_detector_s() -> None:
    own = detector("w2v2-aasist", front_end={"weights": "/data/xls-r"})
    assert ImportSettings("w2v2-aasist", DetectorSettings(**own)).front_end_weights == "/data/xls-r"
    own = detector("nes2net-x", back_end={"dilation": 1}, front_end={"weights": "facebook/x", "config": {}})
    settings = ImportSettings("nes2net-x", DetectorSettings(**own))
    assert (settings.dilation, settings.front_end_weights) == (1, None)


@pytest.mark.parametrize(
    ("form", "values", "message"),
    [
        ("aasist", detector("aasist-l"), "detector.back_end.channels: (32, 24), but the released aasist has (32, 64)"),
        ("aasist", detector("mel-lcnn"), "detector.front_end.name: 'mel', but the released aasist has 'sinc'"),
        (
            "w2v2-aasist",
            detector("w2v2-aasist", front_end={"layer": 6}),
            "detector.front_end.layer: 6, but the released w2v2-aasist has 5; change the detector",
        ),
        (
            "w2v2-aasist",
            detector("w2v2-aasist", front_end={"weights": "random"}),
            "detector.front_end.weights: 'random', but the released w2v2-aasist has 'facebook/wav2vec2-xls-r-300m'",
        ),
        (
            "ssl-aasist",
            {
                **detector("ssl-aasist", front_end={"layers": "all", "final_norm": False}),
                "aggregation": {"name": "weighted_sum"},
            },
            "detector.aggregation: the released ssl-aasist has none; remove it",
        ),
        ("aasist3", detector("aasist"), "form: unknown released detector 'aasist3'; did you mean 'aasist'?"),
    ],
)
def test_a_detector_that_does_not_fit_is_refused_by_its_setting(form: str, values: Any, message: str) -> None:
    faults = faults_of(ImportSettings, {"form": form, "detector": values})
    assert any(str(fault).startswith(message) for fault in faults), faults


def test_a_form_of_one_length_takes_no_other() -> None:
    faults = faults_of(ImportSettings, {"form": "mel-lcnn", "detector": detector("mel-lcnn"), "crop": "whole"})
    assert [str(fault) for fault in faults] == ["crop: mel-lcnn is for clips of 64600 samples; give no other length"]
    assert faults_of(ImportSettings, {"form": "aasist", "detector": detector("aasist"), "crop": "whole"}) == []
