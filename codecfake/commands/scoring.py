"""The command that scores audio files with a detector."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codecfake.base.counts import count, positive
from codecfake.commands.parsing import Commands, add_device, add_file, add_json, command

if TYPE_CHECKING:
    from codecfake.scoring.audio_files import Listing
    from codecfake.scoring.judging import Judge, Outcome
    from codecfake.scoring.model_sources import Source
    from codecfake.scoring.outcome_texts import Texts
    from codecfake.scoring.score_table import ScoreTable
    from codecfake.scoring.segment_settings import SegmentSettings
    from codecfake.scoring.segment_table import SegmentTable

EXAMPLES = (
    "codecfake score speech.flac",
    "codecfake score speech.flac folder/ --model results/models/mel-lcnn/codec/erm/seed1",
    "codecfake score folder/ --model OWNER/NAME --output scores.tsv --workers 4",
    "codecfake score call.wav --segments segments.tsv --window 0.5",
    "codecfake score folder/ --model models/ssl-aasist --published logit --json",
    "codecfake score --card",
)
MODEL = (
    "a model folder, trained or imported; the name of a shipped detector (`codecfake list models`); or a hub id,"
    " OWNER/NAME or hf:OWNER/NAME, which is downloaded (by default, the shipped demonstration)"
)
INTERRUPTED = 130  # the exit status of a command that Ctrl-C ended


def add(commands: Commands) -> None:
    """Add this command to the subparsers of a parser."""
    parser = command(
        commands, "score", _score, "score audio files with a detector, and decide whether they are bona fide", *EXAMPLES
    )
    add_file(parser, "files", "audio files, or folders of them", nargs="*")
    parser.add_argument("--model", help=MODEL, metavar="MODEL")
    parser.add_argument("--card", action="store_true", help="print the card of the detector, and score nothing")
    add_file(
        parser, "--output",
        "also write the scores to this TSV: trial_id (the path within the folder, without suffix) and score",
    )  # fmt: skip
    _add_segments(parser)
    add_file(parser, "--calibration", "a calibration file; by default the model folder's, if it has one")
    parser.add_argument(
        "--threshold",
        choices=("llr", "eer", "logits"),
        help="decide by LLR 0 (default with calibration), the EER threshold of dev, or equal logits (default without)",
    )
    parser.add_argument(
        "--published",
        choices=("softmax", "logit", "log_probability"),
        help="also print the first window's score as in released code: P(bona fide) of Xie et al., the logit of AASIST"
        " and others, or the logarithm of P(bona fide) of SLS",
    )
    parser.add_argument("--front-end", help="folder or hub id of the pretrained front-end, if it has moved")
    add_json(parser, "print one JSON object, with every window's score")
    _add_speed(parser)
    add_device(parser)


def _add_segments(parser: argparse.ArgumentParser) -> None:
    add_file(
        parser, "--segments",
        "also write the scores of segments to this TSV, to find partial fakes: trial_id, start, end (seconds), score",
    )  # fmt: skip
    parser.add_argument("--window", type=float, metavar="S", help="seconds of a segment of --segments (default: 0.5)")
    parser.add_argument("--hop", type=float, metavar="S", help="seconds between their starts (default: 0.25)")


def _add_speed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers", type=count, default=0, metavar="N", help="processes that read files ahead; 0: none but this one"
    )
    parser.add_argument(
        "--batch-size", type=positive, default=1, metavar="N",
        help="windows that the network takes at once; more are faster on a GPU, and change the last digits of scores",
    )  # fmt: skip
    parser.add_argument(
        "--weights-folder", type=Path, default=Path("weights"), metavar="DIR",
        help="folder of downloaded models, in its subfolder hub",
    )  # fmt: skip


def _score(options: argparse.Namespace) -> None:
    from codecfake.base.printing import printable_lines
    from codecfake.scoring import model_sources

    if not options.card and not options.files:
        options.parser.error("no files to score; name audio files, or folders of them")
    if options.card and options.files:
        options.parser.error("--card prints the card alone; leave out the files, or --card")
    source = model_sources.find(options.model, os.environ, options.weights_folder, options.front_end)
    if options.card:
        print(printable_lines(source.read_card().rstrip("\n")))
        return
    try:
        num_failed = _score_files(options, source)
    except KeyboardInterrupt:
        output = f": {options.output} was not written" if options.output else ""
        print(f"Interrupted{output}.", file=sys.stderr)
        sys.exit(INTERRUPTED)
    if num_failed:
        sys.exit(1)


def _score_files(options: argparse.Namespace, source: "Source") -> int:
    """Score and print everything; the number of files and folders that could not be used."""
    from codecfake.base.devices import prepare, use_huge_pages
    from codecfake.scoring import judging, score_table, verdicts
    from codecfake.scoring.audio_files import audio_files, trial_ids
    from codecfake.scoring.outcome_texts import Texts
    from codecfake.scoring.segment_table import segment_table
    from codecfake.scoring.segments import Segmenter

    listing = audio_files(options.files)
    for path, option in ((options.output, "--output"), (options.segments, "--segments")):
        if path:
            score_table.require_possible(path, listing.paths, option)
            trial_ids(listing)
    segments = _segment_settings(options)
    place = options.calibration or source.folder / verdicts.CALIBRATION
    dev = verdicts.read(place) if options.calibration or place.is_file() else None
    rule = verdicts.rule(options.threshold, dev, place)
    use_huge_pages()
    device = prepare(options.device, options.threads)
    judge = judging.Judge(source.folder, device, options.front_end, options.published, options.batch_size)
    texts = Texts(rule, dev, judge.window_samples, source.card)
    if source.is_demonstration and not options.json:
        print(source.notice, flush=True)
    with (
        score_table.score_table(options.output) if options.output else nullcontext() as table,
        segment_table(options.segments, Segmenter(judge, segments)) if segments else nullcontext() as segment_rows,
    ):
        outcomes = _Outcomes(judge, listing, options.workers, table, segment_rows)
        _print(outcomes, texts, listing, options.json)
    return outcomes.num_failed + len(listing.left_out.unreadable)


def _segment_settings(options: argparse.Namespace) -> "SegmentSettings | None":
    """None without --segments. Raises SettingsError for lengths that cannot be."""
    from codecfake.base.settings import build
    from codecfake.scoring.segment_settings import SegmentSettings

    lengths = {name: value for name in ("window", "hop") if (value := getattr(options, name)) is not None}
    if lengths and not options.segments:
        options.parser.error(f"--{next(iter(lengths))} is of segments; give --segments FILE, or leave it out")
    return build(SegmentSettings, lengths) if options.segments else None


class _Outcomes:
    """The outcomes of all files, one at a time; counts them and adds their scores to a table."""

    def __init__(
        self,
        judge: "Judge",
        listing: "Listing",
        workers: int,
        table: "ScoreTable | None",
        segments: "SegmentTable | None",
    ) -> None:
        self._judge, self._listing, self._workers, self._table = judge, listing, workers, table
        self._segments = segments
        self.num_judged = self.num_failed = 0

    def __iter__(self) -> "Iterator[Outcome]":
        from codecfake.base.progress import progress
        from codecfake.scoring import reading
        from codecfake.scoring.reading import Failure

        paths = self._listing.paths
        readings = reading.read_all(paths, self._workers)
        if self._segments is not None:
            readings = self._segments.passing(readings, self._listing.names)
        outcomes: Iterable[Any] = self._judge.judge_all(readings)
        bar = progress(outcomes, "score", len(paths), "file", silent=len(paths) == 1)
        for name, outcome in zip(self._listing.names, bar, strict=True):
            if isinstance(outcome, Failure):
                self.num_failed += 1
            else:
                self.num_judged += 1
                if self._table is not None:
                    self._table.add(name, outcome.score)
            yield outcome


def _print(outcomes: _Outcomes, texts: "Texts", listing: "Listing", as_json: bool) -> None:
    from codecfake.base.printing import print_json

    if as_json:
        for piece in texts.json_pieces(outcomes, listing.left_out):
            print_json(piece, end="")
        print(flush=True)
        return
    for outcome in outcomes:
        print(texts.line(outcome), flush=True)
    print(texts.summary(outcomes.num_judged, outcomes.num_failed, listing.left_out))
