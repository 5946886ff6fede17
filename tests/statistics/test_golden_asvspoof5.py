"""The measures of ASVspoof 5 equal those of its evaluation package on the stored scores."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codecfake.statistics import metrics
from codecfake.statistics.asvspoof5 import track1
from codecfake.statistics.tandem import ASVSPOOF5_ASV, TrialScores, a_dcf, asv_error_rates, min_t_dcf, t_eer

LIMIT = 1e-9
CHANGES = {
    "track1": lambda scores: scores,
    "track1_scores_times_10": lambda scores: 10 * scores,
    "track1_scores_plus_3": lambda scores: scores + 3,
    "track1_scores_negated": lambda scores: -scores,
}


@pytest.fixture(scope="module")
def results(golden_detectors: Path) -> dict[str, Any]:
    return json.loads((golden_detectors / "asvspoof5_eval.json").read_text())["results"]


@pytest.fixture(scope="module")
def arrays(golden_detectors: Path) -> Any:
    return np.load(golden_detectors / "asvspoof5_eval.npz")


def by_kind(arrays: Any, system: str) -> TrialScores:
    return TrialScores(*(arrays[f"t2_{system}"][arrays["t2_label"] == label] for label in range(3)))


@pytest.mark.parametrize("name", CHANGES)
def test_track_1_is_golden(name: str, results: dict[str, Any], arrays: Any) -> None:
    scores, is_bonafide = CHANGES[name](arrays["t1_scores"]), arrays["t1_is_bonafide"]
    ours, golden = track1(scores[is_bonafide], scores[~is_bonafide]), results[name]
    assert ours.min_dcf == pytest.approx(golden["minDCF"], abs=LIMIT)
    assert ours.act_dcf == pytest.approx(golden["actDCF"], abs=LIMIT)
    assert ours.cllr == pytest.approx(golden["Cllr_bits"], abs=LIMIT)
    assert ours.eer == pytest.approx(golden["EER"], abs=LIMIT)


def test_equal_scores_have_the_package_s_eer_of_1(results: dict[str, Any], arrays: Any) -> None:
    is_bonafide, golden = arrays["t1_is_bonafide"], results["track1_constant"]
    equal = np.zeros(len(is_bonafide))
    ours = track1(equal[is_bonafide], equal[~is_bonafide])
    assert (ours.eer, ours.min_dcf, ours.act_dcf) == (golden["EER"], golden["minDCF"], golden["actDCF"])


def test_the_curve_is_golden(arrays: Any) -> None:
    scores, is_bonafide = arrays["t1_scores"], arrays["t1_is_bonafide"]
    curve = metrics.det_curve(scores[is_bonafide], scores[~is_bonafide])
    np.testing.assert_allclose(curve.miss_rate, arrays["t1_frr"], atol=LIMIT)
    np.testing.assert_allclose(curve.false_alarm_rate, arrays["t1_far"], atol=LIMIT)
    np.testing.assert_allclose(curve.thresholds, arrays["t1_thresholds"], atol=LIMIT)


def test_track_2_is_golden(results: dict[str, Any], arrays: Any) -> None:
    detector, golden = by_kind(arrays, "cm"), results["track2"]
    assert a_dcf(by_kind(arrays, "sasv")) == pytest.approx(golden["a_DCF"], abs=LIMIT)
    assert min_t_dcf(detector, ASVSPOOF5_ASV) == pytest.approx(golden["min_tDCF"], abs=LIMIT)
    assert 100 * t_eer(detector, by_kind(arrays, "asv")) == pytest.approx(golden["t_EER_percent"], abs=LIMIT)


def test_with_scores_of_asv_the_package_s_slip_and_the_right_value_are_golden(
    results: dict[str, Any], arrays: Any
) -> None:
    detector, golden = by_kind(arrays, "cm"), results["track2_with_own_asv"]
    asv = asv_error_rates(by_kind(arrays, "asv"))
    assert asv.miss == pytest.approx(golden["Pmiss_target"], abs=LIMIT)
    assert asv.nontarget_false_acceptance == pytest.approx(golden["Pfa_nontarget"], abs=LIMIT)
    assert asv.spoof_false_acceptance == pytest.approx(golden["Pfa_spoof"], abs=LIMIT)
    assert min_t_dcf(detector, asv) == pytest.approx(golden["min_tDCF_with_spoof_false_acceptance"], abs=LIMIT)
    official = min_t_dcf(detector, asv.with_spoof_miss_rate)
    assert official == pytest.approx(golden["min_tDCF_as_official_code_returns"], abs=LIMIT)
