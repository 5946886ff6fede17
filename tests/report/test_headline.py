"""The headline says what the intervals show, for every kind of experiment, in plain English."""

from collections.abc import Mapping

import pytest

from codecfake.report.answer import Cell, Column, EerTable, Interval, Row
from codecfake.report.contrast import contrast_of
from codecfake.report.exposure import IN_TRAINING, NEVER, OTHER_SETTINGS, Exposure, Spoofs
from codecfake.report.headline import headline
from codecfake.report.matrix import labels_of, matrix
from codecfake.report.means import FEWER, MORE, NO_DIFFERENCE, compare, mean_of
from codecfake.report.notes import control_notes

CODEC_OF = {"F01": "soundstream", "F02": "encodec", "F02b": "encodec", "F07": "dac"}
CONDITIONS = {"C1": "F01", "C2": "F02", "C7": "F07", "19LA": "A07"}
C1_C2 = {"C1-C2": ["C1", "C2"]}


def spoofs(*attacks: str) -> Spoofs:
    coded = frozenset(attacks) & CODEC_OF.keys()
    return Spoofs(frozenset(attacks), frozenset(CODEC_OF[name] for name in coded), frozenset(attacks) - coded)


VOCODER, CODEC, BOTH = spoofs("A01"), spoofs("F01", "F02"), spoofs("A01", "F01", "F02")


def exposure_of(conditions: Mapping[str, str] = CONDITIONS, **trained: Spoofs) -> Exposure:
    return Exposure(trained, {name: spoofs(attack) for name, attack in conditions.items()})


def cell(eer: float, half: float = 2.0, note: str = "") -> Cell:
    return Cell(eer, None, 1, Interval(max(0.0, eer - half), eer + half, 0.95, "bootstrap", note))


def table(
    training_set: str,
    eers: Mapping[str, float],
    detectors: tuple[str, ...] = ("lcnn", "aasist"),
    random: tuple[str, ...] = (),
    half: float = 2.0,
    note: str = "",
    strategy: str = "erm",
) -> EerTable:
    """Every detector has the same EERs, except that random ones are at chance."""
    columns = [Column(name, (name,), False, "100", "100", "1", "6", 1) for name in eers]
    rows = [
        Row(name, name in random, [cell(50.0 if name in random else eer, half, note) for eer in eers.values()])
        for name in detectors
    ]
    return EerTable(training_set, strategy, [1], columns, rows)


def sentence(tables: list[EerTable], exposure: Exposure, averages: dict[str, list[str]] | None = None) -> str:
    compared = contrast_of(tables, exposure, averages or C1_C2)
    return headline(compared, exposure, tables).replace("\u00a0", " ")


def eers(c1: float, c2: float, c7: float, la: float = 5.0) -> dict[str, float]:
    return {"C1": c1, "C2": c2, "C7": c7, "19LA": la}


TWO = exposure_of(vocoder=VOCODER, codec=CODEC)


def test_training_on_codec_fakes_helps_and_helps_on_a_new_codec() -> None:
    tables = [table("vocoder", eers(40, 42.4, 45)), table("codec", eers(3, 3.8, 9.8))]

    assert sentence(tables, TWO) == (
        "Detectors trained on vocoder fakes miss many codec fakes (EER 41.2 % on average over C1-C2); trained on codec "
        "fakes, they miss fewer (3.4 %), also on C7, a codec they never saw (9.8 % instead of 45.0 %)."
    )


def test_what_does_not_carry_over_to_a_new_codec_is_said() -> None:
    vocoder = table("vocoder", eers(40, 42.4, 30))

    assert sentence([vocoder, table("codec", eers(3, 3.8, 29))], TWO).endswith(
        "they miss fewer (3.4 %), but the intervals show no difference on C7, a codec they never saw "
        "(30.0 % and 29.0 %)."
    )
    assert sentence([vocoder, table("codec", eers(3, 3.8, 60))], TWO).endswith(
        "; on C7, a codec they never saw, training on codec fakes gives more errors (60.0 % instead of 30.0 %)."
    )


