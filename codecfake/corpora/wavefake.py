"""WaveFake: LJ Speech and JSUT through vocoders, and English text to speech; fakes alone, in a folder per vocoder."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from codecfake.base import settings
from codecfake.base.hidden_files import visible
from codecfake.base.utterances import SPOOF, Utterance
from codecfake.corpora.listing import CorpusError, Listing, Rejection, audio_files, listing, require

FOLDER = "generated_audio"
MARKER = (f"{FOLDER}/*ljspeech*", f"{FOLDER}/*jsut*")
OFFICIAL = f"{FOLDER}/ljspeech_melgan/LJ001-0001_gen.wav, {FOLDER}/jsut_parallel_wavegan/…"
LANGUAGE_OF = {"ljspeech": "en", "jsut": "ja"}  # each a corpus of one speaker, who is named after it
LICENSE = "CC BY-SA 4.0"


@dataclass(frozen=True)
class WaveFakeOptions:
    """`folders`, such as [ljspeech_melgan]; None means all that exist."""

    folders: tuple[str, ...] | None = None


OPTIONS = WaveFakeOptions


def check(root: Path, options: Mapping[str, object]) -> None:
    """Raise CorpusError if a wanted folder is not there."""
    _folders(root / FOLDER, settings.build(OPTIONS, options).folders)


def utterances(root: Path, options: Mapping[str, object]) -> Listing:
    """Every file of the wanted folders. The attack is the name of the folder, and a part of the id.

    A folder has the names of the recordings that it imitates, so several have the same names.
    """
    choice = settings.build(OPTIONS, options)
    require(root, MARKER, OFFICIAL)
    fakes, rejections = [], []
    for folder in _folders(root / FOLDER, choice.folders):
        for path in audio_files(root, f"{FOLDER}/{folder}"):
            corpus = next((name for name in LANGUAGE_OF if name in folder), None)
            if corpus is None:
                rejections.append(Rejection(path, f"its folder is named after neither {' nor '.join(LANGUAGE_OF)}"))
            else:
                fakes.append(_utterance(folder, corpus, path))
    return listing(root, fakes, rejections)


def _folders(base: Path, names: tuple[str, ...] | None) -> list[str]:
    present = sorted(path.name for path in visible(base.iterdir()) if path.is_dir())
    absent = sorted(set(names or ()) - set(present))
    if absent:
        raise CorpusError(f"{base}: no folder {absent[0]!r} (option folders); choose from {', '.join(present)}")
    return present if names is None else sorted(set(names))


def _utterance(folder: str, corpus: str, path: str) -> Utterance:
    # generated_audio/ljspeech_melgan/LJ999-0001_gen.wav
    # generated_audio/jsut_parallel_wavegan/BASIC5000_9999_gen.wav
    utterance_id = f"{folder}_{PurePosixPath(path).stem}"
    return Utterance(utterance_id, corpus, LANGUAGE_OF[corpus], path, key=SPOOF, attack=folder)
