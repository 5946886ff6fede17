"""The audit as a step of the workflow: all checks, their tables, and the faults with their remedies."""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from codecfake.audio.shards import AudioStore
from codecfake.audit import duplicates, lists, overlap, probes, silence
from codecfake.audit.features import CODECS_CHANGE, FEATURES
from codecfake.audit.settings import AuditError, AuditSettings
from codecfake.base import files

TABLES = {
    "overlap": overlap.Overlap, "duplicates": duplicates.Duplicate, "twins": duplicates.Twins,
    "shortcuts": probes.Shortcut,
}  # fmt: skip
logger = logging.getLogger(__name__)

COUNTED = ["list", "corpus", "language", "source", "key"]


@dataclass(frozen=True)
class Fault:
    check: str
    where: str
    message: str


def audit(settings: AuditSettings, results: Path, output: Path) -> list[Fault]:
    """Run every check; write `overlap.csv`, `duplicates.csv`, `twins.csv`, `counts.csv`, `shortcuts.csv` and
    `audit.json` into the folder `output`; returns the faults."""
    tables = lists.read_tables(settings, results)
    trial_lists = lists.read_lists(settings, results, tables)
    store = AudioStore(results / "audio", lists.audio_of(trial_lists))
    trial_lists = lists.with_audio(trial_lists, store)
    tables_of: dict[str, list[Any]] = {
        "overlap": [*overlap.between_lists(settings, trial_lists), *_between_corpora(settings, tables)],
        "duplicates": duplicates.duplicates(settings, store),
        "twins": list(duplicates.twins(settings, trial_lists, store)),
        "shortcuts": probes.shortcuts(settings, trial_lists, store),
    }
    for name, row in TABLES.items():
        _write_csv(
            output / f"{name}.csv", pd.DataFrame(tables_of[name], columns=[column.name for column in fields(row)])
        )
    _write_csv(output / "counts.csv", counts(trial_lists))
    faults = list(_faults(tables_of))
    if "silence" not in settings.limits.accepted:
        silent = silence.silent_sources(trial_lists, store)
        faults += [Fault("silence", f"{item.corpus}/{item.source}", str(item)) for item in silent]
    values = {
        "faults": [asdict(fault) for fault in faults],
        "limits": asdict(settings.limits),
        "not_judged": {**CODECS_CHANGE, **settings.limits.exempt},
        "seed": settings.seed,
    }
    files.write_json(output / "audit.json", values)
    return faults


def _between_corpora(settings: AuditSettings, tables: dict[str, pd.DataFrame]) -> Iterator[overlap.Overlap]:
    yield from overlap.with_codec_training(settings, tables)
    for row in overlap.between_corpora(settings, tables):
        logger.info(
            "%s and %s share %d speakers, first %s: %s", row.first, row.second, row.common, row.example, row.why
        )
        yield row


def counts(trial_lists: list[lists.TrialList]) -> pd.DataFrame:
    """Trials, utterances, hours and speakers of every list, source and key; the fewest and most trials of a speaker."""
    trials = pd.concat([item.trials.assign(list=item.name) for item in trial_lists])
    groups = trials.groupby(COUNTED, sort=False)
    by_speaker = trials.groupby([*COUNTED, "speaker_id"], sort=False).size().groupby(COUNTED, sort=False)
    table = {
        "trials": groups.size(),
        "utterances": groups["utterance_id"].nunique(),
        "hours": (groups["duration"].sum() / 3600).round(4),
        "speakers": groups["speaker_id"].nunique(),
        "fewest_of_a_speaker": by_speaker.min(),
        "most_of_a_speaker": by_speaker.max(),
    }
    return pd.DataFrame(table).reset_index()


def require_no_faults(path: Path) -> None:
    """Raise AuditError with every fault in an `audit.json`."""
    faults = [Fault(**fault) for fault in files.read_json(path)["faults"]]
    if faults:
        text = "\n".join(f"  {fault.check}: {fault.message}" for fault in faults)
        raise AuditError(
            f"{len(faults)} faults (details in the folder of {path}):\n{text}\n"
            f"Fix them, or accept them in the experiment with a reason: "
            f"`audit: {{exempt: {{FEATURE: why}}, accepted: {{CHECK: why}}}}`"
        )


def _faults(tables_of: dict[str, list[Any]]) -> Iterator[Fault]:
    for row in tables_of["overlap"]:
        if row.verdict == overlap.FAULT:
            check = "codec_training" if row.what == "recordings" else row.what
            where = f"{row.first} and {row.second}"
            message = f"{where} share {row.common} {row.what}, first {row.example}, but {row.why}; "
            yield Fault(check, where, message + overlap.remedy(row))
    for row in tables_of["duplicates"]:
        if row.verdict == overlap.FAULT:
            where = f"{row.first} and {row.second}"
            remedy = "write `same_as` in the experiment, or correct the codec's quantizers"
            yield Fault("duplicates", where, f"{where}: {row.same} of {row.shared} utterances, {row.why}; {remedy}")
    for row in tables_of["twins"]:
        if row.verdict == overlap.FAULT:
            yield Fault("twins", row.list, _twin_message(row))
    for row in tables_of["shortcuts"]:
        if row.verdict == overlap.FAULT:
            yield Fault("shortcuts", row.source, _shortcut_message(row))


def _twin_message(row: duplicates.Twins) -> str:
    return (
        f"{row.list}: of {row.fakes} fakes of {row.source}, {row.recorded} have their recording and {row.equally_long} "
        f"have its length; the first other one is {row.example}; cut fakes to their recordings' length "
        f"(codecfake.audio.waveforms.fit) and make the shards again"
    )


def _shortcut_message(row: probes.Shortcut) -> str:
    auc = f"AUC {row.auc:.3f} [{row.low:.3f}, {row.high:.3f}] ({row.classifier}); {row.why}"
    feature = next((feature for feature in FEATURES if feature.name == row.feature), None)
    if feature is None:
        return f"{row.source} is separated from recordings by several features together, {auc}; see shortcuts.csv"
    return f"{row.source} is separated from recordings by {feature.name} ({feature.meaning}), {auc}; {feature.remedy}"


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    with files.sealed(path) as part:
        table.to_csv(part, index=False, lineterminator="\n", float_format="%.6g")
