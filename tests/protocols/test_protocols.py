"""Protocols and splits: published counts, and the laws a split must keep."""

import numpy as np
import pandas as pd
import pytest
from places import EXPERIMENTS, PUBLISHED

from codecfake.experiment import reading
from codecfake.experiment.schema import Experiment
from codecfake.experiment.sections import Codec, Condition, Domain, Selection, Source
from codecfake.protocols import lists as protocols
from codecfake.protocols import splits
from codecfake.protocols.lists import Split

PUBLISHED_COUNTS = PUBLISHED / "xie2025_counts.tsv"
TRAINING_SOURCES = ["F01", "F02", "F03", "F04", "F05", "F06"]


def table(corpus: str, num_utterances: int, num_speakers: int, key: str = "bonafide") -> pd.DataFrame:
    numbers = np.arange(num_utterances)
    return pd.DataFrame(
        {
            "utterance_id": [f"{corpus}_{number:06d}" for number in numbers],
            "corpus": corpus,
            "speaker_id": [f"{corpus}{number % num_speakers:03d}" for number in numbers],
            "language": "en",
            "key": key,
            "split": None,
            "attack": "-" if key == "bonafide" else "tts",
        }
    )


def codec_experiment(by: str = "utterance", corpora: tuple[str, ...] = ("vctk", "aishell3")) -> Experiment:
    """The paper's plan: six codecs seen in training, the seventh unseen and used for all utterances."""
    sources = {name: Source(quantizers=8) for name in [*TRAINING_SOURCES, "F07"]}
    sources["C3-4"] = Source(same_as="F03")
    domain = Domain(corpora=list(corpora), split=Split(by=by), sources=TRAINING_SOURCES)
    real = Selection(domain="codec")
    conditions = {f"C{n}": Condition(real, Selection(domain="codec", source=f"F0{n}")) for n in range(1, 7)}
    conditions["C7"] = Condition(real, Selection(domain="codec", source="F07", utterances="all"))
    conditions["C3-4"] = Condition(real, Selection(domain="codec", source="C3-4"))
    conditions["A1"] = Condition(Selection(domain="codec", corpora=["vctk"]), Selection(corpus="valle"))
    return Experiment(
        title="test",
        corpora={},
        codecs={"any": Codec(wrapper="dac", weights="trained", sources=sources)},
        domains={"codec": domain},
        conditions=conditions,
        detectors={},
        training_sets={},
        models=[],
    )


class Plan:
    """The protocols of an experiment over tables, without files."""

    def __init__(self, experiment: Experiment, tables: dict[str, pd.DataFrame]) -> None:
        self.experiment = experiment
        self.tables = tables

    def partition(self, domain: str, split: str) -> pd.DataFrame:
        return protocols.partition(self.experiment.partition_settings(domain), self.tables, split)

    def condition(self, name: str) -> pd.DataFrame:
        return protocols.condition(self.experiment.condition_settings(name), self.tables)


@pytest.fixture(scope="module")
def paper() -> Plan:
    tables = {
        "vctk": table("vctk", 44_242, 109),
        "aishell3": table("aishell3", 88_035, 218),
        "valle": table("valle", 4_436, 108, key="spoof"),
    }
    return Plan(codec_experiment(), tables)


@pytest.fixture
def small() -> Plan:
    tables = {
        "vctk": table("vctk", 60, 6),
        "aishell3": table("aishell3", 60, 6),
        "valle": table("valle", 5, 2, "spoof"),
    }
    return Plan(codec_experiment(by="speaker"), tables)


@pytest.fixture(params=["small", pytest.param("paper", marks=pytest.mark.long)])
def plan(request: pytest.FixtureRequest) -> Plan:
    return request.getfixturevalue(request.param)


