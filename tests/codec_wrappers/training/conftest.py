"""Small starts of codebooks for all trainings in this folder."""

from collections.abc import Iterator

import pytest

from codec_wrappers.training import loop


@pytest.fixture(scope="module", autouse=True)
def few_segments() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "CODEBOOK_SEGMENTS", 8)
        yield
