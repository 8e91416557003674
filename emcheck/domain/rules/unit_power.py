"""unit.power: a unit runs on its battery, the mains lost.

Rule book (domain.md, Rules):
1. The mains are lost from the first `unit_status` that says `battery` to the first that says `mains`, in event time:
   that is when the cut happened, however late it is told. What was said last stands, over holes, boots and silence
   alike: a unit that falls silent on its battery has not been plugged in again.
2. A cut of `alert_after_s` (30 min) is a finding, P3; it is found by a wake-up at that very instant. One that was over
   before is none.
3. From `critical_after_s` (20 h) on it is P2: the battery is at its end.
4. It says until when the battery lasts: what it held at the cut, of `full_battery_s`. A cut says nothing of the
   wearer, and is neither a silence nor an absence.
"""

from collections.abc import Iterable

from emcheck.domain import channels
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import Ms, RuleId, UnitId
from emcheck.domain.instants import format_ms
from emcheck.domain.policies import Line
from emcheck.domain.policy import Policy
from emcheck.domain.track import Track

RULE = RuleId("unit.power")


def cuts(unit: UnitId, track: Track, installed: Iterable[Span], now: Ms) -> list[channels.Run]:
    """The stretches without mains, however short (1)."""
    return channels.runs(channels.changes(track, unit, channels.POWER), now, installed, "battery")


def find(unit: UnitId, track: Track, installed: Iterable[Span], now: Ms, policy: Policy) -> list[Finding]:
    """The cuts that lasted (2)."""
    return [
        _finding(unit, cut, now, policy)
        for cut in cuts(unit, track, installed, now)
        if cut.until(now) - cut.start >= policy.ms("unit.power.alert_after_s")
    ]


def steps(unit: UnitId, track: Track, installed: Iterable[Span], now: Ms, line: Line) -> list[Ms]:
    """Instants at which a cut that goes on becomes a finding, or critical (2, 3)."""
    return [
        cut.start + line.at(cut.start).ms(f"unit.power.{step}")
        for cut in cuts(unit, track, installed, now)
        for step in ("alert_after_s", "critical_after_s")
        if cut.end is None
    ]


def _finding(unit: UnitId, cut: channels.Run, now: Ms, policy: Policy) -> Finding:
    critical = cut.until(now) - cut.start >= policy.ms("unit.power.critical_after_s")
    held_pct = cut.changes[0].amount
    lasts_ms = round(policy.ms("unit.power.full_battery_s") * (100 if held_pct is None else held_pct) / 100)
    return Finding(
        rule=RULE,
        unit=unit,
        start=cut.start,
        end=cut.end,
        priority=policy.text("unit.power.priority_critical" if critical else "unit.power.priority"),
        evidence=(cut.changes[0].fact,),
        detail=(
            *((("battery_pct", round(held_pct)),) if held_pct is not None else ()),
            ("lasts_until", format_ms(cut.start + lasts_ms)),
        ),
        policy=policy.label,
    )
