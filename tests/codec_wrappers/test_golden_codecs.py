"""Golden vectors: our codecs give what the official code gave, array by array, whatever files there are.

Limits are those of the vectors' README: latents 1e-4, outputs 2e-4 of their standard deviation (FreqCodec 5e-4), codes
equal where the choice was not narrow. `golden_stages.py` says what each array is compared with.
"""

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from golden_codecs import wrapper_of
from golden_stages import check
from golden_vectors import FOLDER, Vector, find, kind_or_none
from golden_workflow import checks_of

QUICK = ("encodec", "lyra", "soundstream_kaiidams")


def cases() -> list[Any]:
    """Every array of every file, those of a file together: they share its codec."""
    vectors = [vector for vector in find(FOLDER) if kind_or_none(wrapper_of, vector)]
    first = {kind_of(vector.name): vector for vector in reversed(vectors)}
    arrays = [case for vector in vectors for case in _cases_of(vector, vector in first.values())]
    return arrays or [pytest.param(check, None, "", marks=pytest.mark.skip(f"no golden vectors of codecs in {FOLDER}"))]


def kind_of(name: str) -> str:
    """The name without its sample rate or total stride: `dac_16k` and `dac_24k` are one network in other sizes."""
    return re.sub(r"_\d+k|(?<=_ds)\d+", "", name)


def _cases_of(vector: Vector, is_first_of_its_kind: bool) -> list[Any]:
    """Networks of full size: `make test` has one clip of one file of each quick kind; all others are long."""
    clip = f"{min(vector.clips, default='')}_"
    is_quick = is_first_of_its_kind and kind_of(vector.name) in QUICK
    return [
        pytest.param(
            rule, vector, key,
            id=f"{vector.name}:{key}:{name}",
            marks=[] if is_quick and name == "array" and key.startswith(clip) else [pytest.mark.long],
        )
        for name, rule, key in checks_of(vector)
    ]  # fmt: skip


@pytest.mark.parametrize(("compare", "vector", "key"), cases())
def test_golden_codec_gives_what_the_official_one_gave(
    compare: Callable[[Vector, str], None], vector: Vector, key: str
) -> None:
    if vector.name.startswith("freqcodec") and os.environ.get("MKL_CBWR") != "COMPATIBLE":
        # MKL takes another FFT for each kind of processor, and the phase of a silent bin is rounding noise
        pytest.skip("FreqCodec hears phases of silent bins: compared where MKL_CBWR=COMPATIBLE is set (make test does)")
    compare(vector, key)
