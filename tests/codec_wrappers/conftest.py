"""Laws of every codec: `make test` holds the codecs to them that are quick to build, `make test-long` all others."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
LONG_TO_BUILD = {
    "academicodec", "audiodec", "dac", "freqcodec", "funcodec", "hificodec", "speechtokenizer",
    "bigcodec", "higgs", "neucodec", "pockettts", "snac", "transformers", "vibevoice", "vocos", "xcodec", "xcodec2",
}  # fmt: skip


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and names_of_codecs(item) & LONG_TO_BUILD:
            item.add_marker(pytest.mark.long)


def names_of_codecs(item: pytest.Item) -> set[str]:
    """The parameters of a test that are texts, without what follows the name of a codec: `dac_44k` is of `dac`."""
    values = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
    return {value.partition("_")[0] for value in values if isinstance(value, str)}
