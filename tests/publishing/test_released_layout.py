"""The form `xie2025` is the released Codecfake: the layout of corpora and the released code read it."""

import shutil
from dataclasses import replace
from pathlib import Path

import finished_runs
import pandas as pd
import pytest
from finished_runs import FACTS
from round_trips import CONDITIONS, audio_of, digests, is_part_of, of_run, protocol, utterances

from codecfake.publishing import publication
from codecfake.publishing.clips import PublishingError
from codecfake.publishing.forms import xie2025
from codecfake.publishing.publish import publish
from codecfake.publishing.selection import Selection

Released = tuple[Path, Path, dict[str, str]]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    """A run on speech with the names of VCTK and AISHELL-3, its publication, and the digests of its audio."""
    folder = tmp_path_factory.mktemp("released")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finished_runs, "SPEAKER", {"english": "p{:03d}", "mandarin": "SSB{:04d}"})
        patch.setattr(finished_runs, "UTTERANCE", {"english": "{}_{:03d}", "mandarin": "{}{:04d}"})
        run = finished_runs.write(folder / "run")
    publish(run, FACTS, Selection(), "xie2025", folder / "to")
    return run, folder / "to", audio_of(run)


@pytest.mark.parametrize("name", ["train", "dev", *CONDITIONS])
def test_a_list_of_the_released_layout_is_a_protocol_of_the_run(name: str, released: Released) -> None:
    run, root, audio = released
    table = utterances(root, "codecfake", {"lists": [name]})
    table["attack"] = table["attack"].str.removeprefix("Codecfake-")
    split, of = (name, f"codec/{name}") if name in ("train", "dev") else ("eval", f"eval/{name}")
    pd.testing.assert_frame_equal(protocol(table, split), of_run(run, [of]))
    assert is_part_of(digests(root, table), audio)
    assert set(table["language"]) == {"en", "zh"}


def test_the_released_code_finds_every_file_of_every_list(released: Released) -> None:
    """It splits a line of `label/{list}.txt` into three words, and opens `{list}/{first word}`."""
    for path in (released[1] / "label").iterdir():
        for line in path.read_text(encoding="utf-8").splitlines():
            file, label, number = line.split()
            assert (released[1] / path.stem / file).read_bytes().startswith(b"RIFF")
            assert (label, number) == ("real", "0") or (label == "fake" and number in ("1", "P00"))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_fakes_of_a1_to_a3_are_named_l1_to_l3(number: int, finished_run: Path) -> None:
    some = next(publication.read(finished_run, FACTS, Selection(sources=("F01",))).clips())
    clip = replace(some, clip_id=f"A{number}_p225_001")
    assert xie2025.file_name(clip, f"A{number}") == f"L{number}_p225_001.wav"
    assert xie2025.clip_id_of(f"L{number}_p225_001", f"A{number}") == clip.clip_id
    assert xie2025.file_name(clip, "C1") == f"A{number}_p225_001.wav"


def test_two_sets_of_training_data_are_refused_by_the_released_layout(finished_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished_run, tmp_path / "run")
    shutil.copytree(run / "results/protocols/codec", run / "results/protocols/other")
    with pytest.raises(PublishingError, match="one set of training data, but there are codec, other; choose"):
        publish(run, FACTS, Selection(), "xie2025", tmp_path / "to")
    assert not (tmp_path / "to").exists()
    publish(run, FACTS, Selection(parts=("codec", "C1")), "xie2025", tmp_path / "to")
    assert {path.stem for path in (tmp_path / "to/label").iterdir()} == {"train", "dev", "C1"}
