"""monitoring.not_producing: an order is in force and the wearer's equipment yields no usable facts.

Rule book (domain.md, Rules; What has gone wrong elsewhere: people who wore a tag and were not monitored for weeks):
1. At each whole `every_s` (an hour, UTC), of each order and each of its windows that has run so long or ended since the
   check before: the wearer is to be monitored at the window's address. An order that has not begun, has ended or is
   suspended has no windows, and nothing is asked; nor is it of a window that ended with the order or by a suspension.
2. A usable fact sets a state of one of the sources there (Presence 1): a presence, a report with frames, a word about
   the tag. Time for which such a state is vouched is time that is known. Where none is known of the last `after_s`,
   it is a finding, P2, from where known time ended (at most two days are looked back), the tag was fitted or the unit
   installed, whichever is last.
3. It names the reason, as of the check: `no_tag`, `no_unit`, `never_heard`, `unit_silent`, `all_refused`, `late`,
   `tag_not_named` or `not_vouched`. One order and address have one finding at a time, whatever the reason becomes.
4. It runs in receive time, as `unit.silent` does, and counts only time in which the service was receiving. It ends at
   the receipt of a fact by which something of the last `after_s` is known, or when nothing is to be monitored there
   any more. Stored facts that come later resolve the timeline, not this finding.
5. One cause, one alert: while `unit.silent` tells of every unit there, this waits for `silent_after_s` (a day): by then
   it is the wearer who is not monitored. A wearer who had no tag yet is the matter of `fitting.overdue` alone.
6. It says nothing of the wearer: whether anyone is at home is unknown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import AddressId, Ms, RuleId, UnitId
from emcheck.domain.instants import DAY, FOREVER, format_ms
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting, Order
from emcheck.domain.rules.unit_silent import silent_from
from emcheck.domain.timeline import Source, source_timeline
from emcheck.domain.unit import Unit
from emcheck.domain.windows import Window, curfew_addresses, is_in_force

RULE = RuleId("monitoring.not_producing")
_LOOK_BACK: Ms = 2 * DAY
"""Older nights may be folded (`case.KEEP`): what is looked at is not."""


class Equipment(NamedTuple):
    """What a wearer's facts at one address come from: fittings, sources with their units, outages of the service."""

    fittings: Sequence[Fitting]
    sources: Sequence[Source]
    units: Mapping[UnitId, Unit]
    down: Sequence[Span]

    def known_until(self, now: Ms) -> Ms:
        """Where the last time ends for which a source's state is known (2)."""
        ends = [
            known[-1].end
            for source in self.sources
            if (known := source_timeline(self.units[source.unit].track, source))
        ]
        return min(max(ends, default=-FOREVER), now)

    def here(self, at: Ms) -> list[Source]:
        """The sources that count at an instant."""
        return [source for source in self.sources if source.counts.start <= at < source.counts.end]


def asked(windows: Iterable[Window], at: Ms, every_ms: Ms) -> Iterable[Window]:
    """The windows that a check asks about (1)."""
    for window in windows:
        if window.start >= at:
            return
        if window.end > at - every_ms and (window.start <= at - every_ms or window.end <= at):
            yield window


def produces(equipment: Equipment, now: Ms, policy: Policy) -> bool:
    """Whether anything is known of the last `after_s` of receiving time (2, 4)."""
    return silent_from(equipment.known_until(now), policy.ms("monitoring.not_producing.after_s"), equipment.down) > now


def find(order: Order, address: AddressId, equipment: Equipment, *, at: Ms, now: Ms, policy: Policy) -> Finding | None:
    """The finding of the check at `at` on what is known at `now`; None where there is none."""
    reason, since = _reason(order, equipment, at, policy)
    if since is None:
        return None
    known_until = max(equipment.known_until(now), at - _LOOK_BACK)
    silent = reason in ("never_heard", "unit_silent")
    span_ms = policy.ms(f"monitoring.not_producing.{'silent_after_s' if silent else 'after_s'}")
    start = max(known_until, since, order.starts_at)
    if silent_from(start, span_ms, equipment.down) > at:
        return None
    return Finding(
        rule=RULE,
        class_=reason,
        wearer_id=order.wearer_id,
        order_id=order.order_id,
        about=subject(order.wearer_id),
        start=start,
        end=None,
        priority=policy.text("monitoring.not_producing.priority"),
        raised_at=now,
        detail=_detail(address, equipment, at),
        zone=order.timezone,
        policy=policy.label,
    )


def revised(finding: Finding, order: Order, equipment: Equipment, *, at: Ms, policy: Policy) -> Finding:
    """A finding that stands, with the reason as of a later check (3)."""
    reason, since = _reason(order, equipment, at, policy)
    if since is None:
        return finding
    return replace(finding, class_=reason, detail=_detail(address_of(finding), equipment, at), policy=policy.label)


def is_wanted(order: Order, address: AddressId, at: Ms) -> bool:
    """Whether the wearer is still to be monitored at the address (4)."""
    return is_in_force(order, at) and address in curfew_addresses(order, at)


def address_of(finding: Finding) -> AddressId:
    """Where the equipment is that a finding is about."""
    return AddressId(str(dict(finding.detail)["address"]))


def subject(wearer_id: str) -> str:
    """Its findings run in receive time and stand apart from the wearer's own."""
    return f"monitoring {wearer_id}"


def _reason(order: Order, equipment: Equipment, at: Ms, policy: Policy) -> tuple[str, Ms | None]:
    """Why nothing usable comes (3), and since when all that is needed was there or something was taken away."""
    if not any(f.fitted_at <= at < (f.removed_at or FOREVER) for f in equipment.fittings):
        taken_off = [f.removed_at for f in equipment.fittings if order.starts_at < (f.removed_at or FOREVER) <= at]
        return "no_tag", max((off for off in taken_off if off is not None), default=None)
    here = equipment.here(at)
    if not here:
        worn = [f.fitted_at for f in equipment.fittings if f.fitted_at <= at < (f.removed_at or FOREVER)]
        return "no_unit", max([min(worn), *(s.counts.end for s in equipment.sources if s.counts.end <= at)])
    since = min(source.counts.start for source in here)
    units = [equipment.units[name] for name in dict.fromkeys(source.unit for source in here)]
    heard = [unit for unit in units if unit.last_received_at is not None and not unit.was_silent(at)]
    if not heard:
        return "never_heard" if all(unit.last_received_at is None for unit in units) else "unit_silent", since
    return _of_heard(heard, here, at - policy.ms("monitoring.not_producing.after_s")), since


def _of_heard(heard: Sequence[Unit], here: Sequence[Source], since: Ms) -> str:
    """Why a unit that is heard yields nothing: what the first says that tells of anything."""
    telling = [u for u in heard if u.track.newest is not None and (u.track.newest.top or -FOREVER) > since]
    if not telling:
        return "all_refused" if any(run.last_at > since for u in heard for run in u.refusals) else "late"
    tags = {source.tag for source in here}
    named = any(tag in unit.track.newest.current for unit in telling if unit.track.newest for tag in tags)
    return "not_vouched" if named else "tag_not_named"


def _detail(address: AddressId, equipment: Equipment, at: Ms) -> tuple[tuple[str, str | int], ...]:
    here = equipment.here(at)
    newest = [boot.top for s in here if (boot := equipment.units[s.unit].track.newest) and boot.top is not None]
    return (
        ("address", address),
        ("units", ", ".join(dict.fromkeys(source.unit for source in here))),
        ("tags", ", ".join(dict.fromkeys(source.tag for source in here))),
        ("told_until", format_ms(max(newest)) if newest else "never"),
    )
