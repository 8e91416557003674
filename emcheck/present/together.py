"""What an alert says of all its findings: one sentence, and where several absences make one alert, its parts."""

from collections.abc import Sequence

from emcheck.domain.findings import Finding
from emcheck.domain.rules import curfew_absence
from emcheck.present.times import clock, duration
from emcheck.present.words import explain

_PARTS_SHOWN = 6


def told_of_all(main: Finding, grounds: Sequence[Finding]) -> str:
    """The words of an alert that stands for `grounds`, of which `main` weighs the most."""
    return " ".join(said for said in (explain(main), in_parts(grounds)) if said)


def in_parts(grounds: Sequence[Finding]) -> str:
    """Which absences of one episode add up, and to what; empty where there are not several (curfew.absence, 4)."""
    absences = [f for f in sorted(grounds, key=lambda f: f.start) if f.rule == curfew_absence.RULE and f.absent_ms]
    if len(absences) < 2:
        return ""
    parts = [_part(f) for f in absences[:_PARTS_SHOWN]]
    if more := len(absences) - len(parts):
        parts.append(f"{more} more")
    total = duration(sum(f.absent_ms or 0 for f in absences))
    return (
        f"{len(absences)} absences add up to {total} that are not authorised: {', '.join(parts[:-1])} and {parts[-1]}. "
        "They are one alert, for nothing shows anybody at home between them; what lies between is not counted."
    )


def _part(f: Finding) -> str:
    length = duration(f.absent_ms or 0)
    if f.end is None:
        return f"since {clock(f.start, f.zone)} ({length} so far)"
    return f"{clock(f.start, f.zone)} to {clock(f.end, f.zone)} ({length})"