@pytest.mark.long
def test_counts_at_the_size_of_the_paper_are_the_published_ones(paper: Plan) -> None:
    lists = {split: paper.partition("codec", split) for split in ("train", "dev")}
    lists |= {name: paper.condition(name) for name in ("C1", "C2", "C3", "C4", "C5", "C6", "C7")}
    lists["eval"] = pd.concat([lists[f"C{n}"] for n in range(1, 8)]).drop_duplicates("trial_id")
    for row in pd.read_csv(PUBLISHED_COUNTS, sep="\t").itertuples():
        keys = lists[row.list]["key"].value_counts()
        assert (row.list, keys["bonafide"], keys["spoof"]) == (row.list, row.bonafide, row.spoof)


def test_an_unseen_codec_is_in_no_training_list(plan: Plan) -> None:
    for split in ("train", "dev"):
        assert sorted(set(plan.partition("codec", split)["source"])) == ["F00", *TRAINING_SOURCES]


def test_train_dev_and_eval_share_no_utterance(plan: Plan) -> None:
    train, dev = (set(plan.partition("codec", split)["utterance_id"]) for split in ("train", "dev"))
    eval_utterances = set(plan.condition("C1")["utterance_id"])
    assert not train & dev and not train & eval_utterances and not dev & eval_utterances


def test_an_alias_is_judged_on_the_audio_it_shares(small: Plan) -> None:
    pd.testing.assert_frame_equal(small.condition("C3-4"), small.condition("C3"))


def test_fakes_from_a_folder_are_judged_against_the_chosen_recordings(small: Plan) -> None:
    trials = small.condition("A1")
    assert set(trials.loc[trials["key"] == "bonafide", "corpus"]) == {"vctk"}
    assert set(trials.loc[trials["key"] == "spoof", "corpus"]) == {"valle"}
    assert (trials["key"] == "spoof").sum() == 5


def test_no_speaker_is_in_two_splits_of_a_split_by_speaker() -> None:
    utterances = pd.concat([table("a", 500, 17), table("b", 300, 3)], ignore_index=True)
    split = splits.by_speaker(utterances, dev=0.1, eval=0.1, seed=1)
    assert utterances.assign(split=split).groupby(["corpus", "speaker_id"])["split"].nunique().max() == 1
    assert set(split[utterances["corpus"] == "b"]) == {"train", "dev", "eval"}


@pytest.mark.parametrize("draw", [splits.by_utterance, splits.by_speaker])
def test_a_split_does_not_depend_on_the_order_of_rows(draw, rng: np.random.Generator) -> None:
    utterances = table("a", 200, 20)
    shuffled = utterances.iloc[rng.permutation(len(utterances))]
    expected = dict(zip(utterances["utterance_id"], draw(utterances, 0.1, 0.2, seed=3), strict=True))
    assert dict(zip(shuffled["utterance_id"], draw(shuffled, 0.1, 0.2, seed=3), strict=True)) == expected


@pytest.mark.parametrize("draw", [splits.by_utterance, splits.by_speaker])
def test_another_seed_gives_another_split(draw) -> None:
    utterances = table("a", 200, 20)
    assert not draw(utterances, 0.1, 0.2, seed=1).equals(draw(utterances, 0.1, 0.2, seed=2))


def test_a_corpus_without_published_splits_cannot_be_split_by_corpus() -> None:
    with pytest.raises(splits.SplitError, match="corpus a comes without train, dev and eval"):
        splits.by_corpus(table("a", 10, 5))


def test_a_domain_that_keeps_one_corpus_has_that_part_of_the_same_draw() -> None:
    tables = {name: table(name, 200, 5) for name in ("a", "b")}
    both = protocols.PartitionSettings(["a", "b"], Split(by="utterance"), ["F01"])
    one = protocols.PartitionSettings(["a", "b"], Split(by="utterance"), ["F01"], keep=["a"])
    whole = protocols.partition(both, tables, "train")
    pd.testing.assert_frame_equal(
        protocols.partition(one, tables, "train"), whole[whole["corpus"] == "a"].reset_index(drop=True)
    )


