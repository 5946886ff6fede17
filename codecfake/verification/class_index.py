"""Class indices 0 and 1, in labels and as places of two logits: toolkits number the classes in both ways.

Which one means bona fide is never guessed. Where a file does not tell, the error shows both readings.
"""

from collections import Counter
from collections.abc import Sequence

from codecfake.verification.words import digit, logit_difference

BONAFIDE_IS = {  # class index of bona fide speech -> toolkits
    1: "SSL_Anti-spoofing, SLS, TCM, Nes2Net, AASIST and AntiDeepfake",
    0: "OC-Softmax (AIR-ASVspoof) and Codecfake of Xie et al.",
}
UNCLEAR_DIGITS = (
    "labels are 0 and 1 (or False and True), and the file does not tell which is bona fide; "
    "give --bonafide-digit 1 or --bonafide-digit 0"
)


def two_readings_of_labels(labels: Sequence[str]) -> str:
    """What both options make of labels such as 0, 1.0 or True."""
    counts = Counter(map(digit, labels))
    readings = (
        f"with {one} (as {toolkits} number the classes) the keys are {counts[str(one)]} × bona fide and "
        f"{counts[str(1 - one)]} × spoof"
        for one, toolkits in BONAFIDE_IS.items()
    )
    return f"{UNCLEAR_DIGITS}: {', '.join(readings)}"


def two_readings_of_logits(cell: str) -> str:
    """What both options make of a cell with two logits."""
    readings = (
        f"with {one} (as {toolkits} number the classes) the score of {cell} is {logit_difference(cell, one):g}"
        for one, toolkits in BONAFIDE_IS.items()
    )
    text = "scores are two logits, and the file does not tell which is of bona fide speech"
    return f"{text}; give --bonafide-logit 1 or --bonafide-logit 0: {', '.join(readings)}"
