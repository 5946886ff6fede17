"""Forms of loose audio files and text lists of them, written in one pass over the clips."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from codecfake.publishing.clips import Clip
from codecfake.publishing.output import Output
from codecfake.publishing.publication import ClipShard, Publication

PathsOf = Callable[[Clip], Iterable[str]]  # where the audio of a clip is written, relative to the data set
LinesOf = Callable[[Clip], Iterable[tuple[str, str]]]  # lists, and the line of a clip in each
AddLines = Callable[[str, list[str]], None]
WriteAudio = Callable[[Output, str, Clip], None]


def write(
    publication: Publication,
    output: Output,
    paths_of: PathsOf,
    lines_of: LinesOf,
    *,
    header: str = "",
    is_sorted: bool = False,
    write_audio: WriteAudio = Output.write_audio,
) -> list[str]:
    """Write all audio and all lists, each with `header` as its first line; returns the names of the lists, sorted.

    Lines are in the order of the shards or, with `is_sorted`, of their bytes. After a stop, finished audio is kept.
    """
    with _lists(output, header, is_sorted) as (add, names):
        for shard in publication.shards():
            for clip in shard.clips:
                for path in paths_of(clip):
                    write_audio(output, path, clip)
            for name, lines in _lines(shard, lines_of).items():
                add(name, lines)
    return sorted(names)


def _lines(shard: ClipShard, lines_of: LinesOf) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = defaultdict(list)
    for clip in shard.clips:
        for name, line in lines_of(clip):
            lines[name].append(line)
    return lines


@contextmanager
def _lists(output: Output, header: str, is_sorted: bool) -> Iterator[tuple[AddLines, Iterable[str]]]:
    """A function that appends lines to lists; they get their names at the end, if there was no error."""
    parts: dict[str, Path] = {}
    with ExitStack() as stack:

        def add(name: str, lines: list[str]) -> None:
            if name not in parts:
                parts[name] = stack.enter_context(output.writing(name))
                # a kill may have left a part of an earlier attempt
                parts[name].write_text(header and f"{header}\n", encoding="utf-8")
            with parts[name].open("a", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{line}\n" for line in lines)

        yield add, parts.keys()
        for part in parts.values() if is_sorted else ():
            part.write_bytes(b"".join(sorted(part.read_bytes().splitlines(keepends=True))))