def test_overlapping_intervals_show_no_difference() -> None:
    tables = [table("vocoder", eers(4, 4, 4)), table("codec", eers(3, 3, 3))]

    assert sentence(tables, TWO) == (
        "The intervals show no difference between training detectors on vocoder fakes and on codec fakes: on codec "
        "fakes, the EERs are 4.0 % and 3.0 % on average over C1-C2, and 4.0 % and 3.0 % on C7, a codec they never saw."
    )


def test_a_difference_on_a_new_codec_alone_is_said() -> None:
    tables = [table("vocoder", eers(4, 4, 20)), table("codec", eers(3, 3, 3))]

    assert sentence(tables, TWO).endswith(
        "; on C7, a codec they never saw, training on codec fakes gives fewer errors (3.0 % instead of 20.0 %)."
    )


def test_better_training_on_vocoder_fakes_is_said() -> None:
    tables = [table("vocoder", eers(2, 2, 2)), table("codec", eers(20, 20, 20))]

    assert sentence(tables, TWO) == (
        "Detectors trained on vocoder fakes miss fewer codec fakes (EER 2.0 % on average over C1-C2) than those "
        "trained on codec fakes (20.0 %), also on C7, a codec they never saw (2.0 % and 20.0 %)."
    )


@pytest.mark.parametrize(
    ("eer", "words"),
    [
        (70, "do worse than chance on codec fakes"),
        (49, "are not measurably better than chance on codec fakes"),
        (40, "miss many codec fakes"),
        (10, "miss more codec fakes"),
    ],
)
def test_how_much_is_missed_follows_from_the_interval(eer: float, words: str) -> None:
    tables = [table("vocoder", eers(eer, eer, eer)), table("codec", eers(1, 1, 1))]

    assert f"Detectors trained on vocoder fakes {words} (EER {eer}.0 %" in sentence(tables, TWO)


def test_a_claim_from_few_speakers_says_how_few() -> None:
    few = "few clusters (6)"
    tables = [table("vocoder", eers(40, 40, 40), note=few), table("codec", eers(1, 1, 1), note=few)]

    assert sentence(tables, TWO).endswith(" (1.0 % instead of 40.0 %), as far as 6 speakers can show.")


def test_without_intervals_nothing_is_claimed() -> None:
    def bare(one: EerTable) -> EerTable:
        rows = [Row(row.detector, False, [Cell(c.eer, None, 1) for c in row.cells]) for row in one.rows]
        return EerTable(one.training_set, one.strategy, one.seeds, one.columns, rows)

    tables = [bare(table("vocoder", eers(40, 40, 40))), bare(table("codec", eers(1, 1, 1)))]

    assert sentence(tables, TWO).startswith("The intervals show no difference between")


def test_random_front_ends_do_not_count_and_one_detector_is_named() -> None:
    random = ("lcnn", "w2v2"), ("w2v2",)
    tables = [table("vocoder", eers(40, 40, 40), *random), table("codec", eers(1, 1, 1), *random)]

    assert sentence(tables, TWO) == (
        "lcnn trained on vocoder fakes misses many codec fakes (EER 40.0 % on average over C1-C2); trained on codec "
        "fakes, it misses fewer (1.0 %), also on C7, a codec it never saw (1.0 % instead of 40.0 %)."
    )


def test_random_front_ends_alone_are_called_so() -> None:
    random = ("w2v2", "wavlm"), ("w2v2", "wavlm")
    tables = [table("vocoder", eers(50, 50, 50), *random), table("codec", eers(50, 50, 50), *random)]

    assert "between training detectors with random front-ends on vocoder fakes" in sentence(tables, TWO)


def test_only_detectors_of_both_training_sets_are_compared() -> None:
    tables = [table("vocoder", eers(40, 40, 40)), table("codec", eers(1, 1, 1), ("lcnn",))]

    assert sentence(tables, TWO).startswith("lcnn trained on vocoder fakes misses many")


