"""One small finished run, and one publication of it in each form; tests copy what they change."""

from pathlib import Path

import finished_runs
import pytest
import round_trips

from codecfake.publishing import FORMS, publication
from codecfake.publishing.clips import Clip
from codecfake.publishing.publish import publish
from codecfake.publishing.selection import Selection


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_runs.write(tmp_path_factory.mktemp("finished") / "run")


@pytest.fixture(scope="session")
def published_clips(finished_run: Path) -> tuple[Clip, ...]:
    """All clips of the run."""
    return tuple(publication.read(finished_run, finished_runs.FACTS, Selection()).clips())


@pytest.fixture(scope="session")
def data_sets(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Form -> a publication of the run."""
    folder = tmp_path_factory.mktemp("data sets")
    for form in FORMS:
        publish(finished_run, finished_runs.FACTS, Selection(), form, folder / form)
    return {form: folder / form for form in FORMS}


@pytest.fixture(scope="session")
def data_set(data_sets: dict[str, Path]) -> Path:
    """In the default form."""
    return data_sets["hf"]


@pytest.fixture(scope="session")
def audio(finished_run: Path) -> dict[str, str]:
    """Clip id -> digest of its samples in the run."""
    return round_trips.audio_of(finished_run)
