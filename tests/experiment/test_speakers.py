"""`speakers_of` in an experiment: whose speakers the ids of a corpus, or of a condition, name."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from places import PUBLISHED, ROOT

from codecfake.base.validation import ConfigurationError
from codecfake.experiment import reading
from codecfake.experiment.jobs import Jobs
from codecfake.experiment.papers import Papers
from codecfake.experiment.schema import Experiment
from codecfake.tables.published import Published

TINY = yaml.safe_load((ROOT / "experiments/tiny.yaml").read_text(encoding="utf-8"))
OTHERS = {"layout": "listed", "options": {"key": "spoof", "language": "en"}}
CONDITION = {"bonafide": {"domain": "codec"}, "spoof": {"corpus": "others"}}


def load(folder: Path, corpora: dict[str, Any], condition: dict[str, Any]) -> Experiment:
    """The experiment `tiny` with changes to its corpora, another corpus and a condition on it."""
    values = copy.deepcopy(TINY)
    for name, changes in {"others": OTHERS, **corpora}.items():
        values["corpora"][name] = {**values["corpora"].get(name, OTHERS), **changes}
    values["conditions"]["X"] = {**CONDITION, **condition}
    path = folder / "experiment.yaml"
    path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    return reading.load(path)


def jobs_of(experiment: Experiment) -> Jobs:
    return Jobs(experiment, Papers(experiment, Published(PUBLISHED)), {})


@pytest.mark.parametrize(
    ("corpora", "condition", "message"),
    [
        ({"others": {"speakers_of": "englsh"}}, {}, "corpora.others.speakers_of: unknown corpus 'englsh'; did"),
        ({"others": {"speakers_of": "others"}}, {}, "'others' leads back to 'others'; .* write `own`"),
        (
            {"others": {"speakers_of": "english"}, "english": {"speakers_of": "others"}}, {},
            "corpora.others.speakers_of: 'english' leads back to 'others'",
        ),
        ({}, {"speakers_of": "vctk"}, "conditions.X.speakers_of: unknown corpus 'vctk'; choose from own, english"),
        ({"others": {"speakers_of": "own"}, "own": {}}, {}, "`own` stands for .* but a corpus has this name"),
        ({}, {"speakers_of": "own", "spoof": {"domain": "codec", "source": "P00"}}, "X.speakers_of: .* no `corpus`"),
    ],
)  # fmt: skip
def test_a_wrong_owner_of_speakers_is_named(
    tmp_path: Path, corpora: dict[str, Any], condition: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load(tmp_path, corpora, condition)


def test_every_job_that_names_people_knows_whose_speakers_the_ids_are(tmp_path: Path) -> None:
    jobs = jobs_of(load(tmp_path, {"others": {"speakers_of": "own"}}, {}))
    own = {"others": "own"}
    assert jobs.write_partition("codec").settings.speakers_of == own
    assert jobs.write_condition("X").settings.speakers_of == own
    assert jobs.audit().settings.speakers_of == own
    assert jobs.tabulate().settings.speakers_of["X"] == own


def test_a_condition_can_say_whose_the_speakers_of_its_own_corpora_are(tmp_path: Path) -> None:
    jobs = jobs_of(load(tmp_path, {"others": {"speakers_of": "own"}}, {"speakers_of": "english"}))
    assert jobs.audit().settings.conditions["X"].speakers_of == {"others": "english"}
    assert jobs.tabulate().settings.speakers_of["X"] == {"others": "english"}
    assert jobs.audit().settings.speakers_of == {"others": "own"}


def test_an_experiment_without_owners_has_the_jobs_that_it_always_had(tmp_path: Path) -> None:
    jobs = jobs_of(load(tmp_path, {}, {}))
    texts = [
        jobs.write_partition("codec").text,
        jobs.write_condition("X").text,
        jobs.audit().text,
        jobs.tabulate().text,
    ]
    assert not [text for text in texts if "speakers_of" in text]
