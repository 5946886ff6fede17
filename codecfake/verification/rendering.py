"""The ledger as text (aligned, worst first) and as JSON."""

from collections import Counter
from typing import Any

from codecfake.base.printing import printable
from codecfake.verification.comparison import FileResult, Line
from codecfake.verification.error_rates import ErrorRate, costs_as_json
from codecfake.verification.faults import FAULT, NOTE, quantity
from codecfake.verification.ledger import Ledger
from codecfake.verification.verdicts import DIFFERENT, FLIPPED, NOT_COMPUTABLE, ROUNDED, TRUNCATED

UNPRINTED = "computed"  # a rate without a printed number
ORDER = (NOT_COMPUTABLE, DIFFERENT, FLIPPED, TRUNCATED, UNPRINTED, ROUNDED)
HEADINGS = ("verdict", "model", "condition", "bona fide", "spoof", "EER %", "interval", "printed", "table")
COSTS = ("minDCF", "actDCF", "Cllr")  # more headings, if they were asked for
TO_THE_RIGHT = ("bona fide", "spoof", "EER %", "printed", *COSTS)
MOST_OF_A_KIND = 8  # findings of one kind that are listed in full


def as_text(ledger: Ledger) -> str:
    """The files, the rates, the findings, and the outcome as the last line."""
    parts = [_header(ledger), _table(ledger), _findings(ledger), _outcome(ledger)]
    return "\n\n".join(part for part in parts if part)


def as_json(ledger: Ledger) -> dict[str, Any]:
    """The same as plain values, sorted; rates in percent, null if unknown."""
    return {
        "holds": ledger.holds,
        "files": [_file(one) for one in ledger.results],
        "rates": [_line(line) for line in _sorted(ledger)],
        "findings": [vars(finding) for finding in ledger.findings],
        "left_out": ledger.unread,
    }


def verdict_of(line: Line) -> str:
    return line.verdict.name if line.verdict else UNPRINTED


def _header(ledger: Ledger) -> str:
    models, forms = {one.model for one in ledger.results}, Counter(one.form for one in ledger.results)
    texts = [f"{quantity(len(ledger.results), 'score file')} of {quantity(len(models), 'model')}"]
    texts += [f"  {count} × {form}" for form, count in sorted(forms.items())]
    texts += [f"  skipped, not score files by their names: {', '.join(ledger.unread)}"] if ledger.unread else []
    return "\n".join(map(printable, texts))


def _table(ledger: Ledger) -> str:
    lines = _sorted(ledger)
    with_costs = any(line.rate and line.rate.asvspoof5 for line in lines)
    headings = (*HEADINGS, *COSTS) if with_costs else HEADINGS
    table = [headings, *(_columns(line) + (_costs(line) if with_costs else ()) for line in lines)]
    widths = [max(len(row[place]) for row in table) for place in range(len(headings))]
    notes = ["", *(_note(line) for line in lines)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if heading in TO_THE_RIGHT else text.ljust(width)
            for text, width, heading in zip(row, widths, headings, strict=True)
        ).rstrip()
        + (f"\n    {note}" if note else "")
        for row, note in zip(table, notes, strict=True)
    )


def _columns(line: Line) -> tuple[str, ...]:
    rate = line.rate
    counts = (str(rate.num_bonafide), str(rate.num_spoof), f"{float(rate.percent):.4f}") if rate else ("", "", "")
    interval = f"[{rate.low:.3f}, {rate.high:.3f}]" if rate else ""
    cell = (line.cell.printed, line.cell.table) if line.cell else ("", "")
    return tuple(map(printable, (verdict_of(line), line.model, line.condition, *counts, interval, *cell)))


def _costs(line: Line) -> tuple[str, ...]:
    costs = line.rate.asvspoof5 if line.rate else None
    if costs is None:
        return ("",) * len(COSTS)
    return tuple(f"{value:.5f}" for value in (costs.min_dcf, costs.act_dcf, costs.cllr))


def _note(line: Line) -> str:
    """Why a number does not follow from the scores; empty if it does."""
    return printable(line.verdict.explanation) if line.verdict and verdict_of(line) in ORDER[:3] else ""


def _findings(ledger: Ledger) -> str:
    """Identical findings are merged; only the first ones of each kind are shown."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for finding in ledger.findings:
        places.setdefault((finding.severity, finding.kind, finding.text), []).append(finding.where)
    texts, counts = [], Counter((severity, kind) for severity, kind, _ in places)
    for place, ((severity, kind, text), where) in enumerate(places.items()):
        before = sum(key[:2] == (severity, kind) for key in list(places)[:place])
        if before < MOST_OF_A_KIND:
            texts.append(f"{severity}  {kind}  {printable('; '.join(where))}\n    {printable(text)}")
        elif before == MOST_OF_A_KIND:
            texts.append(f"{severity}  {kind}  and {counts[severity, kind] - MOST_OF_A_KIND} more: --json lists all")
    return "\n".join(texts)


def _outcome(ledger: Ledger) -> str:
    verdicts = Counter(verdict_of(line) for line in ledger.lines)
    severities = Counter(finding.severity for finding in ledger.findings)
    texts = [f"{verdicts[name]} {name}" for name in ORDER if verdicts[name]]
    texts += [quantity(severities[name], name) for name in (FAULT, NOTE) if severities[name]]
    return f"{'HOLDS' if ledger.holds else 'DOES NOT HOLD'}: {', '.join(texts)}"


def _sorted(ledger: Ledger) -> list[Line]:
    return sorted(ledger.lines, key=_worst_first)


def _worst_first(line: Line) -> tuple[int, float, str, str, str]:
    off = 0.0
    if line.cell and line.rate:
        off = abs(float(line.cell.printed) - float(line.rate.percent))
    return ORDER.index(verdict_of(line)), -off, line.model, line.condition, line.cell.table if line.cell else ""


def _file(one: FileResult) -> dict[str, Any]:
    return {
        "path": one.path,
        "model": one.model,
        "condition": one.condition,
        "form": one.form,
        "trials": len(one.file.names),
        "not_computable": one.why,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "model": line.model,
        "condition": line.condition,
        "verdict": verdict_of(line),
        "explanation": line.verdict.explanation if line.verdict else "",
        "printed": line.cell.printed if line.cell else None,
        "printed_for": line.cell.model if line.cell else None,
        "table": line.cell.table if line.cell else None,
        **_rate(line.rate),
    }


def _rate(rate: ErrorRate | None) -> dict[str, Any]:
    if rate is None:
        return dict.fromkeys(("eer_percent", "low_percent", "high_percent", "method", "num_bonafide", "num_spoof"))
    return {
        "eer_percent": round(float(rate.percent), 6),
        "low_percent": round(rate.low, 6),
        "high_percent": round(rate.high, 6),
        "method": rate.method,
        "num_bonafide": rate.num_bonafide,
        "num_spoof": rate.num_spoof,
        **costs_as_json(rate),
    }
