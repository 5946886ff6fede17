"""The layout and protocols of ASVspoof 5, track 1: ten words a line in files named .tsv, and FLAC files by split.

A run can have several training sets and conditions. The protocols with the official names have all of them; in `parts`
are lists of each, in the same form.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from codecfake.audio import decoding
from codecfake.base.exported_names import exported_name
from codecfake.base.utterances import BONAFIDE, NO_CODING
from codecfake.publishing import flat_names, listed_clips, loose_files, part_lists
from codecfake.publishing.catalog import EVAL
from codecfake.publishing.clips import Clip, Place
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.published import PublishedClip

ABOUT = "FLAC files and protocols in the layout of ASVspoof 5, track 1"
USE = """\
Programs that read ASVspoof 5 take this folder for it. Its protocols are those of all parts together, with one blank
between words and no header:

```
ASVspoof5.eval.track_1.tsv    speaker clip gender codec quality source tag attack key -
flac_E_eval/CLIP.flac
```

`parts/PART/SPLIT.txt` has the trials of one part in the same form. Genders, qualities of codecs and tags of attacks are
unknown (`-`). The attack of a fake is its source; the column codec is about transmission. Blanks, quotes and # in
names are percent-encoded.
"""
MARKER = "**/ASVspoof5.*.tsv"
PROTOCOL_OF = {
    "train": "ASVspoof5.train.tsv", "dev": "ASVspoof5.dev.track_1.tsv", "eval": "ASVspoof5.eval.track_1.tsv"
}  # fmt: skip
AUDIO_OF = {"train": "flac_T", "dev": "flac_D", "eval": "flac_E_eval"}
LINE = "speaker clip gender codec quality source tag attack key -"
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
        yield f"{AUDIO_OF[split]}/{clip.file_name}"


def _lines_of(clip: Clip) -> Iterator[tuple[str, str]]:
    for split in part_lists.splits_of(clip):
        yield PROTOCOL_OF[split], _line(clip, split)
    for place in clip.places:
        yield part_lists.name_of(place), _line(clip, place.split)


def _line(clip: Clip, split: str) -> str:
    attack = BONAFIDE if clip.key == BONAFIDE else exported_name(clip.attack)
    names = f"{exported_name(clip.speaker_id)} {exported_name(clip.clip_id)}"
    # the evaluation protocol has the quality 0 where there is no codec
    quality = "0" if clip.coding == NO_CODING and split == EVAL else "-"
    return f"{names} - {exported_name(clip.coding)} {quality} - - {attack} {clip.key} -"


def _of_lists(folder: Path) -> Iterator[PublishedClip]:
    protocols = {Place("", split): folder / name for split, name in PROTOCOL_OF.items()}
    for place, path in part_lists.paths(folder, protocols):
        for line in listed_clips.words(folder, path, LINE):
            speaker, name, *_, attack, key, _ = line.words
            audio = partial(decoding.read_bytes, folder / AUDIO_OF[place.split] / f"{name}.flac")
            yield listed_clips.clip_of(line, place, audio, speaker, name, attack, key)
