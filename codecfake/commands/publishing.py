"""Commands that export results for others."""

import argparse
import sys
from pathlib import Path

from codecfake.commands.parsing import Commands, add_run, command, key_values

CHOICES = {"parts": "codec C1", "sources": "F00 F01", "splits": "eval", "languages": "en zh"}


def add(commands: Commands) -> None:
    """Add these commands to the subparsers of a parser."""
    _add_export(commands)
    _add_publish(commands)


def _add_export(commands: Commands) -> None:
    export = command(
        commands, "export", _export, "unpack shards into loose FLAC files",
        "codecfake export --run runs/xie --output flac --sources F01 F02",
    )  # fmt: skip
    add_run(export)
    export.add_argument("--output", type=Path, required=True, help="folder of {corpus}/{source}/", metavar="DIR")
    export.add_argument("--sources", nargs="+", help="e.g. F00 F01; all by default", metavar="SOURCE")


def _add_publish(commands: Commands) -> None:
    from codecfake.publishing import DEFAULT_FORM, FORMS

    publish = command(
        commands, "publish", _publish, "write a finished run as a data set, and check or upload it",
        "codecfake publish runs/xie --to data-set --sources F00 F01 --splits eval",
        "codecfake publish --check data-set",
        "codecfake publish runs/xie --to data-set --push OWNER/NAME",
    )  # fmt: skip
    publish.add_argument("directory", nargs="?", type=Path, metavar="RUN", help="the run directory")
    publish.add_argument(
        "--to", type=Path, metavar="DIR", help="folder of the data set; the same command continues there"
    )
    publish.add_argument(
        "--form", choices=FORMS, metavar="FORM", help=f"one of {', '.join(FORMS)} (default: {DEFAULT_FORM})"
    )
    for name, examples in CHOICES.items():
        text = f"publish only these, e.g. {examples}; all by default"
        publish.add_argument(f"--{name}", nargs="+", default=[], metavar=name[:-1].upper(), help=text)
    publish.add_argument(
        "--licenses", nargs="+", default=[], metavar="SPDX",
        help="publish clips under these licenses alone; by default, all that allow redistribution",
    )  # fmt: skip
    publish.add_argument(
        "--corpus-license", nargs="+", default=[], metavar="CORPUS=SPDX",
        help="the license of a corpus, where the package does not know it",
    )  # fmt: skip
    publish.add_argument(
        "--ladders", action="store_true",
        help="publish the degraded clips of laundering ladders, too; otherwise, name single steps in --parts",
    )  # fmt: skip
    publish.add_argument("--experiment", help="its name or YAML file; by default, found by the title of the run")
    publish.add_argument("--check", type=Path, metavar="DIR", help="check this data set, of any of the forms, and stop")
    publish.add_argument(
        "--push", metavar="OWNER/NAME", help="upload the data set in --to to this repository of the Hub"
    )


def _publish(options: argparse.Namespace) -> None:
    writes = options.directory is not None or options.to is not None or options.push is not None
    if options.check is not None and not writes:
        _check(options)
        return
    if options.check is not None or options.to is None or (options.directory is None and options.push is None):
        options.parser.error("give RUN and --to DIR, or --check DIR alone, or --to DIR and --push OWNER/NAME")
    if options.directory is not None:
        _write(options)
    if options.push is not None:
        _push(options)


def _write(options: argparse.Namespace) -> None:
    from codecfake.publishing import DEFAULT_FORM
    from codecfake.publishing.owner import experiment_of
    from codecfake.publishing.publish import publish
    from codecfake.publishing.run_facts import from_experiment
    from codecfake.publishing.selection import Selection

    experiment, name = experiment_of(options.directory, options.experiment)
    stated = key_values("--corpus-license", options.corpus_license, "vctk=CC-BY-4.0")
    choices = {choice: tuple(getattr(options, choice)) for choice in (*CHOICES, "licenses")}
    selection = Selection(**choices, ladders=options.ladders)
    facts = from_experiment(experiment, name, stated)
    data_set = publish(options.directory, facts, selection, options.form or DEFAULT_FORM, options.to)
    print(f"{sum(data_set.num_clips.values())} clips written to {options.to}")
    for item in data_set.withheld:
        print(f"withheld: {item.corpus}/{item.source}, {item.num_clips} clips: {item.reason}")


def _check(options: argparse.Namespace) -> None:
    from codecfake.publishing.checks.check import check

    findings = check(options.check, options.form)
    for line in findings.lines():
        print(line)
    if findings.faults:
        sys.exit(f"{findings.numbers.total()} faults in {options.check}")
    print(f"{options.check}: no faults")


def _push(options: argparse.Namespace) -> None:
    from codecfake.publishing.push import push

    print(push(options.to, options.push))


def _export(options: argparse.Namespace) -> None:
    from codecfake.audio.export import export

    number = export(options.directory / "results" / "audio", options.output, options.sources)
    print(f"{number} files written to {options.output}")