def test_listed_speakers_are_held_out_and_all_others_trained_on() -> None:
    utterances = table("a", 6, 2)
    first, second = sorted(utterances["speaker_id"].unique())[:2]
    split = splits.by_list(utterances, [first], [second])
    assert set(utterances.loc[split == "dev", "speaker_id"]) == {first}
    assert set(utterances.loc[split == "eval", "speaker_id"]) == {second}
    assert (split == "train").sum() == len(utterances) - (utterances["speaker_id"].isin([first, second])).sum()


def test_a_listed_speaker_without_utterances_or_in_two_splits_is_an_error() -> None:
    utterances = table("a", 6, 2)
    speaker = utterances["speaker_id"].iloc[0]
    with pytest.raises(splits.SplitError, match="speaker p999 of the split has no utterance in a"):
        splits.by_list(utterances, ["p999"], [speaker])
    with pytest.raises(splits.SplitError, match=f"speaker {speaker} is in dev_speakers and in eval_speakers"):
        splits.by_list(utterances, [speaker], [speaker])


def test_too_few_speakers_for_a_split_by_speaker_are_an_error() -> None:
    with pytest.raises(splits.SplitError, match="corpus a has 2 speakers"):
        splits.by_speaker(table("a", 10, 2), 0.1, 0.1, seed=1)


def test_the_same_utterance_id_in_two_corpora_is_an_error() -> None:
    same = table("vctk", 60, 6).assign(corpus="aishell3")
    tables = {"vctk": table("vctk", 60, 6), "aishell3": same, "valle": table("valle", 5, 2, "spoof")}
    with pytest.raises(protocols.ProtocolError, match="appears twice"):
        Plan(codec_experiment(), tables).partition("codec", "train")


@pytest.mark.parametrize("name", ["demo", "xie2025", "real-small"])
def test_the_experiments_that_are_shipped_are_valid(name: str) -> None:
    assert reading.load(EXPERIMENTS / f"{name}.yaml").conditions


def test_trials_of_corpora_with_and_without_codings_have_one_column_of_them() -> None:
    coded = table("coded", 2, 2, key="spoof").assign(coding=["alaw", "opus"])
    settings = protocols.ConditionSettings(protocols.Side(["plain"]), protocols.Side(["coded"]))
    trials = protocols.condition(settings, {"plain": table("plain", 2, 2), "coded": coded})
    assert tuple(trials.columns) == (*protocols.COLUMNS, "coding")
    assert trials["coding"].tolist() == ["-", "-", "alaw", "opus"]
    spoofs = {"plain": table("plain", 2, 2), "coded": coded.drop(columns="coding")}
    assert tuple(protocols.condition(settings, spoofs).columns) == protocols.COLUMNS


def degraded_condition(source: str) -> pd.DataFrame:
    """A step of a ladder over recordings and published spoofs."""
    rows = pd.concat(
        [table("vctk", 8, 4), table("vctk", 8, 4, "spoof").assign(utterance_id=lambda t: "s" + t.index.astype(str))]
    )
    side = protocols.Side(["vctk"], source="F00+noise_20", utterances="all")
    spoof = protocols.Side(["vctk"], source=source, utterances="all")
    return protocols.condition(protocols.ConditionSettings(side, spoof), {"vctk": rows})


def test_degraded_recordings_keep_their_keys_and_attacks() -> None:
    trials = degraded_condition("F00+noise_20")
    assert set(trials["source"]) == {"F00+noise_20"}
    assert trials.groupby("key")["attack"].unique().map(list).to_dict() == {"bonafide": ["-"], "spoof": ["tts"]}
    assert trials["trial_id"].iloc[0] == "F00+noise_20_vctk_000000"


def test_degraded_fakes_are_spoofs_of_the_plain_attack() -> None:
    spoof = degraded_condition("F01+noise_20").query("key == 'spoof'")
    assert list(spoof["utterance_id"]) == [f"vctk_{number:06d}" for number in range(8)]
    assert set(spoof["attack"]) == {"F01"}
    assert spoof["trial_id"].iloc[0] == "F01+noise_20_vctk_000000"
