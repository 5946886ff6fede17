"""Measures the speeds of this machine, under the names that `codecfake plan --rates FILE` reads.

    python benchmarks/rates.py [--device cuda] [--threads 8] [--workers 8] [--codecs encodec dac] > my-rates.yaml

Networks have their published size and random weights, which take as long as trained ones. On a CPU, a rate is that of
one core, by processor time; on a GPU, it is by wall-clock time. Training of codecs is not measured.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch

from benchmarks import resynthesis, speech, training
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
RAW = {"projection": None, "block_pool": 3, "nodes": "max", "pool_ratios": [0.5, 0.7, 0.5]}  # AASIST on waveforms
BACK_ENDS = {
    ("mel", "mel-lcnn"): {"name": "lcnn"},
    ("wav2vec2", "ssl-lcnn"): {"name": "lcnn"},
    ("wav2vec2", "ssl-aasist"): {"name": "aasist"},
    ("sinc", "sinc-aasist"): {"name": "aasist", **RAW},
}


def main() -> None:
    """Measure and print the rates as YAML."""
    options = _parser().parse_args()
    devices.use_huge_pages()
    device = devices.prepare(options.device, options.threads)
    with tempfile.TemporaryDirectory() as folder:
        for measure in (_reading, _features, _back_ends, _codecs):
            for name, rate in measure(Path(folder) / measure.__name__, device, options):
                print(f"{name}: {rate:.3g}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that decode audio for detectors")
    parser.add_argument("--utterances", type=int, default=8, help="for detectors; on a GPU, use hundreds")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--codecs", nargs="*", choices=resynthesis.CASES, help="default: all; Lyra only with --lyra")
    parser.add_argument("--seconds", type=float, help="of audio for each codec; on a GPU, use thousands")
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
        detector = Detector(DetectorSettings(FRONT_ENDS[front_end], back_end), training.CROP).to(device)
        with torch.no_grad():
            features = detector.front_end(torch.randn(options.batch_size, training.CROP, device=device))
        step = training.Step(detector.back_end, "erm")
        seconds = _seconds(lambda: step.epoch(lambda: iter([features] * 2)), device)  # noqa: B023
        yield f"train.{name}.{_kind(device)}", 2 * options.batch_size / seconds


def _codecs(folder: Path, device: torch.device, options: argparse.Namespace) -> Measurements:
    """Seconds of audio per second, from recordings to shards."""
    for name in resynthesis.CASES if options.codecs is None else options.codecs:
        if name != "lyra" or options.lyra:
            runner = resynthesis.Runner(name, options, folder / name)
            (measurements,) = runner.in_turn(resynthesis.OURS)
            kind = "cpu" if name == "lyra" else _kind(device)
            yield f"resynthesis.{name}.{kind}", runner.seconds / resynthesis.cost(measurements, runner.device)[0]


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
