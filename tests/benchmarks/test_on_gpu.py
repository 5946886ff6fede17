"""The tables of a GPU: the benchmarks accept what they are given, and the README keeps its other sections."""

import subprocess
import sys

import pytest
from places import ROOT

from benchmarks import on_gpu
from benchmarks.on_gpu import HEADING, section, with_section

README = "# Benchmarks\n\n## Speed\n\nfast\n\n## Tests\n\nmany\n"
TABLE = "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_the_section_is_added_once_and_then_replaced() -> None:
    first = with_section(README, section({"benchmarks/x.py": TABLE}, "a GPU", "2026-01-02"))
    assert first.startswith(README)
    assert TABLE in first
    second = with_section(first, section({"benchmarks/x.py": "| new |"}, "a GPU", "2026-01-03"))
    assert second.count(HEADING) == 1
    assert TABLE not in second
    assert "| new |" in second


def test_the_sections_around_it_stay() -> None:
    readme = README.replace("## Tests", f"{HEADING}\n\nold\n\n## Tests")
    text = with_section(readme, section({"benchmarks/x.py": "rate: 3"}, "a GPU", "2026-01-02"))
    assert text.startswith("# Benchmarks\n\n## Speed\n\nfast\n\n")
    assert text.endswith("\n## Tests\n\nmany\n")
    assert "old" not in text
    assert "```\nrate: 3\n```" in text


@pytest.mark.long
@pytest.mark.parametrize("command", on_gpu.commands(4, 2))
def test_a_benchmark_knows_the_options_that_it_is_given(command: str) -> None:
    process = subprocess.run(
        [sys.executable, *command.split(), "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    for word in command.split():
        assert not word.startswith("--") or word in process.stdout
