"""Measures the speeds of this machine, under the names that `codecfake plan --rates FILE` reads.

    python benchmarks/rates.py > my-rates.yaml                  # one core
    python benchmarks/rates.py --device cuda > my-rates.yaml    # a GPU, with eight threads and processes beside it

Networks have their published size and random weights, which take as long as trained ones. On a CPU, a rate is that of
one core, by processor time; on a GPU, it is by wall-clock time. Codecs are trained for a few steps, with the precision
and the batches of their recipes; on a CPU only with `--training-steps`, because a step takes minutes there.
Generators are not measured.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch

import codec_wrappers
from benchmarks import codec_training, resynthesis, speech, training
from codecfake.audio import recordings
from codecfake.base import devices
from codecfake.corpora.inspection import inspect
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.features.clips import Clips
from codecfake.features.streaming import StreamedFeatures, in_order

SSL = {"layer": training.LAYER, "weights": "random"}
CONFIG = {key: value for key, value in training.XLS_R_300M.items() if key != "num_hidden_layers"}
FRONT_ENDS = {
    "mel": {"name": "mel"},
    "wav2vec2": {"name": "wav2vec2", **SSL, "config": CONFIG},
    "wavlm": {"name": "wavlm", **SSL, "config": CONFIG},
    "hubert": {"name": "hubert", **SSL, "config": CONFIG},
    "sinc": {"name": "sinc"},
}
# of back-ends for which a whole network is fine-tuned
DEEP = {
    "wav2vec2 to layer 24": {**FRONT_ENDS["wav2vec2"], "layer": 24, "final_norm": True},
    "wav2vec2, blocks to layer 24": {**FRONT_ENDS["wav2vec2"], "layer": 24, "layers": "blocks"},
    "wav2vec2, all to layer 24": {**FRONT_ENDS["wav2vec2"], "layer": 24, "layers": "all"},
}
RAW = {"projection": None, "block_pool": 3, "nodes": "max", "pool_ratios": [0.5, 0.7, 0.5]}  # AASIST on waveforms
BACK_ENDS = {
    ("mel", "mel-lcnn"): {"name": "lcnn"},
    ("wav2vec2", "ssl-lcnn"): {"name": "lcnn"},
    ("wav2vec2", "ssl-aasist"): {"name": "aasist"},
    ("sinc", "sinc-aasist"): {"name": "aasist", **RAW},
    ("wav2vec2, blocks to layer 24", "ssl-sls"): {"name": "sls"},
    ("wav2vec2 to layer 24", "ssl-nes2net"): {"name": "nes2net", "form": "x", "dilation": 2},
    ("wav2vec2, all to layer 24", "ssl-mhfa"): {"name": "mhfa"},
    ("wav2vec2 to layer 24", "ssl-conformer"): {"name": "conformer"},
    ("wav2vec2 to layer 24", "ssl-pooling"): {"name": "pooling"},
}


def main() -> None:
    """Measure and print the rates as YAML."""
    options = _options()
    devices.use_huge_pages()
    device = devices.prepare(options.device, options.threads)
    with tempfile.TemporaryDirectory() as folder:
        for measure in (_reading, _features, _back_ends, _codecs, _codec_training):
            for name, rate in measure(Path(folder) / measure.__name__, device, options):
                print(f"{name}: {rate:.3g}", flush=True)


# options without a value, on a CPU and on a GPU
DEFAULTS = {
    "threads": (1, 8), "workers": (0, 8), "utterances": (8, 4096), "batch_size": (8, 128), "seconds": (None, 3000.0),
    "training_steps": (0, 30),
}  # fmt: skip


def _options() -> argparse.Namespace:
    options = _parser().parse_args()
    for name, values in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, values[options.device == "cuda"])
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--workers", type=int, help="processes that decode audio for detectors and trainings")
    parser.add_argument("--utterances", type=int, help="for detectors")
    parser.add_argument("--batch-size", type=int, help="of detectors")
    parser.add_argument("--codecs", nargs="*", choices=resynthesis.CASES, help="default: all; Lyra only with --lyra")
    parser.add_argument("--seconds", type=float, help="of audio for each codec")
    parser.add_argument("--training-steps", type=int, metavar="STEPS", help="of each codec; 0 measures no training")
    parser.add_argument("--lyra", type=Path, help="folder of Lyra's models")
    parser.set_defaults(recordings=None, repetitions=1)
    return parser


Measurements = Iterator[tuple[str, float]]


def _reading(folder: Path, device: torch.device, options: argparse.Namespace) -> Measurements:
    """Ingest and recording, always on one core."""
    table = speech.make(folder / "corpus", 60.0, None)
    seconds = float((table["num_samples"] / table["sample_rate"]).sum())
    paths = [folder / "corpus" / path for path in table["path"]]
    yield "ingest.cpu", seconds / _processor_time(lambda: [inspect(path, 0.1) for path in paths])
    table.to_parquet(folder / "utterances.parquet")
    whole = recordings.RecordingsSettings(num_shards=1)
    arguments = (whole, folder / "utterances.parquet", folder / "corpus", 0, folder / "0000.tar")
    yield "record.cpu", seconds / _processor_time(lambda: recordings.write_shard(*arguments))


def _features(folder: Path, device: torch.device, options: argparse.Namespace) -> Measurements:
    """Clips of 64,600 samples per second, from shards to features."""
    corpus = training.record(folder, options.utterances)
    clips = Clips(corpus.trials, corpus.shards, training.CROP)
    order = in_order(len(clips), options.batch_size)
    for name, front_end in FRONT_ENDS.items():
        detector = Detector(DetectorSettings(front_end, {"name": "lcnn"}), training.CROP).to(device)
        streamed = StreamedFeatures(clips, detector.front_end, device, options.workers)
        seconds = _seconds(lambda: [one.sum() for one in streamed.batches(order)], device)  # noqa: B023
        yield f"features.{name}.{_kind(device)}", options.utterances / seconds


def _back_ends(folder: Path, device: torch.device, options: argparse.Namespace) -> Measurements:
    """Clips per second in training, without the computation of features."""
    for (front_end, name), back_end in BACK_ENDS.items():
        detector = Detector(DetectorSettings({**FRONT_ENDS, **DEEP}[front_end], back_end), training.CROP).to(device)
        with torch.no_grad():
            features = detector.front_end(torch.randn(options.batch_size, training.CROP, device=device))
        step = training.Step(detector.back_end, "erm")
        seconds = _seconds(lambda: step.epoch(lambda: iter([features] * 2)), device)  # noqa: B023
        yield f"train.{name}.{_kind(device)}", 2 * options.batch_size / seconds


def _codecs(folder: Path, device: torch.device, options: argparse.Namespace) -> Measurements:
    """Seconds of audio per second, from recordings to shards."""
    for name in _codec_names(options):
        if name != "lyra" or options.lyra:
            runner = resynthesis.Runner(name, options, folder / name)
            (measurements,) = runner.in_turn(resynthesis.OURS)
            kind = "cpu" if name == "lyra" else _kind(device)
            yield f"resynthesis.{name}.{kind}", runner.seconds / resynthesis.cost(measurements, runner.device)[0]


def _codec_names(options: argparse.Namespace) -> Collection[str]:
    names: Collection[str] = resynthesis.CASES if options.codecs is None else options.codecs
    return names


def _codec_training(folder: Path, device: torch.device, options: argparse.Namespace) -> Measurements:
    """Seconds of segments per second of the published recipes."""
    wrappers = [name for name in _codec_names(options) if codec_wrappers.entry(name).is_trainable]
    if options.training_steps:
        audio = codec_training.record(folder, 600.0)
        for name in wrappers:
            recipe = codec_training.published(name)
            rate = codec_training.speed(recipe, audio, device, options.training_steps, options.workers)
            yield f"codec_training.{name}.{_kind(device)}", rate


def _kind(device: torch.device) -> str:
    return "gpu" if device.type == "cuda" else "cpu"


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    work()
    return training.timed(work, device).seconds


def _processor_time(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
