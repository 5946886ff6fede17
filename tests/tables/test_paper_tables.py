"""Our numbers beside the papers': cells found by name, missing ones empty, differences ours − published."""

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import PUBLISHED

from codecfake.audio.shards import Provenance, ShardWriter
from codecfake.base import files
from codecfake.tables import grid
from codecfake.tables.comparisons import comparison_table, pairs_of, write_comparisons
from codecfake.tables.eer_intervals import generator, seed_intervals
from codecfake.tables.error_rates import ErrorRates, TableSettings, evaluate
from codecfake.tables.figures import (
    CROSS_TESTING,
    Results,
    decisions,
    matrix,
    possible_figures,
    write_figures,
    write_spectrograms,
)
from codecfake.tables.papers import OTHER_DATA, side_by_side, write_count_table, write_paper_table
from codecfake.tables.published import Published, PublishedTable
from codecfake.tables.trials import Model, read_trials

W2V2 = [f"w2v2-aasist/{training_set}/erm/seed{seed}" for training_set in ("vocoder", "codec") for seed in (1, 2)]
TRAINED_ON_CODECS = "xie2025_table6"
CONDITIONS = ["C1", "C7", "19LA"]


@pytest.fixture(scope="module")
def published() -> Published:
    return Published(PUBLISHED)


def write_condition(root: Path, condition: str, speakers: int = 12, attacks: int = 1, each: int = 5) -> None:
    number = np.arange(speakers * each)
    ids = [f"b{n}" for n in number] + [f"s{n}" for n in number]
    columns = {
        "trial_id": ids,
        "key": ["bonafide"] * len(number) + ["spoof"] * len(number),
        "corpus": "vctk",
        "speaker_id": [f"p{n % speakers}" for n in number] * 2,
        "attack": ["-"] * len(number) + [f"A{n // speakers % attacks:02d}" for n in number],
    }
    files.write_tsv(root / "protocols/eval" / f"{condition}.tsv", pd.DataFrame(columns))


