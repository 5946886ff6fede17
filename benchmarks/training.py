"""Compares the speed of our features and training of detectors with the published way, as Markdown tables.

    python benchmarks/training.py [--small] [--utterances 8] [--device cuda] [--threads 8] [--workers 8]

The published way (Xie et al. 2025) runs the whole front-end on one file at a time, writes its fifth hidden state in
float32 into one file per utterance, and reads these files in every epoch. Ours runs the front-end only up to its fifth
block, in batches from the audio shards; features are not stored, or are stored in one file in half precision. Weights
are random, which take as long as trained ones; both ways have the same weights, and the script checks that they compute
the same features. Measurements alternate, so that other load on the machine affects both ways; files are read from the
system's cache.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import pandas as pd
import soundfile
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import speech
from codecfake.audio import waveforms
from codecfake.audio.shards import Provenance, ShardWriter
from codecfake.base import devices
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.detectors.mel import Mel, MelSettings
from codecfake.features.cache import DiskFeatures
from codecfake.features.clips import Clips
from codecfake.features.settings import EXACT, REPEAT, ROUNDED
from codecfake.features.store import CachePlace, FeatureStore
from codecfake.features.store_settings import StoreSettings
from codecfake.features.streaming import StreamedFeatures, in_order, split_into_batches
from codecfake.training.strategies import UPDATES, strategy_of
from codecfake.training.updates import Update

CROP, RATE, LAYER = 64_600, 16_000, 5
OFFICIAL, STREAMED, ON_DISK = "published", "streamed", "kept on disk"
TRAINING_SET = 740_747  # utterances of Xie et al. 2025
EPOCHS = 10
XLS_R_300M = {  # its published architecture, with the keys of transformers
    "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096,
    "do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True,
}  # fmt: skip
SMALL = {**XLS_R_300M, "hidden_size": 64, "num_attention_heads": 4, "intermediate_size": 256, "conv_dim": [64] * 7}


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU time, which other load affects less; on a GPU, of wall-clock time, with the GPU's utilization."""

    seconds: float
    busy: float | None = None


@dataclass(frozen=True)
class Speech:
    """The same recordings as files, which the published way reads, and in shards."""

    files: list[Path]
    shards: Path
    trials: pd.DataFrame


@dataclass(frozen=True)
class Ways:
    """The measured work for one front-end; each function processes all utterances."""

    name: str
    features: dict[str, Callable[[], object]]
    epochs: dict[str, dict[str, Callable[[], object]]]  # strategy -> way
    bytes_an_utterance: dict[str, float]


