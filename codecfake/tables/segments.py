"""The segments of a condition with partial fakes: their scores, keys and speakers."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from codecfake.audio.spans import coded_share
from codecfake.base import files
from codecfake.base.utterances import BONAFIDE, SPOOF
from codecfake.protocols.people import People, SpeakersOf
from codecfake.protocols.trials import RECORDING, SPEECH
from codecfake.tables.trials import ScoreError

Spans = dict[tuple[str, str], list[tuple[float, float]]]  # of the utterance of a corpus, in seconds


def read_spans(root: Path, corpora: Iterable[str], source: str) -> Spans:
    """The spans of a source, from `root/{corpus}/{source}.tsv`."""
    spans: Spans = {}
    for corpus in corpora:
        table = files.read_tsv(root / corpus / f"{source}.tsv").astype({"start": float, "end": float})
        for row in table.itertuples():
            spans.setdefault((corpus, str(row.utterance_id)), []).append((row.start, row.end))
    return spans


def read_segments(
    scores: Path, protocol: Path, spans_root: Path, source: str, spoof_share: float, speakers_of: SpeakersOf
) -> pd.DataFrame:
    """The segments of all trials, in order: `start`, `end`, `score`, `is_coded`, and of their trials
    `trial_id`, `corpus`, `source`, `utterance_id`, `key`, `speaker` and `utterance`.

    A segment is coded if at least `spoof_share` of it is in spans of a partial fake, and more than nothing. Raises
    ScoreError if the segments are not those of the trials.
    """
    trials = files.read_tsv(protocol)
    utterance = trials["corpus"] + "/" + trials["utterance_id"]
    trials = trials.assign(speaker=People(trials, speakers_of=speakers_of).names(trials), utterance=utterance)
    segments = _read(scores, trials)
    spans = read_spans(spans_root, dict.fromkeys(trials.loc[trials["key"] == SPOOF, "corpus"]), source)
    columns = ["trial_id", *RECORDING, "key", "speaker", "utterance"]
    table = trials[columns].merge(segments, on=RECORDING, how="left", validate="one_to_many")
    is_coded = [
        key == SPOOF and _is_coded(start, end, spans[corpus, name], spoof_share)
        for key, corpus, name, start, end in zip(
            *(table[name] for name in ["key", *SPEECH, "start", "end"]), strict=True
        )
    ]
    return table.assign(is_coded=is_coded)


def _is_coded(start: float, end: float, spans: list[tuple[float, float]], spoof_share: float) -> bool:
    share = coded_share(start, end, spans)
    return share > 0 and share >= spoof_share


def _read(path: Path, trials: pd.DataFrame) -> pd.DataFrame:
    """The segments of a score file, which has those of all conditions."""
    table = files.read_tsv(path)
    absent = ~pd.MultiIndex.from_frame(trials[RECORDING]).isin(pd.MultiIndex.from_frame(table[RECORDING]))
    if absent.any():
        raise ScoreError(
            f"{path}: no segments of trial {trials.loc[absent, 'trial_id'].iloc[0]}; delete {path} and run again"
        )
    return table.astype(dict.fromkeys(("start", "end", "score"), float))


def pairs(segments: pd.DataFrame) -> pd.DataFrame:
    """The coded segments of partial fakes, and the same segments of their recordings.

    Raises ScoreError if a fake has no recording, or one with other segments.
    """
    coded = segments[segments["is_coded"]]
    recorded = segments[segments["key"] == BONAFIDE]
    place = [*SPEECH, "start"]
    same = recorded[pd.MultiIndex.from_frame(recorded[place]).isin(pd.MultiIndex.from_frame(coded[place]))]
    if len(same) != len(coded):
        lost = set(map(tuple, coded[place].to_numpy())) - set(map(tuple, same[place].to_numpy()))
        first = next(iter(sorted(lost)), ("?", "?", "?"))
        raise ScoreError(
            f"the segment of {first[0]}/{first[1]} at {first[2]} s has no counterpart in its recording; the condition "
            f"must evaluate the recordings of its partial fakes: score the segments again"
        )
    return pd.concat([same, coded])


def lowest(segments: pd.DataFrame) -> pd.DataFrame:
    """A row for each trial, with the score of its lowest segment."""
    return segments.sort_values("score", kind="stable").drop_duplicates("trial_id").sort_index()


def stretches(segments: pd.DataFrame, spans: Spans) -> pd.DataFrame:
    """All time of the trials, cut where a window or a span begins or ends: a range-based view (Zhang et al. 2023).

    A stretch has the mean score of the windows that cover it, `is_coded` by its place, and the weight `milliseconds`.
    """
    parts = [_stretches(rows, spans) for _, rows in segments.groupby("trial_id", sort=False)]
    return pd.concat(parts, ignore_index=True)


def _stretches(rows: pd.DataFrame, spans: Spans) -> pd.DataFrame:
    """Those of one trial."""
    first = rows.iloc[0]
    places = spans[first["corpus"], first["utterance_id"]] if first["key"] == SPOOF else []
    starts, ends = (rows[name].to_numpy() for name in ("start", "end"))
    edges = np.unique(np.concatenate([starts, ends, np.ravel(places)]))
    edges = edges[(edges >= starts.min()) & (edges <= ends.max())]
    milliseconds = np.rint(1000 * np.diff(edges)).astype(np.int64)
    middles = (edges[1:] + edges[:-1]) / 2
    covers = (starts <= middles[:, None]) & (middles[:, None] < ends)
    scores = (covers * rows["score"].to_numpy()).sum(axis=1) / covers.sum(axis=1)
    is_coded = [any(start <= middle < end for start, end in places) for middle in middles]
    table = pd.DataFrame({"score": scores, "is_coded": is_coded, "milliseconds": milliseconds})
    return table[milliseconds > 0].assign(speaker=first["speaker"], utterance=first["utterance"])
