"""The command line behind the workflow's rules: `python -m codecfake COMMAND --help`."""

import argparse
import json
import logging
import os
import shlex
import sys
from pathlib import Path

from codecfake.settings import build, from_json


def main(arguments: list[str] | None = None) -> None:
    """Run one command; errors that a user can mend end in one message, without a traceback."""
    logging.basicConfig(format="%(levelname)s %(message)s")
    logging.getLogger("codecfake").setLevel(logging.INFO)
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError, RuntimeError) as error:
        logging.getLogger("codecfake").debug("", exc_info=True)
        sys.exit(f"{type(error).__name__}: {error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m codecfake", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    plan = _command(commands, "plan", _plan, "what a run will take: jobs, hours, disk", settings=False)
    plan.add_argument("--config", type=Path, default=Path("config.yaml"), help="the site, as Snakemake reads it")
    plan.add_argument("--experiment", help="another experiment than the site's")
    plan.add_argument("--directory", type=Path, default=Path(), help="the run directory: what is made there is counted")
    plan.add_argument("--optional", action="store_true", help="as if all optional corpora were there")
    plan.add_argument("--device", choices=("cpu", "cuda"), help="where networks run; by default where the site says")
    plan.add_argument("--rates", type=Path, help="YAML of rates of your own, as benchmarks/rates.py prints them")
    plan.add_argument("--rate", nargs="+", default=[], help="single ones, NAME=NUMBER", metavar="RATE")
    plan.add_argument("--json", action="store_true", help="print one JSON object")

    demo = _command(commands, "demo", _demo, "synthesize the demo corpora in their official layouts")
    demo.add_argument("--output", type=Path, required=True)
    demo.add_argument("--workers", type=int, default=1)

    ingest = _command(commands, "ingest", _ingest, "list a corpus and decode every file once")
    ingest.add_argument("--root", type=Path, required=True, help="the corpus's folder")
    ingest.add_argument("--utterances", type=Path, required=True, help="the utterance table to write (parquet)")
    ingest.add_argument("--rejected", type=Path, required=True, help="the list of bad files to write (TSV)")
    ingest.add_argument("--workers", type=int, default=1)

    record = _command(commands, "record", _record, "write one shard of recordings as they are")
    record.add_argument("--utterances", type=Path, required=True)
    record.add_argument("--root", type=Path, required=True, help="the corpus's folder")
    record.add_argument("--shard", type=int, required=True)
    record.add_argument("--output", type=Path, required=True, help="the tar to write")

    listed = _command(commands, "list-shards", _list_shards, "list the shards of a source", settings=False)
    listed.add_argument("shards", type=Path, nargs="+", help="tars and indexes", metavar="SHARD")
    listed.add_argument("--output", type=Path, required=True, help="the TSV to write")

    partition = _command(commands, "partition", _partition, "write the train and dev protocols of a domain")
    condition = _command(commands, "condition", _condition, "write the eval protocol of a condition")
    for parser_ in (partition, condition):
        parser_.add_argument("--name", required=True)
        parser_.add_argument("--corpora", type=Path, required=True, help="folder of {corpus}/utterances.parquet")
        parser_.add_argument("--output", type=Path, required=True, help="folder of protocols")

    sources = _command(commands, "sources", _sources, "write which codec makes which source")
    sources.add_argument("--output", type=Path, required=True, help="the TSV to write")

    check = _command(commands, "check-lists", _check_lists, "refuse to train on what is judged", settings=False)
    check.add_argument("--lists", type=Path, nargs="+", required=True, help="train and dev protocols")
    check.add_argument("--judged", type=Path, nargs="+", required=True, help="every eval protocol")
    check.add_argument("--output", type=Path, required=True, help="the TSV to write: how long the lists are")

    train = _command(commands, "train", _train, "train one detector")
    train.add_argument("--train", type=Path, nargs="+", required=True, help="train protocols")
    train.add_argument("--dev", type=Path, nargs="+", required=True, help="dev protocols")
    train.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    train.add_argument("--output", type=Path, required=True)
    train.add_argument("--device", default="auto", choices=("cpu", "cuda", "auto"))
    train.add_argument("--threads", type=int, default=1)
    train.add_argument("--feature-cache", type=Path, help="folder for features, with cache_features: disk")
    train.add_argument("--feature-cache-gb", type=float, default=float("inf"), help="how much one cache may take there")

    score = _command(commands, "score-conditions", _score_conditions, "score the trials of conditions", settings=False)
    score.add_argument("--model", type=Path, required=True)
    score.add_argument("--protocols", type=Path, nargs="+", required=True, help="eval protocols, {condition}.tsv")
    score.add_argument("--trained-on", type=Path, nargs="*", default=[], help="the model's train protocols")
    score.add_argument("--audio", type=Path, required=True)
    score.add_argument("--output", type=Path, required=True, help="folder for {condition}.tsv")
    score.add_argument("--kept", type=Path, help="folder where scores are kept by source, for the next time")
    score.add_argument("--device", default="auto", choices=("cpu", "cuda", "auto"))
    score.add_argument("--threads", type=int, default=1)
    for parser_ in (train, score):
        parser_.add_argument("--gpus", type=int, choices=(0, 1), help="GPUs that the workflow gives this job")
        parser_.add_argument("--workers", type=_count, default=0, help="processes that decode audio; 0: this one does")

    calibrate = _command(commands, "calibrate", _calibrate, "calibrate a model by scores of dev", settings=False)
    calibrate.add_argument("--scores", type=Path, required=True, help="the TSV that score-conditions wrote of dev")
    calibrate.add_argument("--protocol", type=Path, required=True, help="the protocol that was scored")
    calibrate.add_argument("--output", type=Path, required=True, help="the JSON to write: MODEL/calibration.json")

    judge = _command(commands, "score", _score, "score and judge audio files of any kind", settings=False)
    judge.add_argument("files", type=Path, nargs="+", help="audio files, or folders of them", metavar="FILE")
    judge.add_argument("--model", type=Path, required=True, help="a model folder, trained or imported")
    judge.add_argument("--calibration", type=Path, help="a calibration; by default the model folder's, if it has one")
    judge.add_argument(
        "--threshold",
        choices=("llr", "eer", "logits"),
        help="judge by LLR 0 (with a calibration the default), the EER threshold of dev, or equal logits (without one)",
    )
    judge.add_argument(
        "--published",
        choices=("softmax", "logit"),
        help="give the first window's score as released code does, too: P(bona fide) of Xie et al., or AASIST's logit",
    )
    judge.add_argument("--front-end", help="folder or hub id of the pretrained front-end, if not that of training")
    judge.add_argument("--json", action="store_true", help="print one JSON object, with every window's score")
    judge.add_argument("--device", default="auto", choices=("cpu", "cuda", "auto"))
    judge.add_argument("--threads", type=int, default=os.cpu_count() or 1)

    released = _command(commands, "import-checkpoint", _import_checkpoint, "import released weights", settings=False)
    released.add_argument("file", type=Path, help="a released .pt or .pth; nothing of it is executed", metavar="FILE")
    released.add_argument("--detector", required=True, help="mel-lcnn, w2v2-lcnn, w2v2-aasist, …, aasist, aasist-l")
    released.add_argument("--output", type=Path, required=True, help="the model folder to write")
    released.add_argument("--front-end", help="folder or hub id of its pretrained front-end; by default the published")

    tables = _command(commands, "tables", _tables, "compute the tables from score files")
    tables.add_argument("--scores", type=Path, required=True)
    tables.add_argument(
        "--protocols", type=Path, required=True, help="folder of protocols: {domain}/{split}.tsv, eval/"
    )
    tables.add_argument(
        "--models", type=Path, required=True, help="folder of {model}/history.tsv, for figures of losses"
    )
    tables.add_argument("--published", type=Path, required=True, help="folder of the papers' own tables")
    tables.add_argument("--output", type=Path, required=True)
    tables.add_argument("--workers", type=int, default=1, help="processes, which take a condition each")

    spectrograms = _command(commands, "spectrograms", _spectrograms, "draw utterances through every source")
    spectrograms.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    spectrograms.add_argument("--protocol", type=Path, required=True, help="whose bona fide trials are drawn")
    spectrograms.add_argument("--output", type=Path, required=True, help="folder of figures")

    quality = _command(commands, "quality", _quality, "measure how well one source gives held-out speech back")
    quality.add_argument("--protocols", type=Path, nargs="+", required=True, help="whose bona fide trials are measured")
    quality.add_argument("--audio", type=Path, required=True, help="folder of {corpus}/{source}/{shard}.tar")
    quality.add_argument("--output", type=Path, required=True, help="the TSV to write, a row an utterance")

    summary = _command(commands, "quality-summary", _quality_summary, "compute the tables of quality over all sources")
    summary.add_argument("--measured", type=Path, required=True, help="folder of {source}.tsv")
    summary.add_argument("--output", type=Path, required=True, help="folder for quality.csv and quality_order.csv")

    audit = _command(
        commands, "audit", _audit, "look for leaks between lists, duplicates and shortcuts; 1 if there are faults"
    )
    audit.add_argument("--results", type=Path, required=True)
    audit.add_argument("--output", type=Path, required=True, help="folder for audit.json and tables")
    audit.add_argument(
        "--leave-verdict", action="store_true", help="write faults down, and leave it to audit-verdict to fail"
    )

    verdict = _command(commands, "audit-verdict", _audit_verdict, "fail if an audit found faults", settings=False)
    verdict.add_argument("--audit", type=Path, required=True, help="its audit.json")
    verdict.add_argument("--output", type=Path, required=True, help="the text to write if there are none")

    report = _command(commands, "report", _report, "write the HTML report")
    report.add_argument("--results", type=Path, required=True)
    report.add_argument("--output", type=Path, required=True)

    watch = _command(commands, "watch", _watch, "show how far a run is, from beside it", settings=False)
    watch.add_argument("--directory", type=Path, default=Path(), help="the run's, as given to Snakemake")
    watch.add_argument("--every", type=float, metavar="SECONDS", help="show it again and again until the run ends")

    verify = _command(commands, "verify", _verify, "check score files and numbers printed of them", settings=False)
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

    eer = _command(commands, "eer", _eer, "print the EER of score files, with an interval", settings=False)
    eer.add_argument("scores", type=Path, nargs="+")
    eer.add_argument("--speakers", type=Path, help="TSV of trial_id and speaker_id: speakers are drawn, not trials")
    for parser_, resamples in ((verify, 0), (eer, 1000)):
        parser_.add_argument("--protocol", type=Path, nargs="+", default=[], help="keys; needed where scores have none")
        parser_.add_argument("--level", type=float, default=0.95, help="of the intervals")
        parser_.add_argument("--resamples", type=_count, default=resamples, help="of the intervals; 0: exact bounds")
        parser_.add_argument("--bonafide-digit", choices=("0", "1"), default="1", help="of labels 0 and 1")

    check = _command(
        commands, "check", _check, "hold all that is finished to its digests; 1 if damaged", settings=False
    )
    check.add_argument("--results", type=Path, default=Path("results"))
    check.add_argument(
        "--delete", action="store_true", help="delete what is damaged, for the workflow to make it again"
    )
    check.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that read a shard each")

    export = _command(commands, "export", _export, "unpack shards into loose FLAC files", settings=False)
    export.add_argument("--audio", type=Path, default=Path("results/audio"))
    export.add_argument("--to", type=Path, required=True)
    export.add_argument("--sources", nargs="+", help="e.g. F00 F01; all by default")
    return parser


def _command(commands, name: str, run, text: str, settings: bool = True) -> argparse.ArgumentParser:  # type: ignore[no-untyped-def]
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    if settings:
        parser.add_argument("--settings", required=True, help="the step's settings as a JSON object")
    return parser


def _plan(options: argparse.Namespace) -> None:
    from codecfake.planning import costs, rates, rendering
    from codecfake.validation import read_yaml

    config = read_yaml(options.config)
    config |= {"experiment": options.experiment} if options.experiment else {}
    device = options.device or config.get("device", "auto")
    known = rates.given(rates.shipped(), options.rates, options.rate)
    base = Path(__file__).parents[1]
    experiment = costs.planned(config, base, options.optional)
    roots = {name: base / root for name, root in (config.get("corpora") or {}).items() if root}
    plan = costs.plan(experiment, options.directory, known, "cpu" if device == "cpu" else "gpu", roots)
    needed = costs.left(plan, options.directory)
    outcome = (plan, needed, options.directory, costs.free_bytes(options.directory))
    print(json.dumps(rendering.as_json(*outcome), indent=2) if options.json else rendering.as_text(*outcome))
    costs.require_room(needed, options.directory)


def _demo(options: argparse.Namespace) -> None:
    from codecfake.demo.corpora import synthesize
    from codecfake.demo.settings import DemoSettings

    synthesize(options.output, from_json(DemoSettings, options.settings), options.workers)


def _ingest(options: argparse.Namespace) -> None:
    from codecfake.ingest import IngestSettings, ingest

    settings = from_json(IngestSettings, options.settings)
    ingest(options.root, settings, options.utterances, options.rejected, options.workers)


def _record(options: argparse.Namespace) -> None:
    from codecfake.recordings import RecordingsSettings, write_shard

    settings = from_json(RecordingsSettings, options.settings)
    write_shard(settings, options.utterances, options.root, options.shard, options.output)


def _list_shards(options: argparse.Namespace) -> None:
    from codecfake.shard_lists import write_list

    write_list([path for path in options.shards if path.suffix == ".parquet"], options.output)


def _partition(options: argparse.Namespace) -> None:
    from codecfake.protocols import PartitionSettings, write_partition

    write_partition(from_json(PartitionSettings, options.settings), options.corpora, options.output, options.name)


def _condition(options: argparse.Namespace) -> None:
    from codecfake.protocols import ConditionSettings, write_condition

    write_condition(from_json(ConditionSettings, options.settings), options.corpora, options.output, options.name)


def _sources(options: argparse.Namespace) -> None:
    from codecfake.sources import SourcesSettings, write_sources

    write_sources(from_json(SourcesSettings, options.settings), options.output)


def _check_lists(options: argparse.Namespace) -> None:
    from codecfake.trials import check_unjudged

    check_unjudged(options.lists, options.judged, options.output)


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is below 0")
    return number


def _train(options: argparse.Namespace) -> None:
    from codecfake.devices import prepare_job, use_huge_pages
    from codecfake.feature_cache import CachePlace
    from codecfake.training import TrainSettings, train

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    settings = from_json(TrainSettings, options.settings)
    place = CachePlace(options.feature_cache, options.feature_cache_gb * 1e9) if options.feature_cache else None
    train(options.train, options.dev, options.audio, options.output, settings, device, options.workers, place)


def _score_conditions(options: argparse.Namespace) -> None:
    from codecfake.devices import prepare_job, use_huge_pages
    from codecfake.scoring import score

    use_huge_pages()
    device = prepare_job(options.device, options.gpus, options.threads)
    score(
        options.model,
        options.protocols,
        options.audio,
        options.output,
        device,
        options.trained_on,
        workers=options.workers,
        kept=options.kept,
    )


def _calibrate(options: argparse.Namespace) -> None:
    from codecfake.verdicts import calibrate

    calibrate(options.scores, options.protocol, options.output)


def _score(options: argparse.Namespace) -> None:
    from codecfake import judging, verdicts
    from codecfake.devices import prepare, use_huge_pages

    paths, others = judging.audio_files(options.files)
    place = options.calibration or options.model / verdicts.CALIBRATION
    dev = verdicts.read(place) if options.calibration or place.is_file() else None
    rule = verdicts.rule(options.threshold, dev, place)
    use_huge_pages()
    device = prepare(options.device, options.threads)
    judge = judging.Judge(options.model, device, options.front_end, options.published)
    outcomes = []
    for outcome in judging.judge_files(judge, paths):
        outcomes.append(outcome)
        if not options.json:
            print(judging.as_line(outcome, rule, dev), flush=True)
    if options.json:
        print(judging.as_json(judge, outcomes, rule, dev))
    else:
        print(judging.summary(judge, outcomes, rule, others))
    if any(isinstance(outcome, judging.Failure) for outcome in outcomes):
        sys.exit(1)


def _import_checkpoint(options: argparse.Namespace) -> None:
    from codecfake.released import import_checkpoint

    import_checkpoint(options.file, options.detector, options.output, options.front_end)


def _tables(options: argparse.Namespace) -> None:
    from codecfake.published import Published
    from codecfake.tables import TableSettings, evaluate
    from codecfake.tables.comparisons import write_comparisons
    from codecfake.tables.figures import Results, write_figures
    from codecfake.tables.papers import write_papers
    from codecfake.tables.rates import write_rates

    settings = from_json(TableSettings, options.settings)
    published, judged = Published(options.published), options.protocols / "eval"
    rates = evaluate(options.scores, judged, settings, options.workers)
    write_rates(rates, options.output)
    write_comparisons(options.scores, judged, settings, published.baselines, options.output, options.workers)
    write_papers(published, settings.papers, rates, options.protocols, options.output, settings.title)
    write_figures(Results(rates, published, options.models), settings.figures, options.output / "figures")


def _spectrograms(options: argparse.Namespace) -> None:
    from codecfake.tables.figures import SpectrogramSettings, write_spectrograms

    sources = from_json(SpectrogramSettings, options.settings).sources
    write_spectrograms(options.audio, options.protocol, sources, options.output)


def _quality(options: argparse.Namespace) -> None:
    from codecfake.quality import QualitySettings, measure_source

    measure_source(from_json(QualitySettings, options.settings), options.protocols, options.audio, options.output)


def _quality_summary(options: argparse.Namespace) -> None:
    from codecfake.quality import SummarySettings, write_summary

    write_summary(from_json(SummarySettings, options.settings), options.measured, options.output)


def _audit(options: argparse.Namespace) -> None:
    from codecfake.audit.settings import AuditSettings
    from codecfake.audit.step import audit, require_no_faults

    audit(from_json(AuditSettings, options.settings), options.results, options.output)
    if not options.leave_verdict:
        require_no_faults(options.output / "audit.json")


def _audit_verdict(options: argparse.Namespace) -> None:
    from codecfake.audit.step import require_no_faults
    from codecfake.files import write_text

    require_no_faults(options.audit)
    write_text(options.output, "no faults\n")


def _report(options: argparse.Namespace) -> None:
    from codecfake.report.excerpts import choose
    from codecfake.report.inputs import ReportInputs
    from codecfake.report.page import write_report

    asked = json.loads(options.settings)
    excerpts = choose(options.results / "protocols" / "eval" / f"{asked['conditions'][0]}.tsv")
    inputs = {**asked, "results": options.results, "excerpts": excerpts}
    write_report(build(ReportInputs, inputs), options.output)


def _watch(options: argparse.Namespace) -> None:
    from codecfake.watching.following import watch

    watch(options.directory, options.every)


def _verify(options: argparse.Namespace) -> None:
    from codecfake.files import write_json
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


def _check(options: argparse.Namespace) -> None:
    from codecfake.check import check, delete

    damages = list(check(options.results, options.workers))
    for damage in damages:
        print(f"{damage.path}: {damage.what}")
    if not damages:
        print(f"{options.results}: all that is finished is what was written")
    elif options.delete:
        gone = [path.relative_to(options.results.parent) for path in delete(damages)]
        print("\nDeleted. To make it again, and nothing else (add the --config of your run, if it had one):")
        print(f"snakemake --directory {shlex.quote(str(options.results.parent))} -- {shlex.join(map(str, gone))}")
    else:
        sys.exit(f"{len(damages)} damaged; --delete deletes what is to be made again")


def _export(options: argparse.Namespace) -> None:
    from codecfake.export import export

    print(f"{export(options.audio, options.to, options.sources)} files written to {options.to}")


if __name__ == "__main__":
    main()
