"""Compares the speed of our resynthesis with the usage that the codecs' own packages show, as Markdown tables.

    python benchmarks/resynthesis.py [--codecs encodec dac] [--seconds 30] [--device cuda] [--threads 8]

Codecs have their published size and random weights, which take as long as trained ones. Each measurement is a separate
process; ours and theirs alternate, so that other load on the machine affects both. Loading the weights and a first pass
over the recordings are not counted, because real jobs are long.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch

import codec_wrappers
from benchmarks import speech, upstream
from codec_wrappers.codec import Codec
from codec_wrappers.resynthesis import shard
from codecfake.base import devices, files, utterances

OURS, UPSTREAM, TOGETHER, APART, UPSTREAM_APART, PRECISIONS = (
    "ours", "upstream", "together", "apart", "upstream apart", "precisions",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """How a codec is measured; `seconds` of audio are the default, with which each codec takes minutes on one core."""

    wrapper: str
    quantizers: int
    seconds: float
    upstream: Callable[[Codec, torch.device], upstream.OneFile]
    model: dict[str, Any] = field(default_factory=dict)
    variants: tuple[int, ...] = ()  # numbers of quantizers for the comparison of one pass with several


CASES = {
    "lyra": Case("lyra", 20, 30.0, upstream.network_alone),
    "soundstream": Case("soundstream", 8, 12.0, upstream.network_alone),
    "speechtokenizer": Case("speechtokenizer", 8, 9.0, upstream.speechtokenizer),
    "funcodec": Case("funcodec", 32, 12.0, upstream.funcodec, variants=(12, 24, 32)),
    "encodec": Case("encodec", 8, 12.0, upstream.encodec, variants=(4, 8, 16, 32)),
    "audiodec": Case("audiodec", 8, 9.0, upstream.network_alone),
    "academicodec": Case("academicodec", 4, 6.0, upstream.network_alone),
    "dac": Case("dac", 9, 3.0, upstream.dac),
}


@dataclass(frozen=True)
class Task:
    """One measurement, on the recordings in `table`, whose paths are relative to `root`."""

    codec: str
    way: str
    table: str
    root: str
    device: str
    threads: int
    lyra: str | None


@dataclass(frozen=True)
class Measurement:
    wall_seconds: float
    cpu_seconds: float  # of all threads
    peak_mb: float  # of the process, or of the GPU's memory
    gpu_busy: float | None = None  # share of the time, if NVML's Python package is installed


def main() -> None:
    """Measure and print the tables."""
    parser = _parser()
    options = parser.parse_args()
    if "lyra" in (options.codecs or ()) and not options.lyra:
        parser.error("lyra has no random weights; give --lyra, the folder of its models")
    if options.measure:
        print(json.dumps(asdict(_measure(Task(**json.loads(options.measure))))))
        return
    with tempfile.TemporaryDirectory() as folder:
        names = [name for name in options.codecs or CASES if name != "lyra" or options.lyra]
        print(_heading(options))
        for name in names:
            print(_speed_row(name, Runner(name, options, Path(folder) / name)), flush=True)
        with_variants = [name for name in names if CASES[name].variants]
        if with_variants:
            print("\n" + TOGETHER_HEADING)
        for name in with_variants:
            print(_together_row(name, Runner(name, options, Path(folder) / f"{name}-shared")), flush=True)
        if options.device == "cuda":
            print("\n" + PRECISION_HEADING)
            for name in (name for name in names if name != "lyra"):
                print(_precision_row(name, Runner(name, options, Path(folder) / f"{name}-precision")), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codecs", nargs="+", choices=CASES, help="default: all; Lyra only with --lyra")
    parser.add_argument("--seconds", type=float, help="of audio for each codec; default: a few, fewer for slow codecs")
    parser.add_argument("--utterances", type=int, help="number of recordings; default: recordings as long as VCTK's")
    parser.add_argument("--recordings", type=Path, help="folder of recordings; default: synthetic signals")
    parser.add_argument("--lyra", type=Path, help="folder of Lyra's models")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--measure", help=argparse.SUPPRESS)  # a task, for the child processes of this one
    return parser


# the tables


def ratio(theirs: list[float], ours: list[float]) -> float:
    """Their time divided by ours: the median over pairs of consecutive measurements."""
    return median(their / our for their, our in zip(theirs, ours, strict=True))


def cost(measurements: list[Measurement], device: str) -> list[float]:
    """The seconds for comparisons: CPU time, which other load affects less; on a GPU, wall-clock time."""
    return [one.wall_seconds if device == "cuda" else one.cpu_seconds for one in measurements]


def speeds(measurements: list[Measurement], seconds: float) -> str:
    """Two cells with medians: seconds of audio per second, and per second of CPU time."""
    medians = (median(seconds / spent for spent in times) for times in zip(*map(_times, measurements), strict=True))
    return " | ".join(f"{rate:.3g}" for rate in medians)


def _times(measurement: Measurement) -> tuple[float, float]:
    return measurement.wall_seconds, measurement.cpu_seconds


def _heading(options: argparse.Namespace) -> str:
    where = torch.cuda.get_device_name() if options.device == "cuda" else "CPU"
    return (
        f"{where}, {options.threads} thread(s), {options.repetitions} repetitions, torch {torch.__version__}\n\n"
        "| codec | quantizers | audio, s | ours, s/s | per core | upstream, s/s | per core | ratio |"
        " ours, MB | upstream, MB | GPU busy | upstream is |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|"
    )


def _speed_row(name: str, runner: "Runner") -> str:
    case, device = CASES[name], runner.device
    theirs, ours = runner.in_turn(UPSTREAM, OURS)
    busy = [one.gpu_busy for one in ours if one.gpu_busy is not None]
    what = "our network, one file at a time" if case.upstream is upstream.network_alone else "its package"
    cells = (
        name, case.quantizers, f"{runner.seconds:.1f}", speeds(ours, runner.seconds), speeds(theirs, runner.seconds),
        f"**{ratio(cost(theirs, device), cost(ours, device)):.2f}**", _peak(ours), _peak(theirs),
        f"{median(busy):.0%}" if busy else "", what,
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


TOGETHER_HEADING = (
    "| codec | quantizers | ours together, MB | ours apart / together | upstream apart / ours together |\n"
    "|---|---|---|---|---|"
)


def _together_row(name: str, runner: "Runner") -> str:
    theirs, apart, together = runner.in_turn(UPSTREAM_APART, APART, TOGETHER)
    both = cost(together, runner.device)
    ratios = (ratio(cost(measurements, runner.device), both) for measurements in (apart, theirs))
    quantizers = ", ".join(map(str, CASES[name].variants))
    return f"| {name} | {quantizers} | {_peak(together)} | {' | '.join(f'**{one:.2f}**' for one in ratios)} |"


PRECISION_HEADING = "| codec | decoding in bfloat16, times as fast as in float32 |\n|---|---|"


def _precision_row(name: str, runner: "Runner") -> str:
    (measurements,) = runner.in_turn(PRECISIONS)
    return f"| {name} | {median(one.cpu_seconds / one.wall_seconds for one in measurements):.2f} |"


def _peak(measurements: list[Measurement]) -> str:
    return f"{max(one.peak_mb for one in measurements):.0f}"


class Runner:
    """Runs a codec's measurements on the same recordings, each in a separate process."""

    def __init__(self, name: str, options: argparse.Namespace, folder: Path) -> None:
        self.device = options.device
        self._options = options
        self._name = name
        extent = (options.seconds or CASES[name].seconds, options.utterances)
        self._root = (options.recordings or folder / "recordings").absolute()
        table = speech.find(self._root, *extent) if options.recordings else speech.make(self._root, *extent)
        self.seconds = float((table["num_samples"] / table["sample_rate"]).sum())
        self._table = folder.absolute() / "utterances.parquet"
        files.write_parquet(self._table, table)

    def in_turn(self, *ways: str) -> list[list[Measurement]]:
        """The measurements of each way. Each repetition measures all ways, in alternating order."""
        measurements: dict[str, list[Measurement]] = {way: [] for way in ways}
        for repetition in range(self._options.repetitions):
            for way in ways[:: 1 if repetition % 2 == 0 else -1]:
                measurements[way].append(self._run(way))
        return [measurements[way] for way in ways]

    def _run(self, way: str) -> Measurement:
        task = Task(
            self._name, way, str(self._table), str(self._root), self.device, self._options.threads,
            str(self._options.lyra) if self._options.lyra else None,
        )  # fmt: skip
        command = [sys.executable, __file__, "--measure", json.dumps(asdict(task))]
        process = subprocess.run(command, capture_output=True, text=True)
        if process.returncode:
            raise RuntimeError(f"{self._name}, {way}: {process.stderr}")
        return Measurement(**json.loads(process.stdout.splitlines()[-1]))


