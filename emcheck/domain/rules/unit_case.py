"""unit.case: a unit's case was opened.

Rule book (domain.md, Rules):
1. At once, from a `unit_status` whose `case` is anything but `closed`, in event time, until one says `closed`; what
   was said last stands. P2. What happened while it stood open is a person's to find out: closing it ends the finding,
   never the alert.
2. Outside the unit's installation it does not count: a visit accuses nobody.
"""

from collections.abc import Iterable

from emcheck.domain import channels
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms, RuleId, UnitId
from emcheck.domain.policy import Policy
from emcheck.domain.track import Track

RULE = RuleId("unit.case")


def find(unit: UnitId, track: Track, installed: Iterable[Span], now: Ms, policy: Policy) -> list[Finding]:
    """One finding each time it stood open (1, 2)."""
    opened = channels.runs(channels.changes(track, unit, channels.CASE), now, installed, "open")
    return [
        Finding(
            rule=RULE,
            unit=unit,
            start=run.start,
            end=run.end,
            priority=policy.text("unit.case.priority"),
            evidence=(run.changes[0].fact,),
            policy=policy.label,
        )
        for run in opened
    ]
