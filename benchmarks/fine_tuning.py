"""Compares a training step of a fine-tuned front-end with that of a frozen one: time, memory and operations.

    python benchmarks/fine_tuning.py [--small] [--batch-size 2] [--repetitions 1]

The detector is XLS-R 300M at full size with AASIST, with random weights, which take as long as trained ones; clips have
64,600 samples of noise. Every way runs in a process of its own, on one CPU thread. A first step, which is not timed,
counts the floating-point operations and makes the state of the optimizer. Memory is the peak of the whole process.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.training import CROP, SMALL, XLS_R_300M
from codecfake.base import devices
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.training.fine_tuning import TunedDetector, trained_network
from codecfake.training.fine_tuning_settings import FineTuningSettings
from codecfake.training.optimizer import adam
from codecfake.training.settings import TrainSettings

CPU = torch.device("cpu")
FROZEN = "frozen"
WAYS = {  # the first one is what the others are compared with
    FROZEN: FineTuningSettings(),
    "top 4 blocks": FineTuningSettings("top 4"),
    "all": FineTuningSettings("all"),
    "all, gradient checkpointing": FineTuningSettings("all", gradient_checkpointing=True),
}


@dataclass(frozen=True)
class Cost:
    """Of one step."""

    seconds: float  # of processor time
    megabytes: float
    flops: float
    trained_weights: int


def main() -> None:
    """Measure every way in a process of its own, and print the table."""
    options = _parser().parse_args()
    if options.one is not None:
        print(json.dumps(asdict(measured(options.one, options))))
        return
    name = "24 small layers" if options.small else "XLS-R-300M"
    print(f"{name}, batches of {options.batch_size}, {options.repetitions} repetitions, torch {torch.__version__}\n")
    print(table({way: _in_a_process(way) for way in WAYS}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a front-end of 24 small layers instead of XLS-R-300M")
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)  # measure this way, in this process
    return parser


def _in_a_process(way: str) -> Cost:
    command = [sys.executable, __file__, *sys.argv[1:], "--one", way]
    process = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return Cost(**json.loads(process.stdout.splitlines()[-1]))


def table(costs: dict[str, Cost]) -> str:
    """Each way, relative to the first one."""
    lines = [
        "| front-end | trained weights, M | time | peak memory | operations | GFLOP |",
        "|---|---|---|---|---|---|",
    ]
    first = next(iter(costs.values()))
    for way, cost in costs.items():
        ratios = (cost.seconds / first.seconds, cost.megabytes / first.megabytes, cost.flops / first.flops)
        cells = [way, f"{cost.trained_weights / 1e6:.1f}", *(f"{ratio:.2f}" for ratio in ratios)]
        lines.append(f"| {' | '.join([*cells, f'{cost.flops / 1e9:,.0f}'])} |")
    return "\n".join(lines)


def measured(way: str, options: argparse.Namespace) -> Cost:
    """The cost of one training step."""
    devices.use_huge_pages()  # as our commands do
    torch.set_num_threads(1)
    step, trained_weights = _step(way, options)
    with FlopCounterMode(display=False) as counter:
        step()
    seconds = median([_timed(step) for _ in range(options.repetitions)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB
    return Cost(seconds, peak, counter.get_total_flops(), trained_weights)


def _timed(step: Callable[[], None]) -> float:
    start = time.process_time()
    step()
    return time.process_time() - start


def _step(way: str, options: argparse.Namespace) -> tuple[Callable[[], None], int]:
    """A training step with Adam, and the number of weights that it trains."""
    config = dict(SMALL if options.small else XLS_R_300M)
    front_end = {"name": "wav2vec2", "weights": "random", "layer": config.pop("num_hidden_layers"), "config": config}
    settings = TrainSettings(DetectorSettings(front_end, {"name": "aasist"}), fine_tuning=WAYS[way])
    detector = Detector(settings.detector, CROP)
    network = trained_network(detector, settings.fine_tuning, CPU).train()
    optimizer = adam(settings, network)
    clips = torch.randn(options.batch_size, CROP)
    classes = torch.arange(options.batch_size) % 2

    def step() -> None:
        optimizer.zero_grad()
        with torch.no_grad():
            inputs = clips if isinstance(network, TunedDetector) else detector.front_end(clips)
        F.cross_entropy(network(inputs), classes).backward()
        optimizer.step()

    return step, sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


if __name__ == "__main__":
    main()
