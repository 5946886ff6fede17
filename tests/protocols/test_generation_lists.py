"""Generation lists: counts at full size, and the laws of prompts and seeds."""

from functools import cache
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from codecfake.protocols.generation_lists import (
    COLUMNS,
    NO_TEXT,
    CaptionTables,
    GenerationList,
    GenerationListSettings,
    generation_list,
)
from codecfake.protocols.lists import ProtocolError, Side, Split
from codecfake.protocols.prompts import PromptRule, seed_of

DRAW = Split(by="utterance", dev=0.1, eval=0.1, seed=1)
RATE = 48_000


@cache
def vctk(num_utterances: int = 44_242, num_speakers: int = 109, mute: str = "p315") -> pd.DataFrame:
    """A table of VCTK's size; speaker `mute` has no transcripts, as p315."""
    numbers = np.arange(num_utterances)
    speakers = pd.Series([f"p{225 + number % num_speakers}" for number in numbers])
    ids = speakers + "_" + pd.Series([f"{number // num_speakers:03d}" for number in numbers])
    texts = pd.Series([f"Sentence {number // num_speakers}, spoken by many." for number in numbers], dtype=object)
    return utterances(
        "vctk", ids, speakers, texts.where(speakers != mute, None), 2 + numbers // num_speakers % 100 / 10
    )


def utterances(corpus: str, ids: Any, speakers: Any, texts: Any, seconds: Any) -> pd.DataFrame:
    samples = (np.asarray(seconds) * RATE).astype(int)
    columns = {"utterance_id": ids, "corpus": corpus, "speaker_id": speakers, "language": "en", "text": texts}
    table = pd.DataFrame({**columns, "key": "bonafide", "split": None, "attack": "-"})
    return table.assign(path=table["utterance_id"] + ".flac", sample_rate=RATE, num_samples=samples)


@cache
def aishell3() -> pd.DataFrame:
    numbers = np.arange(88_035)
    ids, speakers = [f"SSB{number:08d}" for number in numbers], [f"SSB{number % 218:04d}" for number in numbers]
    return utterances("aishell3", ids, speakers, "你好", np.full(len(numbers), 3.5))


def list_of(tables: dict[str, pd.DataFrame], split: Split | None = DRAW, **changes: Any) -> GenerationList:
    """The list of what the eval trials of vctk say."""
    side = Side(list(tables), split, ["vctk"])
    values: dict[str, Any] = {"prompts": PromptRule(), "prefix": "A1_", "num_shards": 4, "texts": side, **changes}
    return generation_list(GenerationListSettings("valle", **values), tables, None)


def few(*rows: tuple[str, str | None, float]) -> dict[str, pd.DataFrame]:
    """Recordings of speaker p1: id, text, seconds."""
    ids, texts, seconds = zip(*rows, strict=True)
    return {"vctk": utterances("vctk", ids, "p1", pd.Series(texts, dtype=object), seconds)}


def numbers(result: GenerationList) -> dict[str, int]:
    return dict(zip(result.counts["what"], result.counts["number"], strict=True))


@pytest.fixture(scope="module")
def full() -> GenerationList:
    before = process_time()
    result = list_of({"vctk": vctk()}, published=4436)
    print(f"list of xie2025's A1: {process_time() - before:.1f} s")
    return result


def test_the_eval_draw_of_xie2025_gives_a_list_of_the_published_size(full: GenerationList) -> None:
    counts = numbers(full)
    assert counts["texts"] == counts["no text"] + counts["listed"]
    assert 4300 < counts["texts"] < 4550  # VCTK's share of 13,228, drawn at random; 4,451 in the paper
    assert counts["published"] == 4436
    assert not full.items["speaker_id"].eq("p315").any()
    assert set(full.rejected["reason"]) == {NO_TEXT}
    assert full.rejected["path"].str.startswith("vctk/p315_").all()


@pytest.mark.long
def test_the_draw_from_both_corpora_has_as_many_texts_of_vctk() -> None:
    counts = numbers(list_of({"vctk": vctk(), "aishell3": aishell3()}))
    assert 4300 < counts["texts"] < 4550 and counts["listed"] > 4200


def test_every_prompt_is_another_recording_of_the_speaker_that_says_something_else(full: GenerationList) -> None:
    items, pool = full.items, vctk().set_index("utterance_id")
    prompt = pool.loc[items["prompt_id"]]
    assert (prompt["speaker_id"].to_numpy() == items["speaker_id"].to_numpy()).all()
    assert (items["prompt_id"] != items["utterance_id"]).all()
    assert (items["prompt_text"] != items["text"]).all()
    assert (prompt["text"].to_numpy() == items["prompt_text"].to_numpy()).all()
    assert (prompt["num_samples"] / RATE).between(3, 10).all()


def test_trials_have_the_prefix_and_seeds_of_their_own(full: GenerationList) -> None:
    assert tuple(full.items.columns) == COLUMNS
    assert (full.items["trial_id"] == "A1_" + full.items["utterance_id"]).all()
    assert full.items["trial_id"].is_monotonic_increasing
    assert full.items["seed"].between(0, 2**31 - 1).all()
    assert full.items["seed"].nunique() > 0.999 * len(full.items)


