"""The texts that readers meet: the README is short and shows the real tree, links work, and the English is plain."""

import re
import subprocess
from pathlib import Path

import pytest
from places import ROOT

README = ROOT / "README.md"
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TREE_LINE = re.compile(r"^( *)(\S+)(?: {2,}\S.*)$", re.MULTILINE)

# Not plain English, or British. A phrase matches whole words, across line breaks.
REJECTED = (
    "anew", "mend", "mends", "mended", "so many", "say where", "there is none", "there are none", "by itself",
    "has no need of", "have no need of", "what is to be", "is to be made", "lies", "lie", "at hand", "needs be",
    "licence", "behaviour", "colour", "cancelled", "normalise", "synthesise", "neighbour", "nobody's",
    "held to", "outrun", "outruns", "is told of", "are told of", "are judged by",
)  # fmt: skip
LITERAL = re.compile(r"CANCELLED|`[^`\n]*`")  # SLURM's own word, and code
PLAIN = (  # where the English has been made plain
    "README.md", "CONTRIBUTING.md", "Makefile", "config.yaml", "docs", "benchmarks/README.md", "envs/README.md",
    "protocols/README.md",
    "codecfake/audio", "codecfake/corpora", "codecfake/report", "codecfake/scoring", "codecfake/verification",
    "codecfake/audit", "codecfake/running/watching", "codecfake/running/check.py", "codecfake/running/run_lock.py",
    "codecfake/running/dates.py", "codecfake/protocols", "codecfake/publishing",
    "codec_wrappers", "codecfake/api",
    "codecfake/tables", "codecfake/statistics", "codecfake/quality", "codecfake/features", "codecfake/demo",
    "codecfake/base", "codecfake/commands", "codecfake/detectors", "codecfake/training",
    "codecfake/running/gpu_jobs.py", "codecfake/running/hooks.py", "codecfake/running/launching.py",
    "codecfake/running/places.py", "codecfake/running/requirements.py", "codecfake/running/wildcards.py",
    "codecfake/running/storage.py", "codecfake/running/report_marks.py",
    "Snakefile", "rules", "profiles", "experiments", "benchmarks",
    "codecfake/experiment", "codecfake/degradation",
    "codecfake/running/planning",
)  # fmt: skip
BINARY = {".png", ".safetensors"}
EXEMPT = {"CONTRIBUTING.md", "docs/contract.md"}  # shows bad samples; is written by codec_wrappers/contract


def tracked(*patterns: str) -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if listing.returncode:
        pytest.skip("this copy of the sources is no git checkout")
    return [name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def tree() -> list[str]:
    """The README's tree as paths; a folder ends in a slash."""
    block = re.search(r"^## The tree\n+```\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block is not None
    paths: list[str] = []
    parent = ""
    for line in block[1].splitlines():
        if re.fullmatch(r"\S+( \S+)*", line):  # several files without a description
            paths += line.split(" ")
            continue
        entry = TREE_LINE.fullmatch(line)
        assert entry is not None, line
        parent = parent if entry[1] else entry[2]
        paths.append(parent + entry[2] if entry[1] else entry[2])
    return paths


def test_the_readme_has_at_most_120_lines() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 120


def test_the_tree_of_the_readme_is_that_of_the_repository() -> None:
    parts = [Path(name).parts for name in tracked()]
    entries = {first if not rest else f"{first}/" for first, *rest in parts}
    rooms = {
        f"codecfake/{second}/"
        for first, second, *rest in (p for p in parts if len(p) > 1)
        if first == "codecfake" and rest
    }
    in_words = {".ci/"}  # named in the Makefile's line
    assert ".ci/" in README.read_text(encoding="utf-8")
    shown = tree()
    assert len(shown) == len(set(shown))
    assert set(shown) == (entries | rooms) - in_words


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives a file's headings."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", tracked("*.md"))
def test_every_relative_link_leads_to_a_file_and_heading(name: str) -> None:
    path = ROOT / name
    for link in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        goal = (path.parent / target).resolve() if target else path
        assert goal.exists(), f"{name}: {link} leads nowhere"
        assert not anchor or anchor in anchors(goal), f"{name}: {link} names no heading of {goal.name}"


def rejected_words(text: str) -> list[str]:
    """Each rejected phrase with its line number."""
    plain = LITERAL.sub(lambda match: re.sub(r"[^\n]", "_", match[0]), text)
    return [
        f"{plain.count(chr(10), 0, match.start()) + 1}: {phrase}"
        for phrase in REJECTED
        for match in re.finditer(rf"\b{phrase}\b".replace(" ", r"[\s#]+"), plain, re.IGNORECASE)
    ]


def test_the_search_for_words_sees_line_breaks_and_skips_code() -> None:
    assert rejected_words("# they need so\n# many") == ["1: so many"]
    assert rejected_words("`mend` CANCELLED, amended") == []
    assert rejected_words("one\ntwo mend it") == ["2: mend"]


@pytest.mark.parametrize(
    "name", [name for name in tracked(*PLAIN) if Path(name).suffix not in {".png", ".safetensors"}]
)
def test_texts_are_plain_american_english(name: str) -> None:
    if name not in EXEMPT:
        assert rejected_words((ROOT / name).read_text(encoding="utf-8")) == []
