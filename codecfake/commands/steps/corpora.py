"""Steps that read corpora and write their recordings into shards."""

import argparse
from pathlib import Path

from codecfake.base.settings import from_json
from codecfake.commands.parsing import Commands, step


def add(commands: Commands) -> None:
    """Add these steps to the subparsers of a parser."""
    demo = step(commands, "demo", _demo, "synthesize the demo corpora in their official layouts")
    demo.add_argument("--output", type=Path, required=True, help="folder for the corpora")
    demo.add_argument("--archives", type=Path, nargs="*", default=[], help="tars of them to write, FOLDER.tar")
    demo.add_argument("--workers", type=int, default=1, help="processes that synthesize")

    ingest = step(commands, "ingest", _ingest, "list a corpus and decode every file once")
    ingest.add_argument("--root", type=Path, required=True, help="the corpus's folder")
    ingest.add_argument("--utterances", type=Path, required=True, help="the utterance table to write (parquet)")
    ingest.add_argument("--rejected", type=Path, required=True, help="the list of bad files to write (TSV)")
    ingest.add_argument("--workers", type=int, default=1, help="processes, each of which decodes a file")

    captions = step(commands, "captions", _captions, "list the captions of a corpus, with or without recordings")
    captions.add_argument("--root", type=Path, required=True, help="the corpus's folder")
    captions.add_argument("--output", type=Path, required=True, help="the TSV file to write")

    record = step(commands, "record", _record, "write one shard of unchanged recordings")
    record.add_argument("--utterances", type=Path, required=True, help="the corpus's utterance table")
    record.add_argument("--root", type=Path, required=True, help="the corpus's folder")
    record.add_argument("--shard", type=int, required=True, help="its number, from 0")
    record.add_argument("--output", type=Path, required=True, help="the tar file to write")

    degrade = step(commands, "degrade", _degrade, "degrade the evaluated utterances of one shard")
    degrade.add_argument("--index", type=Path, required=True, help="the index of the shard")
    degrade.add_argument("--recordings", type=Path, required=True, help="the index of the same shard of recordings")
    degrade.add_argument("--protocols", type=Path, nargs="+", required=True, help="protocols with the utterances")
    degrade.add_argument("--output", type=Path, required=True, help="the tar file to write")
    degrade.add_argument("--list", type=Path, nargs="*", default=[], help="the list of a folder of noise or rooms")
    degrade.add_argument("--folder", type=Path, nargs="*", default=[], help="the folder itself")

    list_folder = step(commands, "list-folder", _list_folder, "list a folder of noise or rooms and check every file")
    list_folder.add_argument("--output", type=Path, required=True, help="the TSV file to write")

    list_shards = step(commands, "list-shards", _list_shards, "list the shards of a source", settings=False)
    list_shards.add_argument("shards", type=Path, nargs="+", help="tars and indexes of all shards", metavar="SHARD")
    list_shards.add_argument("--output", type=Path, required=True, help="the TSV file to write")


def _demo(options: argparse.Namespace) -> None:
    from codecfake.base import archives
    from codecfake.demo.corpora import synthesize
    from codecfake.demo.settings import DemoSettings

    synthesize(options.output, from_json(DemoSettings, options.settings), options.workers)
    for archive in options.archives:
        archives.pack(options.output / archive.stem, archive)


def _ingest(options: argparse.Namespace) -> None:
    from codecfake.base import archives
    from codecfake.corpora.ingest import ingest
    from codecfake.corpora.settings import IngestSettings

    settings = from_json(IngestSettings, options.settings)
    with archives.unpacked(options.root) as root:
        ingest(root, settings, options.utterances, options.rejected, options.workers)


def _captions(options: argparse.Namespace) -> None:
    from codecfake.corpora.captions import CaptionsSettings, write_captions

    write_captions(options.root, from_json(CaptionsSettings, options.settings), options.output)


def _record(options: argparse.Namespace) -> None:
    from codecfake.audio.recordings import write_shard
    from codecfake.audio.settings import RecordingsSettings
    from codecfake.base import archives

    settings = from_json(RecordingsSettings, options.settings)
    with archives.unpacked(options.root) as root:
        write_shard(settings, options.utterances, root, options.shard, options.output)


def _degrade(options: argparse.Namespace) -> None:
    from codecfake.degradation.folders import FolderFiles
    from codecfake.degradation.settings import DegradationSettings
    from codecfake.degradation.shard import write_shard

    settings = from_json(DegradationSettings, options.settings)
    folder = FolderFiles(options.list[0], options.folder[0]) if options.list else None
    write_shard(settings, options.index, options.recordings, options.protocols, options.output, folder)


def _list_folder(options: argparse.Namespace) -> None:
    from codecfake.degradation.folders import write_list
    from codecfake.degradation.settings import FolderSettings

    write_list(from_json(FolderSettings, options.settings), options.output)


def _list_shards(options: argparse.Namespace) -> None:
    from codecfake.audio.shard_lists import write_list

    write_list([path for path in options.shards if path.suffix == ".parquet"], options.output)