def write_scores(root: Path, model: str, condition: str, distance: float) -> None:
    """Normal scores; bona fide and spoof means lie `distance` apart."""
    trials = files.read_tsv(root / "protocols/eval" / f"{condition}.tsv")
    rng = generator(3, model, condition)
    scores = rng.normal(size=len(trials)) + distance * (trials["key"] == "bonafide")
    table = pd.DataFrame({"trial_id": trials["trial_id"], "score": scores})
    files.write_tsv(root / "scores" / model / f"{condition}.tsv", table)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two training sets of two seeds under three conditions, of which 19LA pools attacks."""
    root = tmp_path_factory.mktemp("run")
    for condition in CONDITIONS:
        write_condition(root, condition, attacks=3 if condition == "19LA" else 1)
        for model in W2V2:
            write_scores(root, model, condition, 4.0 if "codec" in model else 0.5)
    return root


def settings(models: list[str] = W2V2, conditions: list[str] = CONDITIONS) -> TableSettings:
    return TableSettings(models, conditions, resamples=50)


def error_rates_of(run: Path, models: list[str] = W2V2, conditions: list[str] = CONDITIONS) -> ErrorRates:
    return evaluate(run / "scores", run / "protocols/eval", settings(models, conditions))


@pytest.fixture(scope="module")
def error_rates(run: Path) -> ErrorRates:
    return error_rates_of(run)


def row_of(cells: pd.DataFrame, detector: str = "W2V2-AASIST") -> pd.DataFrame:
    return cells[cells["detector"] == detector].set_index("condition")


def test_an_interval_holds_its_estimate_and_says_what_was_drawn(error_rates: ErrorRates) -> None:
    assert (error_rates.models["eer_low_percent"] <= error_rates.models["eer_percent"]).all()
    assert (error_rates.models["eer_percent"] <= error_rates.models["eer_high_percent"]).all()
    method = error_rates.models.query("training_set == 'vocoder'").set_index("condition")["interval_method"]
    assert method["C1"].str.startswith("bootstrap by speaker,").all()
    assert method["19LA"].str.startswith("bootstrap by speaker_and_attack,").all()
    assert set(error_rates.models["num_speakers"]) == {12}


def test_the_mean_over_seeds_is_theirs_and_so_is_the_spread(error_rates: ErrorRates) -> None:
    one, two = error_rates.models.query("training_set == 'vocoder' and condition == 'C1'")["eer_percent"]

    mean = error_rates.seeds.query("training_set == 'vocoder' and condition == 'C1'").iloc[0]

    assert mean["num_seeds"] == 2
    assert mean["eer_percent"] == pytest.approx((one + two) / 2)
    assert mean["eer_std_percent"] == pytest.approx(abs(one - two) / math.sqrt(2))
    assert mean["eer_low_percent"] < mean["eer_percent"] < mean["eer_high_percent"]


def test_another_model_or_condition_changes_no_number(run: Path, error_rates: ErrorRates) -> None:
    alone = error_rates_of(run, W2V2[:2], ["C7"]).models

    together = error_rates.models.query("training_set == 'vocoder' and condition == 'C7'").reset_index(drop=True)

    pd.testing.assert_frame_equal(alone, together)


def test_the_number_of_workers_changes_no_number(run: Path, error_rates: ErrorRates) -> None:
    two = evaluate(run / "scores", run / "protocols/eval", settings(), workers=2)

    pd.testing.assert_frame_equal(two.models, error_rates.models)
    pd.testing.assert_frame_equal(two.seeds, error_rates.seeds)


def test_where_a_key_rests_on_one_speaker_trials_are_drawn_and_the_note_says_so(tmp_path: Path) -> None:
    write_condition(tmp_path, "C1", speakers=1, each=30)
    write_scores(tmp_path, W2V2[0], "C1", 1.0)

    row = error_rates_of(tmp_path, W2V2[:1], ["C1"]).models.iloc[0]

    assert row["interval_method"].startswith("bootstrap by trial,")
    assert "no resampling by speaker: all trials of a key come from one speaker" in row["interval_note"]
    assert row["eer_low_percent"] < row["eer_percent"] < row["eer_high_percent"]


def test_bounds_of_independent_trials_stand_beside_and_are_narrower_where_speakers_differ(tmp_path: Path) -> None:
    write_condition(tmp_path, "C1", speakers=12, each=30)
    write_scores(tmp_path, W2V2[0], "C1", 1.5)
    path = tmp_path / "scores" / W2V2[0] / "C1.tsv"
    table = files.read_tsv(path)
    good = files.read_tsv(tmp_path / "protocols/eval/C1.tsv")["speaker_id"].isin(["p1", "p2", "p3"])
    shift = (
        np.where(table["trial_id"].str.startswith("b"), 2.0, -2.0) * good
    )  # three speakers are hardly ever misjudged
    files.write_tsv(path, table.assign(score=table["score"].astype(float) + shift))

    row = error_rates_of(tmp_path, W2V2[:1], ["C1"]).models.iloc[0]

    assert row["eer_low_percent"] < row["eer_low_iid_percent"] < row["eer_percent"]
    assert row["eer_percent"] < row["eer_high_iid_percent"] < row["eer_high_percent"]


def test_few_speakers_are_named_as_few(tmp_path: Path) -> None:
    write_condition(tmp_path, "C1", speakers=2, each=20)
    write_scores(tmp_path, W2V2[0], "C1", 1.0)

    assert "few clusters (2)" in error_rates_of(tmp_path, W2V2[:1], ["C1"]).models["interval_note"].item()


def test_a_single_trial_of_a_key_has_an_eer_but_no_bounds(tmp_path: Path) -> None:
    write_condition(tmp_path, "C1", speakers=1, each=1)
    trials = read_trials(tmp_path / "protocols/eval/C1.tsv")

    interval = seed_intervals(trials, [np.array([1.0, 0.0])], settings().bootstrap, generator(1)).mean

    assert (interval.estimate, interval.method) == (0.0, "none")
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_a_cell_has_ours_the_published_one_and_their_difference(published: Published, error_rates: ErrorRates) -> None:
    cells = row_of(side_by_side(published.error_rates(TRAINED_ON_CODECS), error_rates, is_of_paper=True))

    ours = error_rates.models.query("training_set == 'codec' and condition == 'C7'")["eer_percent"].mean()
    assert cells.loc["C7", "eer_percent"] == pytest.approx(ours)
    assert cells.loc["C7", "published_percent"] == "0.884"
    assert cells.loc["C7", "difference_percent_points"] == pytest.approx(ours - 0.884)


def test_what_was_not_measured_is_empty_and_so_is_an_average_that_needs_it(
    published: Published, error_rates: ErrorRates
) -> None:
    cells = side_by_side(published.error_rates(TRAINED_ON_CODECS), error_rates, is_of_paper=True)

    rows = cells.loc[cells["eer_percent"].notna(), ["detector", "condition"]]
    assert set(rows.itertuples(index=False, name=None)) == {("W2V2-AASIST", name) for name in CONDITIONS}
    assert cells["difference_percent_points"].notna().sum() == len(CONDITIONS)


def test_an_average_is_the_mean_of_its_conditions_and_has_no_interval(
    published: Published, error_rates: ErrorRates
) -> None:
    table = replace(published.error_rates(TRAINED_ON_CODECS), averages={"CAVG": ["C1", "C7"], "AVG": ["ITW"]})

    cells = row_of(side_by_side(table, error_rates, is_of_paper=True))

    assert cells.loc["CAVG", "eer_percent"] == pytest.approx(cells.loc[["C1", "C7"], "eer_percent"].mean())
    assert cells.loc["CAVG", "num_seeds"] == 2
    assert math.isnan(cells.loc["CAVG", "eer_low_percent"])
    assert math.isnan(cells.loc["AVG", "eer_percent"])


def written_table(
    table: PublishedTable, error_rates: ErrorRates, tmp_path: Path, is_of_paper: bool
) -> tuple[str, str, str]:
    write_paper_table(table, error_rates, tmp_path / table.name, is_of_paper)
    csv, tex, html = ((tmp_path / f"{table.name}.{kind}").read_text() for kind in ("csv", "tex", "html"))
    return csv, tex, html


def test_other_experiments_are_said_to_have_other_data(
    published: Published, error_rates: ErrorRates, tmp_path: Path
) -> None:
    table = published.error_rates(TRAINED_ON_CODECS)

    assert all(
        OTHER_DATA in text for text in map(plain, written_table(table, error_rates, tmp_path, is_of_paper=False))
    )
    assert not any(
        OTHER_DATA in text for text in map(plain, written_table(table, error_rates, tmp_path, is_of_paper=True))
    )


def plain(text: str) -> str:
    return text.replace("&#39;", "'")


def test_all_three_forms_print_the_published_number_and_the_note(
    published: Published, error_rates: ErrorRates, tmp_path: Path
) -> None:
    for text in written_table(published.error_rates(TRAINED_ON_CODECS), error_rates, tmp_path, is_of_paper=True):
        assert "0.884" in text
        assert "22 are 0.166" in text


def test_a_latex_table_has_as_many_columns_in_every_line(
    published: Published, error_rates: ErrorRates, tmp_path: Path
) -> None:
    _, tex, _ = written_table(published.error_rates(TRAINED_ON_CODECS), error_rates, tmp_path, is_of_paper=True)

    (columns,) = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", tex)
    lines = [line for line in tex.splitlines() if line.endswith(r"\\")]
    assert len(columns) == 2 + 11
    assert {line.count(" & ") + 1 for line in lines} == {len(columns)}
    assert len(lines) == 1 + 3 * 4
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert tex.count(rule) == 1


def test_special_characters_are_escaped_in_latex_and_html() -> None:
    table = grid.Grid("50 % & <more>", ["a_b", ""], ["c"], [grid.Line(("x", "ours"), ["[1, 2] ± 3"])])

    assert r"\caption{50 \% \& <more>}" in grid.latex(table)
    assert r"a\_b &  & c \\" in grid.latex(table)
    assert r"x & ours & {[1, 2] $\pm$ 3} \\" in grid.latex(table)
    assert "<caption>50 % &amp; &lt;more&gt;</caption>" in grid.html(table)


def test_lines_of_one_row_name_it_once() -> None:
    lines = [grid.Line(("x", "published"), ["1"]), grid.Line(("x", "ours"), ["2"]), grid.Line(("y", "ours"), ["3"])]

    blocks = list(grid.Grid("", ["row", ""], ["c"], lines).blocks())

    assert [[line.labels for line in block] for block in blocks] == [
        [("x", "published"), ("", "ours")],
        [("y", "ours")],
    ]


def test_counts_stand_beside_those_of_our_protocols(published: Published, tmp_path: Path) -> None:
    write_condition(tmp_path, "A", speakers=2, each=3)

    write_count_table(published.counts("wu2024_table2"), tmp_path / "protocols", tmp_path / "counts")

    table = pd.read_csv(tmp_path / "counts.csv").set_index(["data", "split", "count"])
    assert tuple(table.loc[("CodecFake", "Testing", "utterances"), ["ours", "difference"]]) == (6, 6 - 755)
    assert tuple(table.loc[("VCTK", "Testing", "speakers"), ["ours", "difference"]]) == (2, 0)
    assert table.loc[("VCTK", "Training", "speakers"), "ours"] != table.loc[("VCTK", "Training", "speakers"), "ours"]


def test_training_sets_are_compared_in_pairs_all_else_equal() -> None:
    models = [Model.parse(f"{name}/seed1") for name in ("a/x/erm", "a/y/erm", "b/x/erm", "a/x/sam")]

    pairs = [(pair.family, pair.first, pair.second) for pair in pairs_of(models, [], dict)]

    assert pairs == [
        ("strategy", "a/x/sam/seed1", "a/x/erm/seed1"),
        ("training set", "a/y/erm/seed1", "a/x/erm/seed1"),
    ]


def test_released_weights_are_compared_with_every_seed_of_the_same_detector() -> None:
    names = ["a/released/erm/seed0", "a/x/erm/seed1", "a/x/erm/seed2", "b/x/erm/seed1", "a/x/sam/seed1"]
    pairs = [(pair.first, pair.second) for pair in pairs_of(list(map(Model.parse, names)), [], dict)]

    assert pairs == [
        ("a/x/sam/seed1", "a/x/erm/seed1"),
        ("a/x/erm/seed1", "a/released/erm/seed0"),
        ("a/x/erm/seed2", "a/released/erm/seed0"),
    ]


def test_many_training_sets_are_each_compared_with_the_best_baseline() -> None:
    models = [Model.parse(f"a/{name}/erm/seed1") for name in "vwxyz"] + [Model.parse("b/v/erm/seed1")]

    pairs = list(pairs_of(models, ["v"], lambda: {"a/v/erm/seed1": 0.3, "b/v/erm/seed1": 0.2}))

    assert {pair.second for pair in pairs} == {"b/v/erm/seed1"}
    assert [pair.first for pair in pairs] == [f"a/{name}/erm/seed1" for name in "wxyz"]


def test_a_clear_difference_is_significant_and_corrected_p_values_are_no_smaller(run: Path) -> None:
    table = comparison_table(run / "scores", run / "protocols/eval", settings(), ["vocoder"])

    assert len(table) == 2 * len(CONDITIONS)
    assert (table["difference_percent_points"] < 0).all()
    assert (table["holm_p_value"] >= table["p_value"]).all()
    c1 = table[table["condition"] == "C1"]
    assert c1["significant"].all()
    assert c1["significant_as_wu2024"].all()


def test_a_model_does_not_differ_from_its_copy(run: Path) -> None:
    twin = W2V2[0].replace("vocoder", "other")
    for condition in CONDITIONS:
        scores = files.read_tsv(run / "scores" / W2V2[0] / f"{condition}.tsv")
        files.write_tsv(run / "scores" / twin / f"{condition}.tsv", scores)

    table = comparison_table(run / "scores", run / "protocols/eval", settings([W2V2[0], twin]), [])

    assert set(table["difference_percent_points"]) == {0.0}
    assert set(table["holm_p_value"]) == {1.0}
    assert not table["significant"].any()


def test_where_every_draw_gives_the_same_difference_p_is_a_bound_and_there_is_no_interval(tmp_path: Path) -> None:
    write_condition(tmp_path, "C1", speakers=2, each=4)
    trials = files.read_tsv(tmp_path / "protocols/eval/C1.tsv")
    right = np.where(trials["key"] == "bonafide", 1.0, 0.0)
    errs = right.copy()
    errs[[0, 1, 8, 9]] = 0.5 - errs[[0, 1, 8, 9]]  # one trial of each key and speaker
    for model, scores in ((W2V2[0], errs), (W2V2[2], right)):
        table = pd.DataFrame({"trial_id": trials["trial_id"], "score": scores})
        files.write_tsv(tmp_path / "scores" / model / "C1.tsv", table)

    one = TableSettings([W2V2[0], W2V2[2]], ["C1"], resamples=50)
    row = comparison_table(tmp_path / "scores", tmp_path / "protocols/eval", one, []).iloc[0]

    assert row["difference_percent_points"] == -25
    assert row["p_value"] == row["holm_p_value"] == 1 / 2  # two speakers
    assert not row["significant"]
    assert math.isnan(row["low_percent_points"])
    assert "every draw gives the same difference: no interval, and p is an upper bound" in row["note"]


def test_small_p_values_are_written_with_their_digits(run: Path, tmp_path: Path) -> None:
    write_comparisons(run / "scores", run / "protocols/eval", settings(), ["vocoder"], tmp_path)

    table = pd.read_csv(tmp_path / "comparisons.csv")

    assert (table[["p_value", "holm_p_value", "t_test_p_value", "wilcoxon_p_value"]] > 0).all(axis=None)
    assert table["p_value"].min() < 1e-6


def test_comparisons_of_nothing_are_an_empty_table(run: Path) -> None:
    assert comparison_table(run / "scores", run / "protocols/eval", settings(W2V2[:1]), []).empty


def test_figures_are_those_that_the_models_can_fill(published: Published) -> None:
    assert possible_figures(W2V2, CONDITIONS, []) == ["xie2025_figure5"]
    assert possible_figures(W2V2, ["C1"], []) == []
    assert possible_figures(["w2v2-aasist/co/csam/seed1"], ["C1"], []) == ["xie2025_figure6"]
    assert possible_figures(["aasist-l/A/erm/seed1"], ["A"], [CROSS_TESTING]) == [
        "wu2024_figure2_ours",
        "wu2024_figure2_published",
    ]


def test_the_cross_testing_matrix_reads_as_printed(published: Published, error_rates: ErrorRates) -> None:
    values = matrix(published.error_rates(CROSS_TESTING), error_rates, "published_percent")

    assert values.shape == (17, 15)
    assert list(values.index[:4]) == ["AASIST", "AASIST-L", "A", "B1"]
    assert values.loc["D3", "F5"] == 78.94
    assert values.isna().sum().sum() == 1
    assert matrix(published.error_rates(CROSS_TESTING), error_rates, "eer_percent").isna().all(axis=None)


def test_decisions_are_counted_by_key_at_the_first_seed(error_rates: ErrorRates) -> None:
    counts = decisions(error_rates)["codec", "C7"]

    row = error_rates.models.query("training_set == 'codec' and condition == 'C7' and seed == 1").iloc[0]
    assert list(counts[0]) == [row["true_bonafide"], row["missed_bonafide"]]
    assert list(counts[1]) == [row["false_bonafide"], row["true_spoof"]]


@pytest.mark.long
@pytest.mark.parametrize("figure", ["xie2025_figure5", "wu2024_figure2_published"])
def test_a_figure_is_written_twice_with_the_same_bytes(
    published: Published, error_rates: ErrorRates, tmp_path: Path, figure: str
) -> None:
    results = Results(error_rates, published, tmp_path)

    for folder in ("one", "two"):
        write_figures(results, [figure], tmp_path / folder)

    written_files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert written_files == [f"{figure}.{kind}{seal}" for kind in ("png", "svg") for seal in ("", ".sha256")]
    for name in written_files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_losses_are_drawn_a_line_a_strategy(published: Published, tmp_path: Path) -> None:
    models = [f"w2v2-aasist/co/{strategy}/seed1" for strategy in ("erm", "csam")]
    write_condition(tmp_path, "C1")
    for model in models:
        write_scores(tmp_path, model, "C1", 2.0)
        history = pd.DataFrame({"epoch": [1, 2], "train_loss": [0.5, 0.2], "dev_loss": [0.4, 0.3]})
        files.write_tsv(tmp_path / "models" / model / "history.tsv", history)
    error_rates = error_rates_of(tmp_path, models, ["C1"])

    write_figures(Results(error_rates, published, tmp_path / "models"), ["xie2025_figure6"], tmp_path)

    svg = (tmp_path / "xie2025_figure6.svg").read_text()
    assert "csam" in svg
    assert "(b) dev" in svg


def test_spectrograms_show_each_corpus_through_its_sources(tmp_path: Path) -> None:
    write_condition(tmp_path, "C1", speakers=1, each=1)
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    for source in ("F00", "F01"):
        with ShardWriter(tmp_path / "vctk" / source / "0000.tar", "", Provenance("none", 1, 1.0, "", "0")) as shard:
            shard.add("b0", tone, 16000)

    protocol = tmp_path / "protocols/eval/C1.tsv"
    trials = files.read_tsv(protocol).assign(utterance_id="b0")
    files.write_tsv(protocol, trials)
    write_spectrograms(tmp_path, protocol, {"vctk": ["F00", "F01"]}, tmp_path)

    svg = (tmp_path / "xie2025_figure2.svg").read_text()
    assert svg.index("vctk, F00") < svg.index("vctk, F01")
    assert (tmp_path / "xie2025_figure2.png").read_bytes().startswith(b"\x89PNG")
