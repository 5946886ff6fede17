"""The report says where the errors are: by corpus, held-out codec, language, speaker; and which layers were learned."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from imitation_run import ImitationRun

from codecfake.report.analysis import cross_tables, group_tables, held_out_tables, speaker_errors, taxonomy_tables
from codecfake.report.inputs import ReportError, ReportInputs
from codecfake.report.layer_weights import layer_weights
from codecfake.report.page import analysis_content, environment
from codecfake.report.training import TrainedModel, read_models

MODEL = "mel-lcnn/codec/erm/seed1"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    run = ImitationRun(
        tmp_path_factory.mktemp("analysis") / "results",
        detectors=["mel-lcnn"],
        conditions={"C1": "F01", "C7": "F07"},
        num_trials=12,
        random_front_ends=(),
        papers={},
        held_out={"codec": ["C7"]},
        trained={"vocoder": ["C7"]},
        layer_weights={"aggregation.weight_hidd": [0.0, 0.6931472, 0.0], "back_end.weights_k": [1.0]},
    )
    return run.write_numbers()


@pytest.fixture(scope="module")
def models(inputs: ReportInputs) -> list[TrainedModel]:
    return read_models(inputs.results, inputs.models)


def test_the_page_has_every_part(inputs: ReportInputs, models: list[TrainedModel]) -> None:
    template = environment().get_template("analysis.html")
    html = template.render(analysis_content(inputs, models))
    assert re.findall(r"<h3>([^<]+)</h3>", html) == [
        "Across corpora", "Codecs that are not in the training data", "By attack and by language",
        "By what codecs are made of", "Speakers with most errors", "Learned weights of layers",
    ]  # fmt: skip
    assert not re.search(r"<td>\d+\.\d\d</td>", html.split("Speakers with most errors")[0])  # EERs have one decimal
    assert "50.0" in html.split("Learned weights")[1]


def test_the_page_speaks_of_codings_only_where_there_are_any(inputs: ReportInputs, models: list[TrainedModel]) -> None:
    content = analysis_content(inputs, models)
    coded = [*content["group_tables"], replace(content["group_tables"][0], title="C1 by coding")]
    template = environment().get_template("analysis.html")
    assert "coding" not in template.render(content)
    html = template.render({**content, "group_tables": coded})
    assert "<h3>By attack, language and coding</h3>" in html
    assert "a language or a coding with its own trials of both keys" in html


def test_corpora_are_columns_and_averages_follow(inputs: ReportInputs, models: list[TrainedModel]) -> None:
    (table,) = cross_tables(inputs, models)
    assert table.columns == ["english", "mandarin", "mean of corpora", "mean of conditions", "pooled"]
    row = pd.read_csv(inputs.results / "tables/cross_corpora.csv").iloc[0]
    assert table.rows[0].label == "vocoder, erm"
    assert table.rows[0].cells[:3] == [f"{row[name]:.1f}" for name in ("english", "mandarin", "macro_average")]


def test_a_held_out_codec_stands_beside_the_sets_that_have_it(inputs: ReportInputs, models: list[TrainedModel]) -> None:
    ((row,),) = (table.rows for table in held_out_tables(inputs, models))
    eers = pd.read_csv(inputs.results / "tables/eer.csv").set_index(["training_set", "condition"])["eer_percent"]
    held_out, trained = eers["codec", "C7"], eers["vocoder", "C7"]
    assert row.cells[:3] == ["C7", f"{held_out:.1f}", f"{trained:.1f}"]
    assert row.cells[3] == f"{held_out - trained:+.1f}".replace("-", "−")


def test_conditions_of_several_languages_have_a_table_each(inputs: ReportInputs, models: list[TrainedModel]) -> None:
    tables = group_tables(inputs, models)
    assert [table.title for table in tables] == [f"{name} by language" for name in inputs.conditions]
    assert tables[0].columns == ["en", "ma"]
    assert len(tables[0].rows) == len(inputs.models)


def test_a_kind_of_one_codec_has_its_rate_and_a_word_of_one_kind_no_table(
    inputs: ReportInputs, models: list[TrainedModel]
) -> None:
    (table,) = taxonomy_tables(inputs, models)
    eers = pd.read_csv(inputs.results / "tables/eer.csv").set_index(["training_set", "condition"])["eer_percent"]
    assert (table.title, table.columns) == ("By decoder", ["frequency", "time"])
    assert table.rows[0].cells == [f"{eers['vocoder', name]:.1f}" for name in ("C7", "C1")]


def test_speakers_have_their_shares_of_errors_and_of_trials(inputs: ReportInputs, models: list[TrainedModel]) -> None:
    first = speaker_errors(inputs, models)[0]
    assert first.model == inputs.models[0]
    assert first.num_speakers == 2  # one of each corpus
    assert sum(float(errors) for _, errors, _ in first.speakers) == pytest.approx(100)
    assert {trials for _, _, trials in first.speakers} <= {"50.0"}


def test_the_weights_of_layers_are_their_softmax(inputs: ReportInputs, models: list[TrainedModel]) -> None:
    """The second scalar is ln 2, so its layer weighs twice as much as each other one."""
    first, second = layer_weights(inputs, models)[:2]
    assert first.what == "weighted sum"
    assert first.shares == pytest.approx([0.25, 0.5, 0.25])
    assert first.layers == ["1", "2", "3"]
    assert (second.what, second.shares) == ("MHFA, keys", [1.0])


def test_all_layers_count_from_the_input_of_the_first_block(inputs: ReportInputs, models: list[TrainedModel]) -> None:
    settings = {"settings": {"detector": {"front_end": {"layers": "all"}}}, "front_end_weights": "none"}
    assert layer_weights(inputs, [replace(models[0], settings=settings)])[0].layers == ["0", "1", "2"]


@pytest.mark.parametrize("change", [lambda raw: raw[:4], lambda raw: b"\xff" * 8 + raw[8:], lambda raw: raw[:-30]])
def test_damaged_weights_are_an_error(inputs: ReportInputs, models: list[TrainedModel], tmp_path: Path, change) -> None:
    path = tmp_path / "models" / MODEL / "weights.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(change((inputs.results / "models" / MODEL / "weights.safetensors").read_bytes()))
    with pytest.raises(ReportError, match=r"weights\.safetensors: damaged: not safetensors"):
        layer_weights(replace(inputs, results=tmp_path), [one for one in models if one.model.name == MODEL])


def test_a_missing_table_is_an_error(inputs: ReportInputs, models: list[TrainedModel], tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"speaker_errors\.csv: no such table; write the tables again"):
        speaker_errors(replace(inputs, results=tmp_path), models)


def test_settings_of_other_forms_do_not_stop_the_report(inputs: ReportInputs, models: list[TrainedModel]) -> None:
    assert json.loads((inputs.results / "models" / MODEL / "settings.json").read_text())["detector"] == "mel-lcnn"
    assert len(layer_weights(inputs, models)) == 2 * len(inputs.models)
