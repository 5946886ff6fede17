"""Runs the benchmarks on this machine's GPU and writes their tables into benchmarks/README.md.

    python benchmarks/on_gpu.py [--threads 8] [--workers 8] [--readme benchmarks/README.md]

Each benchmark is a process of its own, one after the other. The tables go into the section "On a GPU", which is added
if it is missing and replaced if it is there; nothing else in the file changes.
"""

import argparse
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch

from codecfake.base import devices, files

HEADING = "## On a GPU"


def main() -> None:
    """Measure, and write the section. Raises GpuError without a GPU; exits as a benchmark that fails."""
    options = _parser().parse_args()
    device = devices.prepare("cuda", options.threads)
    outputs = {command: _output(command) for command in commands(options.threads, options.workers)}
    text = section(outputs, torch.cuda.get_device_name(device), date.today().isoformat())
    files.write_note(options.readme, with_section(options.readme.read_text(encoding="utf-8"), text))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=8, help="helper threads of resynthesis")
    parser.add_argument("--workers", type=int, default=8, help="processes that decode audio for detectors")
    parser.add_argument("--readme", type=Path, default=ROOT / "benchmarks/README.md")
    return parser


def commands(threads: int, workers: int) -> list[str]:
    """The benchmarks with sizes that fill a GPU and take minutes together."""
    common = "--device cuda --repetitions 1"
    clips = f"--workers {workers} --batch-size 128 --utterances 1024"
    return [
        f"benchmarks/resynthesis.py {common} --threads {threads} --codecs encodec audiodec dac --seconds 600",
        f"benchmarks/training.py {common} {clips}",
        f"benchmarks/rates.py --device cuda --threads {threads} {clips} --codecs encodec dac --seconds 600",
    ]


def _output(command: str) -> str:
    process = subprocess.run([sys.executable, *command.split()], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if process.returncode:
        sys.exit(process.returncode)
    return process.stdout.strip()


def section(outputs: dict[str, str], gpu: str, day: str) -> str:
    """The section, from what each command printed: Markdown tables, or rates as YAML."""
    parts = [f"{HEADING}\n", f"Measured on {gpu} with torch {torch.__version__}, {day}, by `make test-gpu`.\n"]
    for command, output in outputs.items():
        block = output if output.startswith(("|", "#")) else f"```\n{output}\n```"
        parts += [f"`python {command}`:\n", f"{block}\n"]
    return "\n".join(parts)


def with_section(readme: str, text: str) -> str:
    """The README with `text` in place of its section of that heading, or at its end."""
    before, heading, rest = readme.partition(f"{HEADING}\n")
    if not heading:
        return f"{readme.rstrip()}\n\n{text}"
    _, following, after = rest.partition("\n## ")
    return before + text + (f"\n## {after}" if following else "")


if __name__ == "__main__":
    main()
