"""What guards each finished file of a run (a seal, another file with its sha256, or its form), and what makes it."""

from collections.abc import Iterator
from pathlib import Path

from codecfake.base import files, forms, provenance

TARS = "audio/*/*/*.tar"  # whose indexes have digests
RECORDS = "benchmarks"  # Snakemake writes these, without seals; their form shows whether they are complete
GUARDED_BY_OTHERS = ("demo", "features")  # folders with lists of digests of their own
CHECKPOINT = "checkpoint.pt"  # of a training that goes on
EXPORTS = "exports"  # below protocols
WITHOUT_RULE = ("features", "scored", RECORDS, "experiment.txt", "timing.csv", "timing.html")
DEMO = "demo/SHA256SUMS"  # the only output of its rule


def seals(results: Path) -> list[Path]:
    """All seals below `results`, sorted."""
    return [path for path in _files(results) if path.name.endswith(files.SEAL)]


def without_seal(results: Path) -> list[Path]:
    """Finished files that no digest guards, sorted: earlier versions wrote no seals, or somebody removed them."""
    records = {path.parent for path in results.glob(f"weights/*/{provenance.RECORD}")}
    return [
        path
        for path in _files(results)
        if not path.name.endswith(files.SEAL)
        and path.name != CHECKPOINT
        and path.relative_to(results).parts[0] not in (RECORDS, *GUARDED_BY_OTHERS)
        and path.parent not in records
        and not path.relative_to(results).match(TARS)
        and not files.seal_of(path).exists()
    ]


def faults_of_form(results: Path) -> Iterator[tuple[Path, str]]:
    """Files without a seal whose form shows that they are not complete."""
    records = [path for path in _files(results) if path.relative_to(results).parts[0] == RECORDS]
    for path in [*without_seal(results), *records]:
        what = forms.fault(path)
        if what:
            yield path, what


def maker(path: Path) -> tuple[Path, ...]:
    """The file to delete with `path` so that the workflow makes both again, if it knows only that one."""
    parts = path.parts
    if EXPORTS not in parts:
        return ()
    place = parts.index(EXPORTS)  # {protocols}/exports/{format}/{name}.txt is written with {protocols}/{name}.tsv
    return (Path(*parts[:place], *parts[place + 2 :]).with_suffix(".tsv"),)


def has_rule(path: Path, results: Path) -> bool:
    """Whether a rule of the workflow has the file as an output, so that Snakemake can be asked for it."""
    name = path.relative_to(results)
    if name.parts[0] == "demo":
        return name.as_posix() == DEMO
    by_the_way = name.parts[0] in WITHOUT_RULE or {EXPORTS, "tensorboard"} & set(name.parts)
    return not by_the_way and not path.name.endswith(files.SEAL)


def _files(results: Path) -> list[Path]:
    """All files, sorted, but those with a name of the moment, which begins with a dot."""
    return sorted(path for path in results.rglob("*") if not path.name.startswith(".") and path.is_file())
