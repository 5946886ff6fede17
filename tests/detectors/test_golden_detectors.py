"""Golden vectors: our front-ends and back-ends give what the official code gave, whatever files there are.

Limits are those of the vectors' README: hidden states 1e-4 of the standard deviation of each item, logits
1e-4 · (1 + |logit|). `golden_detectors.py` says what each array is compared with.
"""

import re
from typing import Any

import pytest
from golden_detectors import INPUTS, check, detector_of
from golden_vectors import FOLDER, Vector, find, kind_or_none

MORE = r"aasist_|features"  # networks of published size


def cases() -> list[Any]:
    vectors = [
        pytest.param(vector, key, id=f"{vector.name}:{key}", marks=[pytest.mark.long] if re.match(MORE, key) else [])
        for vector in find(FOLDER)
        for key in (vector.keys if kind_or_none(detector_of, vector) else [])
        if key not in INPUTS[str(detector_of(vector))]
    ]
    return vectors or [pytest.param(None, "", marks=pytest.mark.skip(f"no golden vectors of detectors in {FOLDER}"))]


@pytest.mark.parametrize(("vector", "key"), cases())
def test_golden_detector_gives_what_the_official_one_gave(vector: Vector, key: str) -> None:
    check(vector, key)