def test_one_training_set_is_compared_on_known_and_new_codecs() -> None:
    exposure = exposure_of(codec=CODEC)

    assert sentence([table("codec", eers(1, 1, 20))], exposure) == (
        "Detectors trained on codec fakes miss more fakes of C7, a codec they never saw (EER 20.0 %), than of codecs "
        "in the training data (1.0 % on average over C1-C2)."
    )
    assert sentence([table("codec", eers(1, 1, 2))], exposure) == (
        "Detectors trained on codec fakes have an EER of 1.0 % on average over C1-C2, codecs in the training data; the "
        "intervals show no difference to C7, a codec they never saw (2.0 %)."
    )


def test_one_training_set_without_new_codecs_has_its_mean() -> None:
    exposure = exposure_of({"C1": "F01", "C2": "F02"}, codec=CODEC)

    assert sentence([table("codec", {"C1": 1, "C2": 2}, ("lcnn",))], exposure) == (
        "lcnn trained on codec fakes has an EER of 1.5 % on average over C1-C2, codecs in the training data."
    )


def test_mixed_training_counts_as_training_with_codec_fakes_but_pure_sets_come_first() -> None:
    tables = [table(name, eers(value, value, value)) for name, value in (("co", 9), ("vocoder", 40), ("codec", 1))]
    exposure = exposure_of(co=BOTH, vocoder=VOCODER, codec=CODEC)

    assert "trained on codec fakes, they miss fewer (1.0 %)" in sentence(tables, exposure)
    assert "trained on co fakes, they miss fewer (9.0 %)" in sentence(tables[:2], exposure)


def test_plain_training_comes_before_other_strategies() -> None:
    tables = [table("vocoder", eers(40, 40, 40)), table("codec", eers(1, 1, 1), strategy="sam")]

    tables += [table("codec", eers(8, 8, 8))]

    assert "they miss fewer (8.0 %)" in sentence(tables, TWO)


def test_sets_with_different_codecs_are_averaged_over_known_and_new_codecs() -> None:
    exposure = exposure_of(a=spoofs("F01"), b=spoofs("F07"), asvspoof=VOCODER)
    tables = [table("a", eers(1, 30, 30)), table("b", eers(40, 40, 2)), table("asvspoof", eers(45, 45, 45))]

    # Known: 1 and 2; new: the means of 30 and 30, of 40 and 40.
    assert sentence(tables, exposure) == (
        "Detectors miss more fakes of codecs that are not in the training data: the mean EER is 35.0 %, and 1.5 % on "
        "codecs that are (over 2 training sets); after training on asvspoof fakes it is 45.0 %."
    )
    assert sentence([table("a", eers(1, 1, 1)), table("b", eers(2, 2, 2))], exposure).startswith(
        "The intervals show no difference between codecs in the training data of detectors (mean EER 1.5 %)"
    )


def test_an_experiment_without_codec_fakes_has_the_mean_of_its_first_training_set() -> None:
    exposure = exposure_of({"19LA": "A07", "ITW": "-"}, vocoder=VOCODER)

    assert sentence([table("vocoder", {"19LA": 4, "ITW": 10})], exposure) == (
        "Detectors trained on vocoder have an EER of 7.0 % on average over all 2 conditions."
    )


def test_training_without_codec_fakes_alone_has_its_mean_on_them() -> None:
    exposure = exposure_of(vocoder=VOCODER)

    assert sentence([table("vocoder", eers(40, 42, 50))], exposure) == (
        "Detectors trained on vocoder fakes have an EER of 41.0 % on codec fakes (on average over C1-C2)."
    )


def test_a_codec_at_another_bit_rate_is_not_a_new_codec() -> None:
    exposure = exposure_of(
        {"C2": "F02", "C2-1": "F02b", "C7": "F07", "19LA": "A07"}, codec=spoofs("F02"), vocoder=VOCODER
    )

    assert [exposure.of("codec", name) for name in exposure.evaluated] == [IN_TRAINING, OTHER_SETTINGS, NEVER, NEVER]
    assert exposure.codec_conditions("codec", NEVER) == ("C7",)


def test_conditions_with_the_same_audio_count_once() -> None:
    exposure = exposure_of({"C3": "F01", "C3-3": "F01", "C7": "F07"}, codec=CODEC)

    assert exposure.codec_conditions() == ("C3", "C7")