def main() -> None:
    """Measure and print the tables."""
    options = _parser().parse_args()
    devices.use_huge_pages()  # as our commands do; both ways benefit
    device = devices.prepare(options.device, options.threads)
    where = torch.cuda.get_device_name() if device.type == "cuda" else "CPU"
    print(
        f"{where}, {options.threads} thread(s), {options.workers} workers, {options.utterances} utterances, batches of "
        f"{options.batch_size}, {options.repetitions} repetitions, torch {torch.__version__}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        recordings = record(Path(folder) / "speech", options.utterances)
        for number, prepare in enumerate((mel_ways, ssl_ways)):
            ways = prepare(recordings, Path(folder) / str(number), device, options)
            print(table(ways, options, device), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a front-end of 24 small layers instead of XLS-R-300M")
    parser.add_argument("--utterances", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--repetitions", type=int, default=3)
    return parser


# tables


def table(ways: Ways, options: argparse.Namespace, device: torch.device) -> str:
    """The ratios of the times of both ways (on a GPU, speeds too), and bytes on disk."""
    on_gpu = device.type == "cuda"
    lines = [
        f"**{ways.name}**\n",
        "| work | published / ours |" + (" ours, utterances/s | GPU busy |" if on_gpu else ""),
    ]
    lines.append("|---|---|" + ("---|---|" if on_gpu else ""))
    features = in_turn(ways.features, options.repetitions, device)
    rows = {"features, once": features}
    for name, epoch in ways.epochs.items():
        costs = in_turn(epoch, options.repetitions, device)
        rows[f"{name}, an epoch"] = costs
        rows[f"{name}, features and {EPOCHS} epochs"] = whole_training(features, costs)
    for name, costs in rows.items():
        for way in costs:
            if way != OFFICIAL:
                cells = [f"{name}; ours {way}", f"**{ratio(costs[OFFICIAL], costs[way]):.2f}**"]
                cells += speed(costs[way], options.utterances) if on_gpu else []
                lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"| on disk | bytes an utterance | {TRAINING_SET:,} utterances, GB |", "|---|---|---|"]
    for way, size in ways.bytes_an_utterance.items():
        lines.append(f"| {way} | {size:,.0f} | {size * TRAINING_SET / 1e9:,.1f} |")
    return "\n".join([*lines, ""])


def whole_training(features: dict[str, list[Cost]], epoch: dict[str, list[Cost]]) -> dict[str, list[Cost]]:
    """The cost of features and all epochs. Features are computed once, unless they are streamed in every epoch."""
    total: dict[str, list[Cost]] = {}
    for way, each in epoch.items():
        once = [0.0 if way == STREAMED else one.seconds for one in features[way]]
        total[way] = [Cost(before + EPOCHS * one.seconds, one.busy) for before, one in zip(once, each, strict=True)]
    return total


def ratio(theirs: list[Cost], ours: list[Cost]) -> float:
    """Their time divided by ours: the median over pairs of consecutive measurements."""
    return median(their.seconds / our.seconds for their, our in zip(theirs, ours, strict=True))


def speed(costs: list[Cost], utterances: int) -> list[str]:
    busy = [one.busy for one in costs if one.busy is not None]
    return [f"{median(utterances / one.seconds for one in costs):.1f}", f"{median(busy):.0%}" if busy else ""]


def in_turn(works: Mapping[str, Callable[[], object]], repetitions: int, device: torch.device) -> dict[str, list[Cost]]:
    """The costs of each work. Each repetition runs every work once; every second repetition reverses the order."""
    costs: dict[str, list[Cost]] = {name: [] for name in works}
    for repetition in range(repetitions):
        for name in list(works)[:: 1 if repetition % 2 == 0 else -1]:
            costs[name].append(timed(works[name], device))
    return costs


def timed(work: Callable[[], object], device: torch.device) -> Cost:
    if device.type != "cuda":
        start = time.process_time()
        work()
        return Cost(time.process_time() - start)
    with gpu_busy() as shares:
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        seconds = time.perf_counter() - start
    return Cost(seconds, sum(shares) / len(shares) if shares else None)


@contextmanager
def gpu_busy() -> Iterator[list[float]]:
    """The GPU's utilization, sampled every 50 ms; empty if NVML's Python package is not installed."""
    shares: list[float] = []
    stop = threading.Event()

    def ask() -> None:
        while find_spec("pynvml") and not stop.wait(0.05):
            shares.append(torch.cuda.utilization() / 100)

    thread = threading.Thread(target=ask)
    thread.start()
    yield shares
    stop.set()
    thread.join()


# the recordings


def record(folder: Path, number: int) -> Speech:
    """Write synthetic signals of about 4 s each, at 16 kHz, as files and in a shard."""
    table = speech.make(folder / "made", 4.0 * number, number)
    (folder / "files").mkdir()
    with ShardWriter(folder / "shards/c/F00/0000.tar", "", Provenance("none", 0, 0.0, "", "benchmark")) as shard:
        for row in table.itertuples():
            recording = waveforms.read(folder / "made" / row.path)
            wav = waveforms.resample(recording.wav, recording.sample_rate, RATE)
            shard.add(row.utterance_id, wav, RATE)
            soundfile.write(folder / "files" / f"{row.utterance_id}.wav", waveforms.to_int16(wav)[0], RATE)
    trials = pd.DataFrame({"corpus": "c", "source": "F00", "utterance_id": table["utterance_id"]})
    return Speech(sorted((folder / "files").iterdir()), folder / "shards", trials)


# the published way


def extract(files: list[Path], front_end: Callable[[Tensor], Tensor], folder: Path, device: torch.device) -> None:
    """Compute the features `[1, D, F]` of one file at a time, and write a file for each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(files):
        wav, _ = soundfile.read(path, dtype="float32")
        with torch.no_grad():
            features = front_end(torch.from_numpy(np.resize(wav, CROP))[None].to(device))
        torch.save(features.float().cpu(), folder / f"{number:06d}_{path.stem}_real.pt")


def read_back(folder: Path, order: list[np.ndarray], device: torch.device) -> Iterator[Tensor]:
    paths = sorted(folder.iterdir())
    for batch in order:
        yield torch.cat([torch.load(paths[number], weights_only=True) for number in batch]).to(device)


def fifth_hidden_state(model: nn.Module, wav: Tensor) -> Tensor:
    """The fifth hidden state of the whole model, whose input is normalized as by its feature extractor."""
    wav = (wav - wav.mean()) / (wav.var(correction=0) + 1e-7).sqrt()
    return model(wav, output_hidden_states=True).hidden_states[LAYER]


# both ways


def ssl_ways(recordings: Speech, folder: Path, device: torch.device, options: argparse.Namespace) -> Ways:
    import transformers

    config = SMALL if options.small else XLS_R_300M
    torch.manual_seed(0)
    whole = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**config)).eval().to(device)
    own = {key: value for key, value in config.items() if key != "num_hidden_layers"}
    front = {"name": "wav2vec2", "weights": "random", "layer": LAYER, "config": own}
    detector = Detector(DetectorSettings(front, {"name": "aasist"}), CROP).to(device)
    detector.front_end.model.load_state_dict(whole.state_dict(), strict=False)
    name = f"24 small layers, cut after {LAYER}" if options.small else f"XLS-R-300M, cut after layer {LAYER}"
    return _ways(
        name, recordings, folder, device, options, detector, partial(fifth_hidden_state, whole), is_cached=True
    )


def mel_ways(recordings: Speech, folder: Path, device: torch.device, options: argparse.Namespace) -> Ways:
    detector = Detector(DetectorSettings({"name": "mel"}, {"name": "lcnn"}), CROP).to(device)
    mel = Mel(MelSettings()).to(device)
    return _ways("Mel", recordings, folder, device, options, detector, mel, is_cached=False)


def _ways(
    name: str,
    recordings: Speech,
    folder: Path,
    device: torch.device,
    options: argparse.Namespace,
    detector: Detector,
    published_front_end: Callable[[Tensor], Tensor],
    is_cached: bool,
) -> Ways:
    clips = Clips(recordings.trials, recordings.shards, CROP)
    streamed = StreamedFeatures(clips, detector.front_end, device, options.workers)
    order = in_order(len(clips), options.batch_size)
    extract(recordings.files, published_front_end, folder / "files", device)  # to read back, and to warm up
    require_same(read_back(folder / "files", order, device), streamed.batches(order))
    features: dict[str, Callable[[], object]] = {
        OFFICIAL: lambda: extract(recordings.files, published_front_end, folder / "files", device),
        STREAMED: lambda: [features.sum() for features in streamed.batches(order)],
    }
    shuffled_order = split_into_batches(np.random.default_rng(0).permutation(len(clips)), options.batch_size)
    sources: dict[str, Callable[[], Iterator[Tensor]]] = {
        OFFICIAL: lambda: read_back(folder / "files", shuffled_order, device),
        STREAMED: lambda: streamed.batches(shuffled_order),
    }
    if is_cached:
        fresh = (CachePlace(folder / f"cache{number}") for number in count())
        rounded = StreamedFeatures(clips, detector.front_end, device, options.workers, feature_precision=ROUNDED)
        settings = StoreSettings({"name": "wav2vec2"}, CROP, REPEAT, EXACT)
        features[ON_DISK] = lambda: DiskFeatures(rounded, FeatureStore(next(fresh), settings, detector.front_end))
        on_disk = DiskFeatures(rounded, FeatureStore(CachePlace(folder / "cache"), settings, detector.front_end))
        sources[ON_DISK] = lambda: on_disk.batches(shuffled_order)
    steps = {strategy: Step(detector.back_end, strategy) for strategy in ("erm", "sam")}
    epochs: dict[str, dict[str, Callable[[], object]]] = {
        strategy.upper(): {way: partial(step.epoch, source) for way, source in sources.items()}
        for strategy, step in steps.items()
    }
    sizes = {"published, a file an utterance": size(folder / "files"), "ours, streamed": 0.0}
    sizes |= {"ours, kept on disk": size(folder / "cache")} if is_cached else {}
    return Ways(name, features, epochs, {way: each / len(clips) for way, each in sizes.items()})


class Step:
    """Training steps of a back-end with a strategy, for any source of features."""

    def __init__(self, back_end: nn.Module, strategy: str) -> None:
        self._back_end = back_end.train()
        self._optimizer = torch.optim.Adam(back_end.parameters(), 5e-4)
        entry = strategy_of(strategy, {})
        update: Any = UPDATES.part(entry.update).load()
        self._update: Update = update(self._optimizer, back_end, entry.update_settings())

    def epoch(self, source: Callable[[], Iterator[Tensor]]) -> None:
        for features in source():
            self._update.step(partial(self._loss, features))

    def _loss(self, features: Tensor) -> Tensor:
        self._optimizer.zero_grad()
        classes = torch.arange(len(features), device=features.device) % 2
        loss = F.cross_entropy(self._back_end(features), classes)
        loss.backward()
        return loss.detach()


def require_same(theirs: Iterator[Tensor], ours: Iterator[Tensor]) -> None:
    """Both ways must compute the same features."""
    for their, our in zip(theirs, ours, strict=True):
        error = ((their - our).norm() / their.norm()).item()
        if not error < 1e-4:
            raise RuntimeError(f"the features of the two ways differ by {error:.2g} of their norm; fix the benchmark")


def size(folder: Path) -> float:
    """Bytes of the files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
