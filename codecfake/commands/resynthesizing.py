"""The command that resynthesizes the user's own recordings with a codec."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from codecfake.commands.parsing import Commands, add_device, command, count

FORMATS = (".flac", ".wav")
WEIGHTS = "none, official:CHECKPOINT (see `codecfake list checkpoints`), a safetensors file, or a folder of weights"


def add(commands: Commands) -> None:
    """Add this command to the subparsers of a parser."""
    parser = command(
        commands, "resynthesize", _resynthesize, "resynthesize one file, or a folder of files, with a codec",
        "codecfake resynthesize speech.wav fake.wav --codec encodec --weights official:encodec_24khz --quantizers 8",
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
    parser.add_argument("--gain", choices=("none", "rms", "peak", "lufs"), help="set the level of the codec's input")
    parser.add_argument(
        "--sample-rate", type=count, metavar="HZ", help="sample rate of the output; by default that of each recording"
    )
    add_device(parser)


def _resynthesize(options: argparse.Namespace) -> None:
    from codecfake.api.codecs import load_codec

    pairs = list(_pairs(options.input, options.output))
    codec = load_codec(
        options.codec,
        options.weights,
        _settings(options.model),
        options.gain,
        options.device,
        options.threads,
        options.weights_folder,
    )
    for source, target in pairs:
        _resynthesize_one(codec, source, target, options.quantizers, options.sample_rate)
    print(f"{len(pairs)} {'file' if len(pairs) == 1 else 'files'} written to {options.output}")


def _pairs(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """(input, output) of every file."""
    from codecfake.audio.waveforms import AudioError
    from codecfake.scoring.judging import audio_files

    if not source.is_dir():
        if target.suffix.lower() not in FORMATS:
            raise AudioError(f"{target}: unknown format {target.suffix!r}; choose from {', '.join(FORMATS)}")
        yield source, target
        return
    paths, _ = audio_files([source])
    targets = [target / path.relative_to(source).with_suffix(FORMATS[0]) for path in paths]
    twice = {one for one in targets if targets.count(one) > 1}
    if twice:
        raise AudioError(f"{source}: two recordings would be written to {sorted(twice)[0]}; rename one of them")
    yield from zip(paths, targets, strict=True)


def _resynthesize_one(codec: Any, source: Path, target: Path, quantizers: int | None, rate: int | None) -> None:
    import io

    import soundfile

    from codecfake.audio import waveforms
    from codecfake.base import files

    recording = waveforms.read(source)
    wav, rate = codec.resynthesize(recording.wav, recording.sample_rate, quantizers, rate)
    samples, _ = waveforms.to_int16(wav)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=target.suffix[1:].upper(), subtype="PCM_16")
    with files.atomic(target) as part:
        part.write_bytes(buffer.getvalue())


def _settings(items: list[str]) -> dict[str, Any]:
    """KEY=VALUE, values as YAML reads them."""
    import yaml

    for item in items:
        if "=" not in item:
            raise ValueError(f"--model {item}: write KEY=VALUE, e.g. n_filters=4")
    return {item.partition("=")[0]: yaml.safe_load(item.partition("=")[2]) for item in items}
