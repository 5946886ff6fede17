"""The protocols of a run's own scores: `protocols/eval/C1.tsv` beside the folder `scores` that has `…/C1.tsv`."""

from collections.abc import Callable
from pathlib import Path

from codecfake.verification.faults import NOTE, Finding, quantity
from codecfake.verification.reading import ScoreFile

SCORES, PROTOCOLS = "scores", Path("protocols/eval")


def protocol_path(scores: Path) -> Path | None:
    """The protocol of the condition that a score file is named after; None if the file is not in a run."""
    of_runs = (folder.parent for folder in scores.resolve().parents if folder.name == SCORES)
    paths = (folder / PROTOCOLS / f"{scores.stem}.tsv" for folder in of_runs)
    return next((path for path in paths if path.is_file()), None)


def own_protocol(file: ScoreFile, read: Callable[[Path], ScoreFile]) -> ScoreFile | None:
    """The protocol of a run's score file, which has no keys; `read` may raise VerificationError."""
    path = protocol_path(file.path) if file.bonafide is None else None
    return None if path is None else read(path)


def own_finding(protocol: ScoreFile, where: str) -> Finding:
    """Which protocol was found."""
    trials = quantity(len(protocol.names), "trial")
    return Finding(NOTE, "run", where, f"the keys are those of its run, {protocol.path} ({trials})")