# one measurement, in a separate process


def _measure(task: Task) -> Measurement:
    warnings.simplefilter("ignore")
    if task.way in (OURS, TOGETHER, APART):
        devices.use_huge_pages()
    device = devices.prepare(task.device, task.threads)
    case = CASES[task.codec]
    codec = _build_codec(case, device, task.lyra)
    with tempfile.TemporaryDirectory() as folder:
        if task.way == PRECISIONS:
            return _precisions(codec, device)
        prepare = _ours if task.way in (OURS, TOGETHER, APART) else _upstream
        work = prepare(case, codec, task, device, Path(folder))
        work()
        return _measure_work(work, device)


def _build_codec(case: Case, device: torch.device, lyra: str | None) -> Codec:
    """The codec with random weights; codebooks of moving averages would otherwise be zeros."""
    torch.manual_seed(0)
    if case.wrapper == "lyra":
        return codec_wrappers.load("lyra", {}, Path(lyra or ""))
    codec: Codec = codec_wrappers.build(case.wrapper, case.model)
    assert codec.network is not None
    for name, buffer in codec.network.named_buffers():
        if name.endswith("embed"):
            buffer.normal_()
        if name.endswith("inited"):
            buffer.fill_(1)
    return codec


def _ours(case: Case, codec: Codec, task: Task, device: torch.device, folder: Path) -> Callable[[], None]:
    """The workflow's way: it reads and checks recordings and writes shards at 16 kHz. The codec is already loaded."""
    variants = (case.quantizers,) if task.way == OURS else case.variants
    groups = [(number,) for number in variants] if task.way == APART else [variants]
    inputs = (Path(task.table), Path(task.root), None, 0)
    with mock.patch.object(codec_wrappers.module_of(case.wrapper), "load", lambda model, weights: codec):
        ready = shard.load_codec(case.wrapper, case.model, None, device)

    def work() -> None:
        for group in groups:
            sources = {f"Q{number}": number for number in group}
            settings = shard.ResynthesisSettings(task.codec, case.wrapper, sources, 1, case.model)
            with mock.patch.object(shard, "load_codec", lambda *_: ready):
                shard.resynthesize_shard(settings, *inputs, folder, device, task.threads)

    return work


