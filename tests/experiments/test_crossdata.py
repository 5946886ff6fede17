"""The papers' detectors across evaluation sets, of which a machine may have any: the others are left out and named."""

from pathlib import Path

import pytest
from places import ROOT

from codecfake.base.validation import ConfigurationError
from codecfake.corpora import codecfake_wu
from codecfake.experiment import site
from codecfake.experiment.schema import Experiment
from codecfake.experiment.site import Site

TRAINING = ("vctk", "aishell3")


@pytest.fixture(scope="module")
def full() -> Experiment:
    return site.read_without_corpora({"experiment": "crossdata"}, ROOT, optional=True)


def here(folder: Path, *corpora: str) -> Site:
    for name in corpora:
        (folder / name).mkdir()
    return site.read({"experiment": "crossdata", "corpora": {name: str(folder / name) for name in corpora}}, ROOT)


def test_no_evaluation_set_is_trained_on(full: Experiment) -> None:
    assert [domain.corpora for domain in full.domains.values()] == [list(TRAINING)]
    sides = [side for item in full.conditions.values() for side in (item.bonafide, item.spoof)]
    assert all(side.corpus not in (None, *TRAINING) for side in sides)
    assert {side.corpus for side in sides} == set(full.corpora) - set(TRAINING)


def test_the_speakers_that_codecfake_holds_out_are_held_out(full: Experiment) -> None:
    split = full.domains["codec"].split
    held_out = dict.fromkeys(split.dev_speakers, "dev") | dict.fromkeys(split.eval_speakers, "eval")
    assert held_out == codecfake_wu.SPLIT_OF_SPEAKER


def test_one_average_has_all_conditions(full: Experiment) -> None:
    assert {name: set(of) for name, of in full.averages_run().items()} == {"macro": set(full.conditions)}


def test_codecs_make_only_the_fakes_that_are_trained_on(full: Experiment) -> None:
    made = [source for codec in full.codecs_run() for source in full.codecs[codec].generated()]
    assert made == full.domains["codec"].sources


def test_conditions_of_absent_corpora_are_left_out_and_named(tmp_path: Path, full: Experiment) -> None:
    run = here(tmp_path, *TRAINING, "itw").experiment
    assert list(run.conditions) == ["ITW"]
    assert run.averages_run() == {"macro": ["ITW"]}
    assert set(run.not_run) == set(full.conditions) - {"ITW"}
    assert run.not_run["19LA"] == "corpus 19la has no root in config.yaml"


def test_a_machine_without_any_evaluation_set_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a corpus that has no root; add the folder of one of 19la, itw"):
        here(tmp_path, *TRAINING)
    with pytest.raises(ConfigurationError, match="one of 19la, itw.*or plan with all of them: --optional"):
        site.read_without_corpora({"experiment": "crossdata"}, ROOT)


def test_released_detectors_stand_beside_those_that_are_trained(full: Experiment) -> None:
    sets = {name.split("/")[0]: name.split("/")[1] for name in full.model_names()}
    assert sets["aasist"] == "released"
    assert {sets[name] for name in ("mel-lcnn", "w2v2-lcnn", "wavlm-aasist", "w2v2-aasist")} == {"codec"}
