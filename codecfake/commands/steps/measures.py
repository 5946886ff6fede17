"""Steps that measure: the quality of codecs, and the audit of lists and audio."""

import argparse
from pathlib import Path

from codecfake.base.settings import from_json
from codecfake.commands.parsing import Commands, step


def add(commands: Commands) -> None:
    """Add these steps to the subparsers of a parser."""
    quality = step(commands, "quality", _quality, "measure how well one codec reproduces held-out speech")
    quality.add_argument(
        "--protocols", type=Path, nargs="+", required=True, help="protocols with the trials to measure"
    )
    quality.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    quality.add_argument(
        "--output", type=Path, required=True, help="the TSV file to write, one row per source and utterance"
    )

    summary = step(commands, "quality-summary", _quality_summary, "compute the quality tables over all sources")
    summary.add_argument("--measured", type=Path, required=True, help="folder of {codec}.tsv")
    summary.add_argument("--output", type=Path, required=True, help="folder for quality.csv and quality_order.csv")

    audit = step(
        commands, "audit", _audit, "look for leaks between lists, duplicates and shortcuts; exits 1 if there are faults"
    )
    audit.add_argument("--results", type=Path, required=True, help="folder of all results of the run")
    audit.add_argument("--output", type=Path, required=True, help="folder for audit.json and tables")
    audit.add_argument(
        "--leave-verdict", action="store_true", help="record faults, but leave the failure to audit-verdict"
    )

    verdict = step(commands, "audit-verdict", _audit_verdict, "fail if an audit found faults", settings=False)
    verdict.add_argument("--audit", type=Path, required=True, help="its audit.json")
    verdict.add_argument("--output", type=Path, required=True, help="the text file to write if there are no faults")


def _quality(options: argparse.Namespace) -> None:
    from codecfake.quality.settings import QualitySettings
    from codecfake.quality.step import measure_codec

    measure_codec(from_json(QualitySettings, options.settings), options.protocols, options.audio, options.output)


def _quality_summary(options: argparse.Namespace) -> None:
    from codecfake.quality.settings import SummarySettings
    from codecfake.quality.step import write_summary

    write_summary(from_json(SummarySettings, options.settings), options.measured, options.output)


def _audit(options: argparse.Namespace) -> None:
    from codecfake.audit.settings import AuditSettings
    from codecfake.audit.step import audit, require_no_faults

    audit(from_json(AuditSettings, options.settings), options.results, options.output)
    if not options.leave_verdict:
        require_no_faults(options.output / "audit.json")


def _audit_verdict(options: argparse.Namespace) -> None:
    from codecfake.audit.step import require_no_faults
    from codecfake.base.files import write_text

    require_no_faults(options.audit)
    write_text(options.output, "no faults\n")
