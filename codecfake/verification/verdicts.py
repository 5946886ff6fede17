"""How a printed error rate follows from a recomputed one: by rounding, by truncation, flipped, or not at all.

Numbers are exact fractions: 2.7445 printed as 2.744 was rounded to even; 2.74451 printed as 2.744 was truncated.
"""

from dataclasses import dataclass
from fractions import Fraction

from codecfake.verification.error_rates import ErrorRate

NOT_COMPUTABLE, DIFFERENT, FLIPPED = "not computable", "different", "flipped"
TRUNCATED, ROUNDED = "truncated", "rounded"
WORST_FIRST = (NOT_COMPUTABLE, DIFFERENT, FLIPPED, TRUNCATED, ROUNDED)
HOLDING = (TRUNCATED, ROUNDED)


@dataclass(frozen=True)
class Verdict:
    name: str  # one of WORST_FIRST
    explanation: str


def judge(printed: str, rate: ErrorRate) -> Verdict:
    """The verdict on a printed percentage; its decimals count as printed.

    Raises ValueError if `printed` is not a decimal number.
    """
    direct = agreement(printed, rate.percent)
    if direct:
        return Verdict(direct, "equal by rounding" if direct == ROUNDED else "equal only by truncation")
    others = ((100 - rate.percent, "100 − EER"), (rate.negated_percent, "EER of the negated scores"))
    for other, habit in others if rate.has_direction else ():
        how = agreement(printed, other)
        if how:
            least = ", consistent with min(EER(s), EER(−s))" if other < rate.percent else ""
            return Verdict(FLIPPED, f"equals {habit} ({how}){least}; the scores give {float(rate.percent):.4f}")
    return Verdict(DIFFERENT, _difference(printed, rate))


def agreement(printed: str, value: Fraction) -> str | None:
    """How a value becomes the printed number: ROUNDED, TRUNCATED, or None. A half may be rounded either way."""
    number, unit = Fraction(printed), Fraction(1, 10 ** decimals(printed))
    if abs(number - value) <= unit / 2:
        return ROUNDED
    return TRUNCATED if number <= value < number + unit else None


def decimals(printed: str) -> int:
    return len(printed.partition(".")[2])


def _difference(printed: str, rate: ErrorRate) -> str:
    difference = Fraction(printed) - rate.percent
    inside = "inside" if rate.low <= float(Fraction(printed)) <= rate.high else "outside"
    errors = abs(float(difference)) / rate.step_percent
    return f"printed {float(difference):+.4f} points off, {errors:.1f} errors of the smaller key; {inside} the interval"