def _upstream(case: Case, codec: Codec, task: Task, device: torch.device, folder: Path) -> Callable[[], None]:
    variants = (case.quantizers,) if task.way == UPSTREAM else case.variants
    if codec.network is not None:
        codec.network.eval().to(device)
    one_file = case.upstream(codec, device)
    paths = [Path(task.root) / path for path in utterances.read(Path(task.table))["path"]]

    def work() -> None:
        for number in variants:
            for path in paths:
                one_file(path, folder / f"{path.stem}_{number}.wav", number)

    return work


def _precisions(codec: Codec, device: torch.device) -> Measurement:
    """The time of ten decodings of 16 utterances of 4 s: `cpu_seconds` in float32, `wall_seconds` in bfloat16."""
    assert codec.sample_rate is not None and codec.network is not None
    codec.network.eval().to(device)
    wav = torch.randn(16, 4 * codec.sample_rate // codec.hop_length * codec.hop_length, device=device)
    times = []
    with torch.inference_mode():
        codes = codec.encode(wav)
        for enabled in (False, True):
            with torch.autocast("cuda", torch.bfloat16, enabled=enabled):
                codec.decode(codes)
                torch.cuda.synchronize()
                times.append(_measure_work(lambda: [codec.decode(codes) for _ in range(10)], device).wall_seconds)
    return Measurement(wall_seconds=times[1], cpu_seconds=times[0], peak_mb=0.0)


def _measure_work(work: Callable[[], object], device: torch.device) -> Measurement:
    on_gpu = device.type == "cuda"
    _forget_peak(on_gpu)
    with _busy(on_gpu) as shares:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        if on_gpu:
            torch.cuda.synchronize()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Measurement(wall, cpu, _peak_mb(on_gpu), sum(shares) / len(shares) if shares else None)


def _forget_peak(on_gpu: bool) -> None:
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM to the present memory


def _peak_mb(on_gpu: bool) -> float:
    if on_gpu:
        return torch.cuda.max_memory_allocated() / 1e6
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


@contextmanager
def _busy(on_gpu: bool) -> Iterator[list[float]]:
    """The GPU's utilization, sampled every 50 ms; empty if NVML's Python package is not installed."""
    shares: list[float] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(0.05):
            shares.append(torch.cuda.utilization() / 100)

    threads = [threading.Thread(target=ask)] if on_gpu and find_spec("pynvml") else []
    for thread in threads:
        thread.start()
    yield shares
    stop.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