def test_the_interval_of_a_mean_is_the_mean_of_the_bounds() -> None:
    mean = mean_of([cell(10, 4), cell(20, 2, "few clusters (3)")])

    assert (mean.eer, mean.interval and (mean.interval.low, mean.interval.high)) == (15, (12, 18))
    assert mean.interval is not None
    assert mean.interval.unreliable
    assert mean_of([cell(10), Cell(20, None, 1)]).interval is None


def test_two_eers_differ_if_their_intervals_do_not_overlap() -> None:
    assert compare(cell(10, 2), cell(5, 2)) == MORE
    assert compare(cell(5, 2), cell(10, 2)) == FEWER
    assert compare(cell(8, 2), cell(5, 2)) == NO_DIFFERENCE


def test_every_number_of_the_headline_is_in_the_main_rows_of_the_overview() -> None:
    """Also where no average of the experiment has the conditions that the headline compares."""
    for trained in ({"vocoder": VOCODER, "codec": CODEC}, {"codec": CODEC}, {"codec": CODEC, "b": spoofs("F07")}):
        exposure = exposure_of(**trained)
        tables = [table(name, eers(40 - 7 * n, 33.4 - 9 * n, 6 + n)) for n, name in enumerate(trained)]
        compared = contrast_of(tables, exposure, {"all": list(CONDITIONS)})
        main_rows = matrix(tables, exposure, compared, {"all": list(CONDITIONS)}, {})
        numbers = {one.eer.text for row in main_rows.main_rows for one in row.cells if one.eer is not None}
        words = headline(compared, exposure, tables).replace("\u00a0", " ").split()
        numbers_in_sentence = {words[n].strip("(") for n in range(len(words) - 1) if words[n + 1].startswith("%")}

        assert numbers_in_sentence
        assert numbers_in_sentence <= numbers


RELEASED = table("released", eers(40, 42.4, 45))


def test_released_weights_of_known_training_are_the_baseline() -> None:
    exposure = exposure_of(released=VOCODER, codec=CODEC)

    assert sentence([RELEASED, table("codec", eers(3, 3.8, 9.8))], exposure).startswith(
        "Detectors trained on the authors' data miss many codec fakes (EER 41.2 % on average over C1-C2); "
    )


def test_a_baseline_without_a_common_detector_is_not_compared() -> None:
    exposure = exposure_of(released=VOCODER, codec=CODEC)
    tables = [table("released", eers(40, 42.4, 45), detectors=("sls",)), table("codec", eers(3, 3.8, 9.8))]

    assert sentence(tables, exposure).startswith("Detectors trained on codec fakes miss more fakes of C7")


def test_released_weights_of_unknown_training_claim_nothing_of_new_codecs() -> None:
    exposure = exposure_of(codec=CODEC)
    tables = [RELEASED, table("codec", eers(3, 3.8, 9.8))]

    assert "authors" not in sentence(tables, exposure)
    assert matrix(tables, exposure, contrast_of(tables, exposure, C1_C2), C1_C2, {}).has_unknown
    assert sentence([RELEASED], exposure_of()) == (
        "Detectors with released weights have an EER of 33.1 % on average over all 4 conditions."
    )


# the control, and the labels of columns


@pytest.mark.parametrize(
    ("eer", "end"),
    [
        (50.0, "must be 50 %, and is."),
        (50.5, "must be 50 %, and is, up to one error."),
        (52.0, "must be 50 %, but that of lcnn trained on codec is 52.0 %. The workflow has a fault."),
    ],
)
def test_the_note_on_the_control_says_no_more_than_the_numbers(eer: float, end: str) -> None:
    """An error of the smaller class is one percent here."""
    exposure = exposure_of({"P": "P00"}, codec=CODEC)
    (note,) = control_notes(["P00"], [table("codec", {"P": eer}, detectors=("lcnn",))], exposure)
    assert note.replace("\u00a0", " ").endswith(end)


def test_a_column_is_labeled_with_its_attack_if_that_has_a_name() -> None:
    exposure = Exposure({}, {"A1": spoofs("VALL-E"), "19LA": spoofs("A07", "A08"), "ITW": spoofs("unknown")})
    assert labels_of(exposure, [], []) == {"A1": "VALL-E", "19LA": "no codec", "ITW": "no codec"}
