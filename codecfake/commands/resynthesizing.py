"""The command that resynthesizes the user's own recordings with a codec."""

import argparse
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from codecfake.base.counts import count
from codecfake.commands.parsing import Commands, add_device, command, key_values

if TYPE_CHECKING:
    from codecfake.api.codecs import SpeechCodec
    from codecfake.scoring.audio_files import LeftOut

FORMATS = (".flac", ".wav")
WEIGHTS = (
    "none, shipped:NAME or official:NAME (see `codecfake list checkpoints`), a safetensors file, or a folder of weights"
)


def add(commands: Commands) -> None:
    """Add this command to the subparsers of a parser."""
    parser = command(
        commands, "resynthesize", _resynthesize, "resynthesize one file, or a folder of files, with a codec",
        "codecfake resynthesize speech.wav fake.wav --codec encodec --weights shipped:encodec-small --quantizers 8",
    )  # fmt: skip
    parser.add_argument("input", type=Path, help="an audio file, or a folder of them", metavar="IN")
    parser.add_argument(
        "output", type=Path, metavar="OUT", help="a .flac or .wav file; for a folder, a folder of .flac files"
    )
    parser.add_argument(
        "--codec",
        required=True,
        metavar="NAME",
        help="its name (see `codecfake list codecs`), or your own module:build",
    )
    parser.add_argument("--weights", metavar="WEIGHTS", help=f"{WEIGHTS}, such as results/codecs/NAME of a run")
    parser.add_argument(
        "--weights-folder", type=Path, default=Path("weights"), metavar="DIR",
        help="folder of official weights, which are downloaded if missing",
    )  # fmt: skip
    parser.add_argument("--quantizers", type=count, metavar="N", help="use only the first N; by default all")
    parser.add_argument(
        "--model", nargs="+", default=[], metavar="KEY=VALUE", help="settings of the network, e.g. n_filters=4"
    )
    parser.add_argument(
        "--gain", choices=("none", "rms", "peak", "lufs", "dbfs"), help="set the level of the codec's input"
    )
    parser.add_argument(
        "--sample-rate", type=count, metavar="HZ", help="sample rate of the output; by default that of each recording"
    )
    add_device(parser)


def _resynthesize(options: argparse.Namespace) -> None:
    from codecfake.api.codecs import load_codec

    pairs, left_out = _pairs(options.input, options.output)
    codec = load_codec(
        options.codec,
        options.weights,
        key_values("--model", options.model, "n_filters=4"),
        options.gain,
        options.device,
        options.threads,
        options.weights_folder,
    )
    codec.require_quantizers(options.quantizers)
    reasons = _resynthesize_all(codec, pairs, options.quantizers, options.sample_rate)
    _report(options.output, len(pairs) - len(reasons), reasons, left_out)


def _report(output: Path, num_files: int, reasons: dict[Path, str], left_out: "LeftOut") -> None:
    """Raises ResynthesisError with every recording and folder that could not be used."""
    from codecfake.api.codecs import ResynthesisError
    from codecfake.base.printing import printable

    print(f"{num_files} {'file' if num_files == 1 else 'files'} written to {printable(str(output))}")
    skipped = str(replace(left_out, unreadable={}))
    if skipped:
        print(skipped)
    faults = reasons | left_out.unreadable
    if faults:
        lines = "".join(f"\n  {printable(f'{path}: {reason}')}" for path, reason in faults.items())
        raise ResynthesisError(f"these could not be resynthesized; all others were:{lines}")


def _pairs(source: Path, target: Path) -> tuple[list[tuple[Path, Path]], "LeftOut"]:
    """(input, output) of every file, and what a folder has besides audio files.

    Raises AudioError for a format that is not written, and where an output would replace a recording or another output.
    """
    from codecfake.audio.waveforms import AudioError
    from codecfake.scoring.audio_files import EMPTY, audio_files

    if not source.is_dir():
        if target.suffix.lower() not in FORMATS:
            raise AudioError(f"{target}: unknown format {target.suffix!r}; choose from {', '.join(FORMATS)}")
        if target.resolve() == source.resolve():
            raise AudioError(f"{target}: this is the recording itself, which would be overwritten; choose another name")
        return [(source, target)], EMPTY
    if target.resolve().is_relative_to(source.resolve()):
        raise AudioError(f"{target}: this is within {source}, the folder of the recordings; choose a folder beside it")
    listing = audio_files([source])
    targets = [target / path.relative_to(source).with_suffix(FORMATS[0]) for path in listing.paths]
    twice = [path for path, count in Counter(targets).items() if count > 1]
    if twice:
        raise AudioError(f"{source}: two recordings would be written to {min(twice)}; rename one of them")
    return list(zip(listing.paths, targets, strict=True)), listing.left_out


def _resynthesize_all(
    codec: "SpeechCodec", pairs: Iterable[tuple[Path, Path]], quantizers: int | None, rate: int | None
) -> dict[Path, str]:
    """Writes every file that it can; returns the reasons for the others."""
    from codecfake.audio.waveforms import AudioError

    reasons = {}
    for source, target in pairs:
        try:
            _resynthesize_one(codec, source, target, quantizers, rate)
        except AudioError as error:
            reasons[source] = str(error)
        except (OSError, ValueError, RuntimeError, MemoryError) as error:
            reasons[source] = f"{type(error).__name__}: {error}"
    return reasons


def _resynthesize_one(
    codec: "SpeechCodec", source: Path, target: Path, quantizers: int | None, rate: int | None
) -> None:
    import io

    import soundfile

    from codecfake.audio import waveforms
    from codecfake.base import files
    from codecfake.corpora.inspection import read_usable
    from codecfake.scoring.reading import MIN_DURATION

    recording = read_usable(source, MIN_DURATION)
    wav, rate = codec.resynthesize(recording.wav, recording.sample_rate, quantizers, rate)
    samples, _ = waveforms.to_int16(wav)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=target.suffix[1:].upper(), subtype="PCM_16")
    with files.atomic(target) as part:
        part.write_bytes(buffer.getvalue())
