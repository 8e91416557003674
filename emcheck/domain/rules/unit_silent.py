"""unit.silent: nothing was received of a unit for 2.2 heartbeats.

Rule book (domain.md, Presence, last paragraph; Rules):
1. It is about the link and so runs in receive time, counting only time in which the service was receiving:
   from the last `received_at` + 2.2 x `heartbeat_s` to the next `received_at`. Stored facts that come later
   resolve the timeline's unknown time, not this finding.
2. A unit that never spoke counts from its installation; an uninstalled one is not judged.
3. P3, P1 at 24 h. Silence must not pay: inside a curfew window P2 at once, P1 after 60 min or the second
   time in 7 days (to be signed off). As long as an incident accounts for it, it stays P3 and counts as none of the two.
4. It keeps the last `received_at` before it, which is what a person wants to know.
"""

from collections.abc import Sequence
from typing import NamedTuple

from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import AlertId, Ms, RuleId, UnitId
from emcheck.domain.instants import format_ms, parse_ms
from emcheck.domain.policy import Policy
from emcheck.domain.windows import overlap_ms

RULE = RuleId("unit.silent")


class Explained(NamedTuple):
    """The incident that a silence belongs to, and until when that accounts for it."""

    incident: AlertId
    until: Ms


def silent_from(last_heard_at: Ms, allowed_ms: Ms, down: Sequence[Span]) -> Ms:
    """The instant at which `allowed_ms` of receiving time have passed since `last_heard_at` (1)."""
    at = last_heard_at
    for span in down:
        if span.end <= at:
            continue
        if span.start > at:
            if span.start - at >= allowed_ms:
                break
            allowed_ms -= span.start - at
        at = max(at, span.end)
    return at + allowed_ms


def find(
    unit: UnitId,
    start: Ms,
    end: Ms | None,
    *,
    now: Ms,
    last_heard_at: Ms | None,
    windows: Sequence[Span],
    earlier: Sequence[Ms],
    policy: Policy,
    explained: Explained | None = None,
) -> Finding:
    """One silence after `last_heard_at`, None for a unit that never spoke (4).

    `windows` are curfew windows at the unit's address, `earlier` the starts of silences before that no incident
    accounts for.
    """
    until = now if end is None else end
    own = start if explained is None else max(start, explained.until)
    in_curfew_ms = overlap_ms(own, max(until, own + 1), windows) if own <= until else 0
    priority = policy.text("unit.silent.priority")
    if in_curfew_ms > 0:
        within_ms = policy.ms("unit.silent.repeat_within_s")
        recent = sum(1 for at in earlier if start - at < within_ms)
        again = recent + 1 >= policy.number("unit.silent.repeat_count")
        long = in_curfew_ms >= policy.ms("unit.silent.curfew_long_after_s")
        priority = policy.text("unit.silent.priority_long" if again or long else "unit.silent.curfew_priority")
    if until - start >= policy.ms("unit.silent.long_after_s"):
        priority = policy.text("unit.silent.priority_long")
    heard = "never" if last_heard_at is None else format_ms(last_heard_at)
    return Finding(
        rule=RULE, unit=unit, start=start, end=end, priority=priority, raised_at=start,
        detail=(("last_received_at", heard),), policy=policy.label,
        incident=None if explained is None or until >= explained.until else explained.incident,
    )  # fmt: skip


def last_heard_at(silence: Finding) -> Ms | None:
    """What a silence keeps of the time before it (4)."""
    heard = str(dict(silence.detail).get("last_received_at", "never"))
    return None if heard == "never" else parse_ms(heard)
