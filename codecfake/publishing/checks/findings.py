"""What a check has found: faults by kind, with the first few of each, and notes."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_OF_A_KIND = 10  # are kept as text


class Fault(NamedTuple):
    """One fault: its kind, where it is, and what is wrong."""

    kind: str  # file, key, id, audio, digest, twin, leak, count
    where: str
    what: str


@dataclass
class Findings:
    """Faults are counted; the text of the first ones of each kind is kept."""

    faults: list[Fault] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, faults: Iterable[Fault]) -> None:
        """Count faults."""
        for fault in faults:
            self.numbers[fault.kind] += 1
            if self.numbers[fault.kind] <= MOST_OF_A_KIND:
                self.faults.append(fault)

    def lines(self) -> Iterator[str]:
        """A line for each kept fault and each note."""
        for fault in self.faults:
            yield f"{fault.kind}: {fault.where}: {fault.what}"
        for kind, number in sorted(self.numbers.items()):
            if number > MOST_OF_A_KIND:
                yield f"{kind}: {number - MOST_OF_A_KIND} more faults of this kind"
        yield from (f"note: {note}" for note in self.notes)
