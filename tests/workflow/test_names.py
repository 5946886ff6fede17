"""Names say what a value is (`paths`, `rows`), not what happened to it (`found`, `chosen`); `rates` says too little."""

import ast
from collections.abc import Iterator

import pytest
from places import ROOT

# `rates` can mean error rates, speeds or sample rates.
REJECTED = {
    "asked", "chosen", "done", "drawn", "found", "given", "gone", "heard", "held", "judged", "kept", "known",
    "lacking", "left", "listed", "made", "marked", "named", "needed", "noted", "put", "rates", "refused", "said",
    "seen", "shown", "spoken", "taken", "told", "wanted", "written",
}  # fmt: skip
FOLDERS = (  # of the checkout, of codecfake and of tests
    "tables", "statistics", "quality", "features", "demo", "protocols", "audio", "verification", "audit", "report",
    "scoring",
    "base", "corpora", "api", "commands", "detectors", "training", "codecfake/running/watching",
    "codec_wrappers/contract", "codec_wrappers/networks", "codec_wrappers/resynthesis", "codec_wrappers/training",
    "codec_wrappers/weights", "tests/codec_wrappers", "tests/benchmarks", "benchmarks/",
    "experiment", "degradation",
    "running/planning",
)  # fmt: skip


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of every variable, argument, attribute and function that a file defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name


def rejected_names(source: str) -> list[str]:
    """Each rejected name with its line number; underscores around a name and capitals do not matter."""
    return [f"{line}: {name}" for line, name in names(ast.parse(source)) if name.strip("_").lower() in REJECTED]


def test_the_search_sees_variables_arguments_attributes_and_functions() -> None:
    source = "def _drawn(given, *, held=1):\n    self._kept = found = [told for told in given]\n"
    assert {text.split(": ")[1] for text in rejected_names(source)} == {
        "_drawn", "given", "held", "_kept", "found", "told",
    }  # fmt: skip
    assert rejected_names("error_rates = known_names = paths\n") == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_names_say_what_a_value_is(folder: str) -> None:
    roots = (ROOT / folder, ROOT / "codecfake" / folder, ROOT / "tests" / folder)
    paths = sorted(path for root in roots for path in root.rglob("*.py"))
    assert paths
    for path in paths:
        assert rejected_names(path.read_text(encoding="utf-8")) == [], path
