"""The check of a whole data set, in one pass over its clips."""

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from codecfake.audio import waveforms
from codecfake.audio.decoding import AudioError
from codecfake.audio.shard_index import ShardError
from codecfake.base import json_texts
from codecfake.base.utterances import KEYS
from codecfake.publishing import forms
from codecfake.publishing.checks import file_digests
from codecfake.publishing.checks.findings import Fault, Findings
from codecfake.publishing.checks.leaks import Leaks
from codecfake.publishing.checks.twins import Twins
from codecfake.publishing.clips import Place, PublishingError
from codecfake.publishing.output import LABEL_POLICY, RECORD
from codecfake.publishing.published import PublishedClip

Counts = Counter[tuple[str, str, str]]  # part, split, key -> clips


def check(folder: Path, form: str | None = None) -> Findings:
    """Everything that is wrong with a data set; `form`: None to recognize it.

    Raises PublishingError if there is no such folder, or if its form is not recognized.
    """
    if not folder.is_dir():
        raise PublishingError(f"{folder}: there is no such folder")
    findings = Findings()
    findings.add(file_digests.faults(folder))
    findings.notes += file_digests.notes(folder)
    record = _record(folder)
    _check_clips(folder, form or record.get("form") or forms.recognize(folder), record, findings)
    return findings


def _check_clips(folder: Path, form: str, record: dict[str, Any], findings: Findings) -> None:
    twins, leaks, counts, number = Twins(record.get(LABEL_POLICY)), Leaks(), Counts(), 0
    try:
        for clip in forms.form(form).read(folder):
            number += 1
            counts.update((*place, str(clip.key)) for place in clip.places)
            findings.add(_faults_of_clip(clip, twins, leaks))
    except (PublishingError, OSError, ValueError) as error:
        findings.add([Fault("file", form, f"reading stopped after {number} clips: {error}")])
        return
    findings.add(twins.faults())
    findings.add(leaks.faults())
    findings.add(_count_faults(counts, record, form))
    findings.add(_faults_of_missing_twins(twins, record, form))
    findings.notes += [f"{number} clips in the form {form}", *_notes(twins, leaks, record)]


def _faults_of_clip(clip: PublishedClip, twins: Twins, leaks: Leaks) -> Iterator[Fault]:
    if clip.key is not None and clip.key not in KEYS:
        yield Fault("key", clip.where, f"{clip.clip_id} has the key {clip.key!r}, not one of {', '.join(KEYS)}")
    try:
        data = clip.audio()
        waveforms.decode(data, clip.clip_id)
    except (AudioError, ShardError, OSError) as error:
        yield Fault("audio", clip.where, str(error))
        data = b""
    digest = sha256(data)
    if data and clip.sha256 and digest.hexdigest() != clip.sha256:
        yield Fault("digest", clip.where, f"{clip.clip_id}: the audio has another sha256 than its row says")
    yield from twins.add(clip)
    yield from leaks.add(clip, digest.digest() if data else clip.where.encode())


def _count_faults(counts: Counts, record: dict[str, Any], form: str) -> Iterator[Fault]:
    """Differences from the numbers in the record of the publication, in the places that the form has."""
    if not record:
        return
    expected = Counts()
    for part, splits in record["counts"].items():
        for split, keys in splits.items():
            place = forms.place_of(form)(Place(part, split))
            expected.update({(*place, key): number for key, number in keys.items()} if place else {})
    for name in sorted(expected.keys() | counts.keys()):
        if expected[name] != counts[name]:
            where = f"{name[0]}/{name[1]}".lstrip("/")
            yield Fault("count", where, f"{counts[name]} {name[2]} clips, but {RECORD} says {expected[name]}")


def _faults_of_missing_twins(twins: Twins, record: dict[str, Any], form: str) -> Iterator[Fault]:
    if not record or "twin_id" in forms.without(form):
        return
    if twins.num_without != record["fakes_without_twin"]:
        what = f"{twins.num_without} fakes without their recording, but {RECORD} says {record['fakes_without_twin']}"
        yield Fault("twin", "all parts", what)


def _notes(twins: Twins, leaks: Leaks, record: dict[str, Any]) -> Iterator[str]:
    if not record:
        yield f"no {RECORD}: the numbers of clips were not checked"
        if twins.num_without:
            yield f"the recordings of {twins.num_without} fakes are not in this data set"
    for codec, keys in record.get(LABEL_POLICY, {}).items():
        coded = ", ".join(f"coded {original} speech is {key}" for original, key in keys.items())
        yield f"label policy, codec {codec}: {coded}"
    yield from leaks.notes()


def _record(folder: Path) -> dict[str, Any]:
    """The record of a publication; empty for a data set of others."""
    path = folder / RECORD
    return json_texts.read_object(path, "publish again") if path.is_file() else {}
