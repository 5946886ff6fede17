"""Writes the demo's corpora, completely or not at all."""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import soundfile

from codecfake.audio import waveforms
from codecfake.base import files, processes
from codecfake.base.progress import progress
from codecfake.demo import aishell3, asvspoof2019, esc50, espeak, libritts, sounds, vctk
from codecfake.demo.plan import Plan, SoundTake, Take
from codecfake.demo.recording import record, room
from codecfake.demo.seeds import generator
from codecfake.demo.settings import DemoSettings

LAYOUTS = (vctk, aishell3, libritts, asvspoof2019)
TITLE = "Demo corpora of codecfake: synthetic speech"
CHECKSUMS = "SHA256SUMS"
OF_SOUNDS = """
ESC-50 names a layout too. Its sounds are computed from formulas: noise, impulses, resonances and gliding tones.
"""
CHUNK = 8  # utterances per task of a process


class DemoError(RuntimeError):
    """The demo's corpora cannot be written; the message says why."""


def synthesize(root: Path, settings: DemoSettings, workers: int = 1) -> None:
    """Write the corpora of speech and of sounds below `root`, with a README.txt and, at the end, SHA256SUMS.

    The same settings give the same bytes, with any number of processes (`workers`). An earlier demo in `root` is
    replaced when the new one is complete.

    Raises DemoError if `root` has other content.
    """
    plans = list(_plans(settings))
    processes.require_shared_memory()
    with files.explaining(root), _replace_when_complete(root) as part:
        for plan in plans:
            for path, text in plan.texts.items():
                _make_parent(part / path).write_text(text, encoding="utf-8")
        takes = [take for plan in plans for take in plan.takes]
        with ProcessPoolExecutor(workers, get_context("fork")) as pool:
            results = pool.map(partial(_write, part, settings.seed), takes, chunksize=CHUNK)
            for _ in progress(results, "demo speech", total=len(takes), unit="utt"):
                pass
        (part / "README.txt").write_text(_readme(settings), encoding="utf-8")
        (part / CHECKSUMS).write_text(_checksums(part), encoding="utf-8")


def faults(root: Path) -> Iterator[tuple[Path, str]]:
    """Files of a finished demo that differ from its SHA256SUMS, each with the fault; nothing without that list."""
    if not (root / CHECKSUMS).is_file():
        return
    lines = (root / CHECKSUMS).read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    if not lines or not lines[-1].endswith("\n"):
        yield root / CHECKSUMS, "was cut: its last line has no end"
        return
    digests = {name.removesuffix("\n"): digest for digest, _, name in (line.partition("  ") for line in lines)}
    names = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} - {CHECKSUMS}
    if names - digests.keys():
        yield root / CHECKSUMS, f"does not list {min(names - digests.keys())}, which is in the folder"
    for name in sorted(digests.keys() & names):
        if files.sha256(root / name) != digests[name]:
            yield root / name, f"its sha256 is not the one in {CHECKSUMS}"
    for name in sorted(digests.keys() - names):
        yield root / name, f"is missing, but {CHECKSUMS} lists it"


def _plans(settings: DemoSettings) -> Iterator[Plan]:
    yield from (layout.plan(settings) for layout in LAYOUTS)
    if settings.sound_sources:
        yield esc50.plan(settings)


@contextmanager
def _replace_when_complete(root: Path) -> Iterator[Path]:
    """Yield a new folder next to `root`, which replaces `root` if the block succeeds and is removed otherwise.

    A job that is killed inside the block leaves only the temporary folder, which the next attempt removes.
    """
    _refuse_foreign(root)
    part, old = root.with_name(f".{root.name}.part"), root.with_name(f".{root.name}.old")
    _remove(part)
    _remove(old)
    part.mkdir(parents=True)
    try:
        yield part
    except BaseException:
        _remove(part)
        raise
    if root.exists():
        root.rename(old)
    part.rename(root)
    _remove(old)


def _refuse_foreign(root: Path) -> None:
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return
    readme = root / "README.txt"
    if not (readme.is_file() and readme.read_text(encoding="utf-8", errors="replace").startswith(TITLE)):
        raise DemoError(
            f"{root}: this folder has content other than an earlier demo; give another folder, or empty this one"
        )


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _make_parent(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(root: Path, seed: int, take: Take | SoundTake) -> None:
    samples = _perform(take, seed)
    path = _make_parent(root / take.path)
    try:
        soundfile.write(path, samples, take.sample_rate, subtype="PCM_16")
    except soundfile.LibsndfileError as error:  # which does not say why
        raise DemoError(
            f"{path}: cannot be written ({error}); free some space there, make it writable for this user, or raise the "
            f"limit on the size of files (`ulimit -f unlimited`), then give the same command again"
        ) from error


def _perform(take: Take | SoundTake, seed: int) -> np.ndarray:
    """The int16 samples `[T]` of one utterance or sound."""
    clean = _sound(take, seed) if isinstance(take, SoundTake) else _speech(take)
    rng = generator(seed, "utterance", take.utterance_id)
    wav = record(clean, room(seed, take.speaker_id), take.sample_rate, rng)
    if take.attack is not None:
        wav = take.attack.spoof(wav, take.sample_rate, rng)
    samples, clipped = waveforms.to_int16(wav)
    if clipped:
        raise DemoError(f"utterance {take.utterance_id}: {clipped} samples clip; choose another seed")
    return samples


def _speech(take: Take) -> waveforms.Audio:
    try:
        samples = espeak.speak(take.sentence, take.voice.manner)
    except espeak.SpeechError as error:
        raise DemoError(f"utterance {take.utterance_id}: {error}") from error
    return waveforms.Audio(samples / waveforms.FULL_SCALE, espeak.SAMPLE_RATE)


def _sound(take: SoundTake, seed: int) -> waveforms.Audio:
    source, own = generator(seed, "sound source", take.speaker_id), generator(seed, "sound", take.utterance_id)
    return waveforms.Audio(sounds.synthesize(take.event, source, own), sounds.SAMPLE_RATE)


def _readme(settings: DemoSettings) -> str:
    return f"""{TITLE}

No person speaks here. eSpeak NG (a program under GPL-3.0-or-later; what it speaks is not under that license)
read sentences written for this demo; a seeded room color, level and noise floor were added to each utterance.

VCTK, AISHELL3, LibriTTS and LA (ASVspoof 2019) name the layouts only: nothing is from the corpora of these names.
The spoofs in LA are further utterances of the same voices through vocoders without training: Griffin-Lim, WORLD,
a source-filter vocoder and a sinusoidal one.
{OF_SOUNDS if settings.sound_sources else ""}
Good for running a workflow from end to end; numbers measured on it say nothing about speech.

The same settings give the same bytes ({CHECKSUMS}):
{json.dumps(settings.plain(), indent=2)}
"""


def _checksums(root: Path) -> str:
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return "".join(f"{files.sha256(root / name)}  {name}\n" for name in names)