def test_wu2024_lists_the_755_utterances_of_its_eval_speakers() -> None:
    table = vctk()
    own = table[table["speaker_id"].isin(["p227", "p228"])].iloc[:755]
    table = pd.concat([table[~table["speaker_id"].isin(["p227", "p228"])], own], ignore_index=True)
    split = Split(by="listed", dev_speakers=["p226", "p229"], eval_speakers=["p227", "p228"])
    result = list_of({"vctk": table}, split)
    assert numbers(result) == {"texts": 755, "listed": 755}


def test_all_captions_of_the_training_table_are_listed_whether_or_not_they_have_recordings() -> None:
    rows = [(f"Y{number}", f"A dog barks {number} times", "train.csv", "en") for number in range(49_838)]
    rows += [("Yval", "A bell rings", "val.csv", "en")]
    captions = pd.DataFrame(rows, columns=["utterance_id", "text", "table", "language"])
    settings = GenerationListSettings(
        "audiogen", 64, captions=CaptionTables("audiocaps", ("train.csv",)), prefix="A3_", published=49_838
    )
    result = generation_list(settings, {}, captions)
    assert numbers(result) == {"texts": 49_838, "listed": 49_838, "published": 49_838}
    assert set(result.items["prompt_id"]) == {""}


def test_more_speakers_change_no_prompt_and_no_seed_of_the_others() -> None:
    small, large = vctk(600, 6), vctk(600, 6)
    others = vctk(600, 6).assign(
        speaker_id=lambda t: "x" + t["speaker_id"], utterance_id=lambda t: "x" + t["utterance_id"]
    )
    large = pd.concat([others, large], ignore_index=True)
    columns = ["trial_id", "prompt_id", "seed"]
    before = list_of({"vctk": small}, None).items[columns]
    after = list_of({"vctk": large}, None).items[columns]
    assert before.equals(after[~after["trial_id"].str.contains("x")].reset_index(drop=True))


def test_the_order_of_rows_changes_nothing() -> None:
    table = vctk(300, 3)
    assert list_of({"vctk": table}, None).items.equals(list_of({"vctk": table[::-1]}, None).items)


def test_another_seed_gives_other_prompts_and_seeds() -> None:
    table = {"vctk": vctk(300, 3)}
    one, two = (list_of(table, None, seed=seed).items for seed in (1, 2))
    assert (one["prompt_id"] != two["prompt_id"]).mean() > 0.9
    assert (one["seed"] != two["seed"]).all()


def test_prompts_are_spread_over_the_recordings_of_a_speaker() -> None:
    items = list_of({"vctk": vctk(300, 3)}, None).items
    assert items["prompt_id"].value_counts().max() < 12  # of 300 draws from about 80 candidates each


def test_the_bounds_of_durations_are_included() -> None:
    tables = few(("p1_1", "One", 3.0), ("p1_2", "Two", 10.0))
    items = list_of(tables, None, num_shards=1).items
    assert list(items["prompt_id"]) == ["p1_2", "p1_1"]


def test_a_text_without_a_fitting_prompt_is_left_out_with_the_reason() -> None:
    tables = few(("p1_1", "One", 3.0), ("p1_2", "ONE.", 5.0), ("p1_3", "Two", 2.9), ("p1_4", None, 5.0))
    result = list_of(tables, None, num_shards=1)
    assert list(result.items["trial_id"]) == ["A1_p1_3"]  # the others have the same words, are short, or say nothing
    reasons = dict(zip(result.rejected["path"], result.rejected["reason"], strict=True))
    assert reasons["vctk/p1_1"] == (
        "no prompt: no other recording of vctk/p1 is one with a transcript and of 3 to 10 s"
    )
    assert reasons["vctk/p1_4"] == NO_TEXT


def test_prompts_can_be_kept_to_the_eval_trials() -> None:
    tables = {"vctk": vctk(3000, 6)}
    trials = set(list_of(tables).items["utterance_id"])
    anywhere = list_of(tables).items["prompt_id"]
    within = list_of(tables, prompts=PromptRule(utterances="eval")).items["prompt_id"]
    assert not set(anywhere) <= trials
    assert set(within) <= trials


def test_too_few_texts_are_one_clear_line() -> None:
    tables = few(("p1_1", "One", 3.0), ("p1_2", None, 5.0), ("p1_3", None, 5.0))
    with pytest.raises(ProtocolError, match=r"valle: 0 texts cannot fill 1 shards; of the 3 .* 2 have: no text"):
        list_of(tables, None, num_shards=1)


def test_a_missing_table_of_captions_is_named() -> None:
    captions = pd.DataFrame([("Y1", "A dog", "val.csv", "en")], columns=["utterance_id", "text", "table", "language"])
    settings = GenerationListSettings("audiogen", 1, captions=CaptionTables("audiocaps", ("train.csv",)))
    with pytest.raises(ProtocolError, match="audiocaps has no table train.csv, only val.csv"):
        generation_list(settings, {}, captions)


def test_a_list_has_either_texts_or_captions() -> None:
    with pytest.raises(ValueError, match="either texts or captions"):
        GenerationListSettings("valle", 1)


def test_a_prompt_rule_has_its_bounds_in_order() -> None:
    with pytest.raises(ValueError, match="exchange them"):
        PromptRule(least=5, most=3)


def test_a_seed_depends_on_all_names() -> None:
    assert len({seed_of(1, "a"), seed_of(2, "a"), seed_of(1, "b"), seed_of(1, "a", "b")}) == 4
