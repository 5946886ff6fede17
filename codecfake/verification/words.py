"""The words and numbers of cells: labels of the two keys, digits that stand for them, phases, numbers."""

import re
from functools import lru_cache

BONAFIDE_WORDS = ("bonafide", "bona-fide", "bona_fide", "bona fide", "real", "genuine", "human", "authentic")
CLAIM_WORDS = ("target", "nontarget")  # bona fide: of the claimed speaker, or of another (ASVspoof 5 track 2)
SPOOF_WORDS = ("spoof", "spoofed", "spoofing", "fake", "deepfake", "synthetic")
DIGITS = {"false": "0", "true": "1"}  # and 0, 1, 0.0, 1.0, …
TWO_LOGITS = re.compile(r"\[([^,]+),([^,]+)\]")
DIGIT = re.compile(r"[01](\.0*)?")
HIDDEN = re.compile(r"hidden(_?track)?(_?([12])(_pa)?)?")
HIDDEN_TRACK = "hidden_track"
PA_TRACKS = {"notrim": "hidden1_PA", "trim": "hidden2_PA"}  # the hidden trials of PA are two tracks, told by their trim
DEFAULT = "eval"  # the phase of published rates
PHASES = (
    DEFAULT,
    "progress",
    HIDDEN_TRACK,
    *PA_TRACKS.values(),
)  # of ASVspoof 2021, named as in its evaluation package
EXCLUDED = "excluded"  # trials that the official evaluation of another corpus leaves out: see `exclusions`


@lru_cache(maxsize=1024)  # a million labels are only a few words
def is_bonafide(label: str, bonafide_digit: str | None) -> bool | None:
    """Whether a label means bona fide; None if it is not a label, or a digit while the digit is unknown."""
    label = label.strip().casefold()
    if digit(label) is not None:
        return None if bonafide_digit is None else digit(label) == bonafide_digit
    return True if label in (*BONAFIDE_WORDS, *CLAIM_WORDS) else False if label in SPOOF_WORDS else None


@lru_cache(maxsize=1024)
def digit(label: str) -> str | None:
    """`0` or `1` for 0, 1.0, True and the like; None if the label is anything else."""
    label = label.strip().casefold()
    return label[0] if DIGIT.fullmatch(label) else DIGITS.get(label)


@lru_cache(maxsize=1024)
def phase(word: str, trim: str = "") -> str | None:
    """One of PHASES; `trim` is the cell that tells the hidden tracks of PA apart, "" for LA and DF.

    The keys write the hidden track as `hidden`, older ones as `hidden_track`, those of PA as `hidden_track_1`.
    """
    word = word.strip().casefold()
    hidden = HIDDEN.fullmatch(word)
    if hidden is None:
        return word if word in PHASES else None
    if hidden[3]:
        return tuple(PA_TRACKS.values())[int(hidden[3]) - 1]
    return PA_TRACKS.get(trim.strip().casefold(), HIDDEN_TRACK)


def logit_difference(cell: str, bonafide: int) -> float | None:
    """Of a cell with two logits, the one at index `bonafide` minus the other; None if the cell is anything else.

    The difference ranks trials as the probability of their softmax, of which large ones are all 1.
    """
    match = TWO_LOGITS.fullmatch(cell.strip())
    first, second = (number(text) for text in match.groups()) if match else (None, None)
    if first is None or second is None:
        return None
    return second - first if bonafide else first - second


def number(field: str) -> float | None:
    """The number in a field, which may be nan or infinite; None if it is not a number."""
    try:
        return None if "_" in field else float(field)  # Python reads 1_0 as 10
    except ValueError:
        return None
