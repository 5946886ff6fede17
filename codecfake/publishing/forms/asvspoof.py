"""The layout and the countermeasure protocols of ASVspoof 2019 LA: five words a line, and FLAC files by split.

A run can have several training sets and conditions. The protocols with the official names have all of them; in `parts`
are lists of each, in the same form.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from codecfake.audio import decoding
from codecfake.base.exported_names import exported_name
from codecfake.publishing import flat_names, listed_clips, loose_files, part_lists
from codecfake.publishing.clips import Clip, Place
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.published import PublishedClip

ABOUT = "FLAC files and protocols in the layout of ASVspoof 2019 LA"
USE = """\
Programs that read ASVspoof 2019 LA take the folder `LA` for it. Its protocols are those of all parts together:

```
LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.eval.trl.txt    speaker clip - attack key
LA/ASVspoof2019_LA_eval/flac/CLIP.flac
```

`parts/PART/SPLIT.txt` has the trials of one part in the same form. The attack of a fake is its source. Blanks, quotes
and # in names are percent-encoded.
"""
PROTOCOLS = "ASVspoof2019_LA_cm_protocols"
MARKER = f"**/{PROTOCOLS}/*.txt"
PROTOCOL_OF = {
    "train": "ASVspoof2019.LA.cm.train.trn.txt",
    "dev": "ASVspoof2019.LA.cm.dev.trl.txt",
    "eval": "ASVspoof2019.LA.cm.eval.trl.txt",
}
LINE = "speaker clip - attack key"
WITHOUT = ("corpus", "codec", "utterance_id", "sha256")

place_of = part_lists.place_of
require = flat_names.require_unique


def configurations(publication: Publication) -> dict[str, dict[str, list[str]]]:
    """The Hub cannot load this form."""
    return {}


def write(publication: Publication, output: Output) -> None:
    """Write the audio of each split and all protocols."""
    loose_files.write(publication, output, _paths_of, _lines_of)


def read(folder: Path) -> Iterator[PublishedClip]:
    """The clips of the lists of parts or, in a data set of others, of the protocols."""
    return listed_clips.once(partial(_of_lists, folder))


def _paths_of(clip: Clip) -> Iterator[str]:
    for split in part_lists.splits_of(clip):
        yield f"LA/{_audio_folder(split)}/{clip.file_name}"


def _lines_of(clip: Clip) -> Iterator[tuple[str, str]]:
    line = f"{exported_name(clip.speaker_id)} {exported_name(clip.clip_id)} - {exported_name(clip.attack)} {clip.key}"
    for split in part_lists.splits_of(clip):
        yield f"LA/{PROTOCOLS}/{PROTOCOL_OF[split]}", line
    for place in clip.places:
        yield part_lists.name_of(place), line


def _of_lists(folder: Path) -> Iterator[PublishedClip]:
    base = folder / "LA" if (folder / "LA").is_dir() else folder
    protocols = {Place("", split): base / PROTOCOLS / name for split, name in PROTOCOL_OF.items()}
    for place, path in part_lists.paths(folder, protocols):
        for line in listed_clips.words(folder, path, LINE):
            speaker, name, _, attack, key = line.words
            audio = partial(decoding.read_bytes, base / _audio_folder(place.split) / f"{name}.flac")
            yield listed_clips.clip_of(line, place, audio, speaker, name, attack, key)


def _audio_folder(split: str) -> str:
    return f"ASVspoof2019_LA_{split}/flac"
