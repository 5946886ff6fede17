"""The layout of the released Codecfake (Xie et al. 2025): `label/*.txt`, and WAV files in a folder for each list.

Its code reads `{list}/{file}` with the three words of a line in `label/{list}.txt`: file, real or fake, and a number of
the source, which it does not use. Lists are train, dev and the conditions. Fakes of the conditions A1 to A3 begin with
L1 to L3, as in the release.
"""

import io
import re
import wave
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from codecfake.audio import decoding, waveforms
from codecfake.base.exported_names import exported_name
from codecfake.base.hidden_files import visible
from codecfake.base.utterances import BONAFIDE
from codecfake.publishing import flat_names, listed_clips, loose_files
from codecfake.publishing.catalog import BONAFIDE_PART, EVAL
from codecfake.publishing.clips import Clip, Place, PublishingError
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.published import PublishedClip, key_of

ABOUT = "WAV files and lists in the layout of the released Codecfake (Xie et al. 2025)"
USE = """\
The released code reads this folder as its data: `LIST/FILE.wav`, and `label/LIST.txt` with a line `FILE.wav real 0` or
`F01_FILE.wav fake 1` for each. Lists are `train`, `dev` and the conditions; each has all of its files, so bona fide
speech is stored once for each condition. Blanks, quotes and # in names are percent-encoded.
"""
LABELS, SUFFIX = "label", ".wav"
MARKER = f"{LABELS}/*.txt"
LINES = ("file label number", "file label")  # the released lists of A3 have no numbers
LABEL_OF = {True: "real", False: "fake"}  # by whether it is bona fide
PREFIX_OF = {"A1": "L1_", "A2": "L2_", "A3": "L3_"}
SOURCE = re.compile(r"F0*(\d+)")
FAKE = re.compile(r"[A-Z]\d+(-\d+)?_(?P<recording>.+)")
WITHOUT = ("corpus", "codec", "speaker_id", "utterance_id", "twin_id", "sha256")


def place_of(place: Place) -> Place | None:
    """The training data have no name; the part of all recordings is no list."""
    if place.part == BONAFIDE_PART:
        return None
    return place if place.split == EVAL else Place("", place.split)


def require(publication: Publication) -> None:
    """Raise PublishingError for two clips of one name, or two sets of training data."""
    domains = sorted(part for part, splits in publication.parts.items() if splits != [EVAL])
    if len(domains) > 1:
        raise PublishingError(
            f"the form xie2025 has room for one set of training data, but there are {', '.join(domains)}; choose one "
            f"of them, and conditions, with --parts, e.g. --parts {domains[0]} {' '.join(_conditions(publication)[:2])}"
        )
    flat_names.require_unique(publication)


def configurations(publication: Publication) -> dict[str, dict[str, list[str]]]:
    """The Hub cannot load this form."""
    return {}


def write(publication: Publication, output: Output) -> None:
    """Write the audio of each list, and the lists."""
    loose_files.write(publication, output, _paths_of, _lines_of, write_audio=_write_wav)


def read(folder: Path) -> Iterator[PublishedClip]:
    """The clips of all lists. Raises PublishingError for a line of another form."""
    return listed_clips.once(partial(_of_lists, folder))


def _conditions(publication: Publication) -> list[str]:
    return [part for part, splits in publication.parts.items() if splits == [EVAL]]


def _paths_of(clip: Clip) -> Iterator[str]:
    for name in _lists_of(clip):
        yield f"{name}/{file_name(clip, name)}"


def _lines_of(clip: Clip) -> Iterator[tuple[str, str]]:
    is_bonafide = clip.key == BONAFIDE
    for name in _lists_of(clip):
        yield f"{LABELS}/{name}.txt", f"{file_name(clip, name)} {LABEL_OF[is_bonafide]} {_number(clip)}"


def _lists_of(clip: Clip) -> list[str]:
    return [place.part if place.split == EVAL else place.split for place in clip.places]


def file_name(clip: Clip, of_list: str) -> str:
    """The file of a clip in the folder of a list."""
    name = exported_name(clip.clip_id)
    if clip.key != BONAFIDE and of_list in PREFIX_OF and name.startswith(f"{of_list}_"):
        name = PREFIX_OF[of_list] + name.removeprefix(f"{of_list}_")
    return name + SUFFIX


def _number(clip: Clip) -> str:
    """0 for bona fide speech, 1 for F01, …; other sources have their names."""
    match = SOURCE.fullmatch(clip.attack)
    return "0" if clip.key == BONAFIDE else match[1] if match else exported_name(clip.attack)


def _write_wav(output: Output, name: str, clip: Clip) -> None:
    if not output.keeps(name):
        output.write_bytes(name, _wav(clip.audio()))


def _wav(flac: bytes) -> bytes:
    """The same samples as 16-bit WAV."""
    samples, sample_rate = waveforms.decode_int16(flac)
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return data.getvalue()


def _of_lists(folder: Path) -> Iterator[PublishedClip]:
    for path in visible(folder.glob(MARKER)):
        place = Place("", path.stem) if path.stem in ("train", "dev") else Place(path.stem, EVAL)
        audio = next((one for one in (folder / path.stem, folder / "test" / path.stem) if one.is_dir()), folder)
        for line in listed_clips.words(folder, path, *LINES):
            file, label = line.words[:2]
            clip_id = clip_id_of(unquote(PurePosixPath(file).stem), path.stem)
            fake = FAKE.fullmatch(clip_id) if label == LABEL_OF[False] else None
            yield PublishedClip(
                line.where, clip_id, key_of(label), (place,), partial(decoding.read_bytes, audio / file),
                twin_id=fake["recording"] if fake else "",
            )  # fmt: skip


def clip_id_of(name: str, of_list: str) -> str:
    """The clip of a file in the folder of a list, whose `name` has no suffix."""
    prefix = PREFIX_OF.get(of_list, "")
    return f"{of_list}_{name.removeprefix(prefix)}" if prefix and name.startswith(prefix) else name
