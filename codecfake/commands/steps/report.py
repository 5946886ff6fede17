"""Steps that present the results: tables, figures, the report."""

import argparse
import json
from pathlib import Path

from codecfake.base.settings import build, from_json
from codecfake.commands.parsing import Commands, step


def add(commands: Commands) -> None:
    """Add these steps to the subparsers of a parser."""
    tables = step(commands, "tables", _tables, "compute the tables from score files")
    tables.add_argument("--scores", type=Path, required=True, help="folder of {model}/{condition}.tsv")
    tables.add_argument(
        "--protocols", type=Path, required=True, help="folder of protocols: {domain}/{split}.tsv, eval/"
    )
    tables.add_argument(
        "--models", type=Path, required=True, help="folder of {model}/history.tsv, for figures of losses"
    )
    tables.add_argument("--published", type=Path, required=True, help="folder of the papers' tables")
    tables.add_argument("--output", type=Path, required=True, help="folder of tables")
    tables.add_argument("--workers", type=int, default=1, help="processes, each of which evaluates a condition")

    spectrograms = step(commands, "spectrograms", _spectrograms, "draw utterances through every source")
    spectrograms.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    spectrograms.add_argument("--protocol", type=Path, required=True, help="protocol whose bona fide trials are drawn")
    spectrograms.add_argument("--output", type=Path, required=True, help="folder of figures")

    report = step(commands, "report", _report, "write the HTML report")
    report.add_argument("--results", type=Path, required=True, help="folder of all results of the run")
    report.add_argument("--output", type=Path, required=True, help="the HTML file to write")


def _tables(options: argparse.Namespace) -> None:
    from codecfake.tables import TableSettings, evaluate
    from codecfake.tables.breakdown import write_breakdown
    from codecfake.tables.comparisons import write_comparisons
    from codecfake.tables.contents import write_contents
    from codecfake.tables.cross import write_cross
    from codecfake.tables.error_rates import write_error_rates
    from codecfake.tables.figures import Results, write_figures
    from codecfake.tables.held_out import write_held_out
    from codecfake.tables.label_policies import write_label_policies
    from codecfake.tables.ladder import write_ladder
    from codecfake.tables.papers import write_papers
    from codecfake.tables.published import Published
    from codecfake.tables.taxonomy import write_taxonomy

    settings = from_json(TableSettings, options.settings)
    published, protocols = Published(options.published), options.protocols / "eval"
    error_rates = evaluate(options.scores, protocols, settings, options.workers)
    write_error_rates(error_rates, options.output)
    write_ladder(error_rates, settings, options.output)
    settings = settings.without_ladders()
    write_cross(options.scores, protocols, settings, error_rates, options.output)
    write_held_out(error_rates, settings, options.output)
    write_contents(error_rates, settings, options.output)
    write_breakdown(options.scores, protocols, settings, options.output, options.workers)
    write_label_policies(options.scores, protocols, settings, options.output)
    write_taxonomy(options.scores, protocols, settings, options.output)
    baselines = [*published.baselines, *settings.baselines]
    write_comparisons(options.scores, protocols, settings, baselines, options.output, options.workers)
    write_papers(published, settings.papers, error_rates, options.protocols, options.output, settings.title)
    write_figures(Results(error_rates, published, options.models), settings.figures, options.output / "figures")


def _spectrograms(options: argparse.Namespace) -> None:
    from codecfake.tables.figures import write_spectrograms
    from codecfake.tables.settings import SpectrogramSettings

    sources = from_json(SpectrogramSettings, options.settings).sources
    write_spectrograms(options.audio, options.protocol, sources, options.output)


def _report(options: argparse.Namespace) -> None:
    from codecfake.report.inputs import ReportInputs
    from codecfake.report.page import write_report
    from codecfake.tables.excerpts import first_bonafide_utterances

    settings = json.loads(options.settings)
    excerpts = first_bonafide_utterances(options.results / "protocols" / "eval" / f"{settings['conditions'][0]}.tsv")
    inputs = {**settings, "results": options.results, "excerpts": excerpts}
    write_report(build(ReportInputs, inputs), options.output)
