"""unit.moved: a unit was moved, and something beside the motion shows it.

Rule book (domain.md, Rules):
1. A motion is a `unit_status` that says `moved` after one that did not, in event time. `moved` is the unit's own
   judgement of tilt and motion. Alone it is information: somebody dusts a shelf.
2. It is a finding (`with_power`, `with_link`) where the mains or the link changed within `corroborated_within_s` of
   it, before or after. The link is lost by the unit's own word (`buffered` of `buffered_min` or more): the broker's
   hint makes no finding (protocol.md), and a silence runs in receive time.
3. Or (`repeated`) where it is the third within `repeat_within_s`.
4. P2; the motions of a day are one alert.
"""

from collections.abc import Iterable

from emcheck.domain import channels
from emcheck.domain.findings import FactRef, Finding, Span
from emcheck.domain.ids import Ms, RuleId, UnitId
from emcheck.domain.policy import Policy
from emcheck.domain.track import Track

RULE = RuleId("unit.moved")


def find(unit: UnitId, track: Track, installed: Iterable[Span], now: Ms, policy: Policy) -> list[Finding]:
    """The motions that something else shows (2, 3)."""
    motions = channels.runs(channels.changes(track, unit, channels.MOTION), now, installed, "moved")
    found: list[Finding] = []
    for number, motion in enumerate(motions, start=1):
        shown = _beside(unit, track, motion.start, now, policy) or _repeated(motions[:number], policy)
        if shown is not None:
            class_, fact = shown
            found.append(
                Finding(
                    rule=RULE,
                    class_=class_,
                    unit=unit,
                    start=motion.start,
                    end=motion.start,
                    priority=policy.text("unit.moved.priority"),
                    evidence=(motion.changes[0].fact, fact),
                    policy=policy.label,
                )
            )
    return found


def _beside(unit: UnitId, track: Track, at: Ms, now: Ms, policy: Policy) -> tuple[str, FactRef] | None:
    within_ms = policy.ms("unit.moved.corroborated_within_s")
    for class_, channel in (("with_power", channels.POWER), ("with_link", channels.LINK)):
        for change in channels.changes(track, unit, channel):
            if abs(change.at - at) <= within_ms and change.at <= now:
                return class_, change.fact
    return None


def _repeated(motions: list[channels.Run], policy: Policy) -> tuple[str, FactRef] | None:
    count = round(policy.number("unit.moved.repeat_count"))
    if count < 1 or len(motions) < count:
        return None
    first = motions[-count]
    if motions[-1].start - first.start > policy.ms("unit.moved.repeat_within_s"):
        return None
    return "repeated", first.changes[0].fact
