"""unit.battery: a unit's battery is low though it is on mains.

Rule book (domain.md, Rules):
1. From the first `unit_status` with `battery_pct` of `low_pct` or less, in event time, until one is above `clear_pct`;
   what was said last stands. P4: a visit is due in 7 days.
2. While the mains are lost, and for `charge_s` after, it is not told: a battery is there to be used up in a power
   cut, and unit.power says so. One cause, one alert.
"""

from collections.abc import Iterable, Iterator

from emcheck.domain import channels
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms, RuleId, UnitId
from emcheck.domain.instants import FOREVER, format_ms
from emcheck.domain.policies import Line
from emcheck.domain.rules import unit_power
from emcheck.domain.rules.curfew_absence import unexcused_pieces
from emcheck.domain.track import Track

RULE = RuleId("unit.battery")


def find(unit: UnitId, track: Track, installed: Iterable[Span], now: Ms, line: Line) -> list[Finding]:
    """One finding each time it was low on mains (1, 2)."""
    found: list[Finding] = []
    for run, start, end in _low(unit, track, installed, now, line):
        if start <= now:
            policy = line.at(start)
            found.append(
                Finding(
                    rule=RULE,
                    unit=unit,
                    start=start,
                    end=None if end > now else end,
                    priority=policy.text("unit.battery.priority"),
                    evidence=(run.changes[0].fact,),
                    detail=(
                        ("battery_pct", round(run.changes[0].amount or 0)),
                        ("visit_due", format_ms(start + policy.ms("unit.battery.visit_within_s"))),
                    ),
                    policy=policy.label,
                )
            )
    return found


def steps(unit: UnitId, track: Track, installed: Iterable[Span], now: Ms, line: Line) -> list[Ms]:
    """When a battery that is low after a cut counts as one that does not charge (2)."""
    return [start for _, start, _ in _low(unit, track, installed, now, line)]


def _low(
    unit: UnitId, track: Track, installed: Iterable[Span], now: Ms, line: Line
) -> Iterator[tuple[channels.Run, Ms, Ms]]:
    """Low runs with what is left of each without the cuts and the charging after them; an end may be FOREVER."""
    low = channels.runs(channels.changes(track, unit, channels.BATTERY), now, installed, "low", keeping="between")
    if not low:
        return
    cut = [
        Span(
            run.start,
            FOREVER if run.end is None else run.end + line.at(run.end).ms("unit.battery.charge_s"),
        )
        for run in unit_power.cuts(unit, track, installed, now)
    ]
    for run in low:
        for start, end in unexcused_pieces(run.start, FOREVER if run.end is None else run.end, cut):
            yield run, start, end
