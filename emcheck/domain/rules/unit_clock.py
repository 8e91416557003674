"""unit.clock: a unit's clock is off.

Rule book (domain.md, Rules; protocol.md, Clocks):
1. From the first event that reports an offset beyond `clock.offset_max_s` (30 s), in corrected event time, until one
   reports a smaller one. Only what the unit measured counts: an event that waited in its store is late, not off.
2. P3; P2 once the offset is over `critical_s` (900 s). Times are corrected by it all the same.
"""

from collections.abc import Iterable

from emcheck.domain import channels
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms, RuleId, UnitId
from emcheck.domain.policy import Policy
from emcheck.domain.track import Track

RULE = RuleId("unit.clock")


def faults(unit: UnitId, track: Track, installed: Iterable[Span], now: Ms) -> list[channels.Run]:
    """The stretches in which the clock was off (1)."""
    return channels.runs(channels.changes(track, unit, channels.CLOCK), now, installed, "off", "far")


def find(unit: UnitId, track: Track, installed: Iterable[Span], now: Ms, policy: Policy) -> list[Finding]:
    """One finding each time it was off (1, 2)."""
    return [_finding(unit, run, policy) for run in faults(unit, track, installed, now)]


def _finding(unit: UnitId, run: channels.Run, policy: Policy) -> Finding:
    far = next((change for change in run.changes if change.level == "far"), None)
    told = far or run.changes[0]
    return Finding(
        rule=RULE,
        unit=unit,
        start=run.start,
        end=run.end,
        priority=policy.text("unit.clock.priority" if far is None else "unit.clock.priority_critical"),
        evidence=tuple(dict.fromkeys((run.changes[0].fact, told.fact))),
        detail=(("offset_ms", round(told.amount or 0)),),
        policy=policy.label,
    )
