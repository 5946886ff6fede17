"""Commands that measure: quality, the audit, error rates of score files."""

import argparse
import sys
from pathlib import Path

from codecfake.base.settings import from_json
from codecfake.commands.parsing import Commands, command, count


def add(commands: Commands) -> None:
    """Add these commands to the subparsers of a parser."""
    quality = command(commands, "quality", _quality, "measure how well one source gives held-out speech back")
    quality.add_argument("--protocols", type=Path, nargs="+", required=True, help="whose bona fide trials are measured")
    quality.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    quality.add_argument("--output", type=Path, required=True, help="the TSV to write, a row an utterance")

    summary = command(commands, "quality-summary", _quality_summary, "compute the tables of quality over all sources")
    summary.add_argument("--measured", type=Path, required=True, help="folder of {source}.tsv")
    summary.add_argument("--output", type=Path, required=True, help="folder for quality.csv and quality_order.csv")

    audit = command(
        commands, "audit", _audit, "look for leaks between lists, duplicates and shortcuts; 1 if there are faults"
    )
    audit.add_argument("--results", type=Path, required=True)
    audit.add_argument("--output", type=Path, required=True, help="folder for audit.json and tables")
    audit.add_argument(
        "--leave-verdict", action="store_true", help="write faults down, and leave it to audit-verdict to fail"
    )

    verdict = command(commands, "audit-verdict", _audit_verdict, "fail if an audit found faults", settings=False)
    verdict.add_argument("--audit", type=Path, required=True, help="its audit.json")
    verdict.add_argument("--output", type=Path, required=True, help="the text to write if there are none")

    verify = command(commands, "verify", _verify, "check score files and numbers printed of them", settings=False)
    verify.add_argument("scores", type=Path, help="a folder of score files, in any of the known forms, or one file")
    verify.add_argument(
        "--published",
        type=Path,
        nargs="+",
        default=[],
        help="TSVs of printed EERs: condition, value, detector, training, …",
    )
    verify.add_argument("--folders", type=Path, help="TSV that says what --published calls each folder of scores")
    verify.add_argument("--json", type=Path, help="the ledger to write for programs")

    eer = command(commands, "eer", _eer, "print the EER of score files, with an interval", settings=False)
    eer.add_argument("scores", type=Path, nargs="+")
    eer.add_argument("--speakers", type=Path, help="TSV of trial_id and speaker_id: speakers are drawn, not trials")
    for parser_, resamples in ((verify, 0), (eer, 1000)):
        parser_.add_argument("--protocol", type=Path, nargs="+", default=[], help="keys; needed where scores have none")
        parser_.add_argument("--level", type=float, default=0.95, help="of the intervals")
        parser_.add_argument("--resamples", type=count, default=resamples, help="of the intervals; 0: exact bounds")
        parser_.add_argument("--bonafide-digit", choices=("0", "1"), default="1", help="of labels 0 and 1")


def _quality(options: argparse.Namespace) -> None:
    from codecfake.quality.settings import QualitySettings
    from codecfake.quality.step import measure_source

    measure_source(from_json(QualitySettings, options.settings), options.protocols, options.audio, options.output)


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


def _verify(options: argparse.Namespace) -> None:
    from codecfake.base.files import write_json
    from codecfake.verification.ledger import VerifySettings, verify
    from codecfake.verification.rendering import as_json, as_text

    settings = VerifySettings(options.level, options.resamples, options.bonafide_digit)
    ledger = verify(options.scores, options.published, options.protocol, options.folders, settings)
    if options.json:
        write_json(options.json, as_json(ledger))
    print(as_text(ledger))
    if not ledger.holds:
        sys.exit(1)


def _eer(options: argparse.Namespace) -> None:
    from codecfake.verification.single import EerSettings, answer

    settings = EerSettings(options.level, options.resamples, options.bonafide_digit)
    for path in options.scores:
        print(answer(path, options.protocol, options.speakers, settings))
