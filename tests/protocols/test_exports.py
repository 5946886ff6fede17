"""Exported lists: their forms, and names that are one word each, one to one, and those of the exported files."""

from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codecfake.audio.export import export
from codecfake.audio.shards import Provenance, ShardWriter
from codecfake.base import files
from codecfake.base.exported_names import exported_name
from codecfake.protocols import exports, lists
from codecfake.verification.single import EerSettings, answer

TRIALS = pd.DataFrame(
    [
        ("p225", "p225_001", "p225_001", "F00", "bonafide", "vctk", "en", "-"),
        ("p225", "F01_p225_001", "p225_001", "F01", "spoof", "vctk", "en", "F01"),
    ],
    columns=list(lists.COLUMNS),
)
# what a corpus may have: no control characters, no line or paragraph separators, no halves of surrogate pairs
NAMES = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="/"), min_size=1, max_size=9
)
ODD_IDS = [
    "a b",
    "a_b",
    "a%20b",
    "a  b",
    "a\u3000b",
    "a\u00a0b",
    'a"b',
    "#1",
    "\ufeffc",
    "%",
    "%%41",
    "100%",
    "-rf",
    "é",
]


def trials_of(ids: list[str], speakers: list[str] | None = None) -> pd.DataFrame:
    """A bona fide trial and a spoof of each id."""
    rows = pd.DataFrame({"utterance_id": ids, "speaker_id": speakers or ids, "corpus": "mine", "language": "en"})
    return pd.concat(
        [
            rows.assign(trial_id=rows["utterance_id"], source="F00", key="bonafide", attack="-"),
            rows.assign(trial_id="F01_" + rows["utterance_id"], source="F01", key="spoof", attack="my codec"),
        ],
        ignore_index=True,
    )[list(lists.COLUMNS)]


def columns(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_exports_are_the_asvspoof_and_the_published_form() -> None:
    assert exports.asvspoof2019(TRIALS) == "p225 p225_001 - - bonafide\np225 F01_p225_001 - F01 spoof\n"
    assert exports.published(TRIALS) == "p225_001.flac real F00\nF01_p225_001.flac fake F01\n"
    assert exports.replacements(TRIALS).empty


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=9, unique=True))
@example(ODD_IDS)
def test_lists_of_any_ids_have_their_columns_and_one_name_for_each_trial(ids: list[str]) -> None:
    trials = trials_of(ids)
    for text, place, suffix in ((exports.asvspoof2019(trials), 1, ""), (exports.published(trials), 0, ".flac")):
        assert {len(line) for line in columns(text)} == {5 if place else 3}
        assert [unquote(line[place].removesuffix(suffix)) for line in columns(text)] == list(trials["trial_id"])
    for column in exports.COLUMNS:
        words = exports.words(trials, column)
        assert len(set(words.values())) == len(words)


@settings(deadline=None)
@given(st.text())
def test_a_name_is_given_back_by_decoding(name: str) -> None:
    assert unquote(exported_name(name)) == name


@pytest.mark.parametrize("name", ["p225_001", "F01_p225_001", "100%", "SSB00050001", "a-b.c(1)", "étude"])
def test_a_readable_name_stays_as_it_is(name: str) -> None:
    assert exported_name(name) == name


def test_blanks_in_names_of_speakers_become_underscores_unless_two_speakers_become_one() -> None:
    one, two = trials_of(["0"], ["Alec Guinness"]), trials_of(["0", "1"], ["Alec Guinness", "Alec_Guinness"])
    assert exports.asvspoof2019(one).splitlines()[0] == "Alec_Guinness 0 - - bonafide"
    assert [line[0] for line in columns(exports.asvspoof2019(two))[:2]] == ["Alec%20Guinness", "Alec_Guinness"]


def test_replaced_names_have_a_map_beside_the_lists(tmp_path: Path) -> None:
    exports.write_exports(tmp_path, "eval/C1", trials_of(["a b", "c"], ["Alec Guinness", "s"]))
    table = files.read_tsv(tmp_path / "names/eval/C1.tsv")
    assert [tuple(row) for row in table.to_numpy()] == [
        ("speaker_id", "Alec Guinness", "Alec_Guinness"),
        ("trial_id", "a b", "a%20b"),
        ("trial_id", "F01_a b", "F01_a%20b"),
        ("attack", "my codec", "my_codec"),
    ]
    exports.write_exports(tmp_path, "eval/C1", TRIALS)
    assert not (tmp_path / "names/eval/C1.tsv").exists()


def test_lists_name_the_files_that_export_writes(tmp_path: Path) -> None:
    trials = trials_of(ODD_IDS)
    for source, prefix in (("F00", ""), ("F01", "F01_")):
        path = tmp_path / "audio/mine" / source / "0000.tar"
        with ShardWriter(path, prefix, Provenance("none", 0, 0.0, "", "test")) as shard:
            for utterance_id in ODD_IDS:
                shard.add(utterance_id, np.zeros(160), 16_000)
    assert export(tmp_path / "audio", tmp_path / "loose") == len(trials)
    exported = {path.name for path in (tmp_path / "loose").rglob("*.flac")}
    assert exported == {line[0] for line in columns(exports.published(trials))}
    assert exported == {f"{line[1]}.flac" for line in columns(exports.asvspoof2019(trials))}


@pytest.mark.parametrize("form", [exports.asvspoof2019, exports.published])
def test_our_own_readers_read_the_lists_of_odd_ids(tmp_path: Path, form) -> None:
    trials = trials_of(ODD_IDS)
    (tmp_path / "C1.txt").write_text(form(trials), encoding="utf-8")
    rows = zip(trials["trial_id"].map(exported_name), trials["key"] == "bonafide", strict=True)
    scores = "".join(f"{name} {float(is_bonafide)}\n" for name, is_bonafide in rows)
    (tmp_path / "scores.txt").write_text(scores, encoding="utf-8")
    rate = answer(tmp_path / "scores.txt", [tmp_path / "C1.txt"], None, EerSettings(resamples=0)).rate
    assert (rate.num_bonafide, rate.num_spoof, rate.percent) == (len(ODD_IDS), len(ODD_IDS), 0)
