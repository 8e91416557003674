"""Orders from iCalendar (RFC 5545): every event is curfew at one address, in the calendar's own times.

1. Times with a TZID are of that IANA zone, times in UTC are instants, floating ones are of the order's zone. An edge
   that a clock change skips or repeats is read in the wearer's favour, as in the register.
2. A repeated event has the same hours on the wall each time, as the register's weekly windows have; the RFC would keep
   its length and shift its end on a clock-change night. That is told.
3. The windows of all events together are made into a timetable (`timetable`); they may not overlap.
4. An event that is cancelled or lasts whole days is no curfew. One with a RECURRENCE-ID takes that start's place.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from emcheck.domain.findings import Span
from emcheck.domain.ids import AddressId, Ms
from emcheck.domain.instants import FOREVER, format_ms
from emcheck.domain.windows import Window, cut, resolve
from emcheck.domain.written import is_zone
from emcheck.exchange.entries import Entry, Moment, entries
from emcheck.exchange.imported import Draft, Given, Imported, NotUnderstood, Report, judged
from emcheck.exchange.recurrence import starts, wall
from emcheck.exchange.timetable import timetable
from emcheck.present.standing import curfew_lines

_WALL = "the same hours on the wall each time; on a clock-change night RFC 5545 would shift its end by an hour"


def read_ical(text: str, given: Given) -> Imported:
    """The order of a calendar; NotUnderstood names the event and what is missing."""
    found, unused = entries(text)
    draft = Draft(given, Report())
    zone = draft.choose("zone", _only_zone(found, given), "the events' TZID")
    windows = sorted(_windows(found, zone, draft))
    if not windows:
        raise NotUnderstood("", "no event of the calendar is a curfew with hours")
    for first, second in pairwise(windows):
        if second.start < first.end:
            raise NotUnderstood("", f"events overlap from {format_ms(second.start)} on; end the first before the next")
    span = Span(_edge(draft, "starts_at", windows[0].start), _edge(draft, "ends_at", windows[-1].end))
    made = timetable(_within(windows, span, draft.report), zone, span)
    order = draft.made(
        order_id=draft.choose("order_id", None, ""),
        wearer_id=draft.choose("wearer_id", None, ""),
        kind=draft.choose("kind", None, ""),
        timezone=zone,
        starts_at=format_ms(span.start),
        ends_at=format_ms(span.end),
        atv_allowance_min=given.atv_allowance_min,
        curfew=made.curfew,
        variations=made.variations,
        suspensions=[suspension | {"reason": "left out in the calendar"} for suspension in made.suspensions],
    )
    _tell(order.order, draft.report)
    draft.report.not_used += unused
    return order


def _only_zone(found: list[Entry], given: Given) -> str | None:
    """The IANA zone that all events with a TZID share; NotUnderstood where there are others and none is given."""
    named = sorted({entry.begins.zone for entry in found} - {"", "UTC"})
    unknown = [zone for zone in named if not is_zone(zone)]
    if given.zone is None and unknown:
        raise NotUnderstood("zone", f"TZID {unknown[0]} is no IANA time zone; say which it is, as --zone Europe/London")
    if given.zone is None and len(named) > 1:
        raise NotUnderstood(
            "zone", f"the events have several, {', '.join(named)}; give the order's, as --zone {named[0]}"
        )
    return named[0] if len(named) == 1 and not unknown else None


def _windows(found: list[Entry], zone: str, draft: Draft) -> Iterator[Window]:
    places = {entry.location for entry in found}
    once: Counter[AddressId] = Counter()
    for entry in found:
        if entry.cancelled and entry.replaces is None:
            draft.report.not_used.append((entry.name, "cancelled"))
        elif not isinstance(entry.begins.at, datetime):
            draft.report.not_used.append((entry.name, "lasts whole days; a curfew has hours"))
        else:
            address = AddressId(draft.address(entry.location, len(places), where=f"{entry.name}, LOCATION"))
            replaced = [other.replaces for other in found if other.uid == entry.uid and other.replaces is not None]
            spans = [] if entry.cancelled else list(_spans(entry, zone, replaced, draft))
            if entry.rule is None and not entry.added:
                once[address] += len(spans)
            else:
                draft.report.understood.append((entry.name, f"{len(spans)} windows at {address}"))
            yield from (Window(span.start, span.end, address) for span in spans)
    for address, count in once.items():
        draft.report.understood.append(("events that do not repeat", f"{count} at {address}"))


def _spans(entry: Entry, zone: str, replaced: list[Moment], draft: Draft) -> Iterator[Span]:
    own = _zone_of(entry.begins, zone, entry.name, draft.report)
    if entry.rule is None and not entry.added:
        start = _instant(entry.begins, own, "later")
        yield Span(start, _end(entry, start, zone, draft.report))
        return
    length = _length(entry, own)
    if own != "UTC":
        draft.report.assumed.append((entry.name, _WALL))
    gone = [] if entry.replaces is not None else [wall(moment, own) for moment in replaced]
    for begins in starts(entry, own, draft.given.ends_at, draft.report):
        if begins not in gone:
            ends = (begins + length).isoformat()
            span = Span(resolve(begins.isoformat(), own, "later"), resolve(ends, own, "earlier"))
            yield from [span] if span.end > span.start else []


def _zone_of(moment: Moment, zone: str, name: str, report: Report) -> str:
    """Clause 1. A TZID that is no IANA name is one of its writer's own: the order's zone is read, and told."""
    if not moment.zone or is_zone(moment.zone):
        return moment.zone or zone
    told = (f"{name}, TZID {moment.zone}", f"no IANA time zone; its times are read as of {zone}")
    if told not in report.assumed:
        report.assumed.append(told)
    return zone


def _end(entry: Entry, start: Ms, zone: str, report: Report) -> Ms:
    """The end of an event that stands once: an instant."""
    if entry.ends is not None and isinstance(entry.ends.at, datetime):
        end = _instant(entry.ends, _zone_of(entry.ends, zone, entry.name, report), "earlier")
    elif entry.lasts is not None:
        end = start + entry.lasts // timedelta(milliseconds=1)
    else:
        raise NotUnderstood(entry.name, "neither a DTEND with a time nor a DURATION")
    if end <= start:
        raise NotUnderstood(entry.name, "does not end after it begins")
    return end


def _length(entry: Entry, own: str) -> timedelta:
    """How long a repeated event lasts on the wall."""
    if entry.ends is not None and isinstance(entry.ends.at, datetime):
        if entry.ends.zone not in (entry.begins.zone, "UTC"):
            raise NotUnderstood(f"{entry.name}, DTEND", "a repeated event begins and ends in one zone")
        length = wall(entry.ends, own) - wall(entry.begins, own)
    elif entry.lasts is not None:
        length = entry.lasts
    else:
        raise NotUnderstood(entry.name, "neither a DTEND with a time nor a DURATION")
    if length <= timedelta(0):
        raise NotUnderstood(entry.name, "does not end after it begins")
    return length


def _instant(moment: Moment, zone: str, reading: Literal["earlier", "later"]) -> Ms:
    return resolve(wall(moment, zone).isoformat(), zone, reading)


def _edge(draft: Draft, name: str, found: Ms) -> Ms:
    """The order's start or end: given, or that of its first or last window, which is told."""
    given: Ms | None = getattr(draft.given, name)
    option = f"--{name.replace('_', '-')}"
    if given is None:
        which = "start of the first" if name == "starts_at" else "end of the last"
        draft.report.assumed.append((name, f"{format_ms(found)}, the {which} window; {option} says otherwise"))
        return found
    draft.report.understood.append((name, f"{format_ms(given)}, {draft.given.as_said(name)}"))
    return given


def _within(windows: list[Window], span: Span, report: Report) -> list[Window]:
    """Windows clipped to the order's time."""
    if span.end <= span.start:
        raise NotUnderstood("ends_at", "is not after starts_at")
    inside = cut(windows, [Span(-FOREVER, span.start), Span(span.end, FOREVER)])
    if len(inside) < len(windows):
        report.not_used.append((f"{len(windows) - len(inside)} windows", "outside of the order's time"))
    if not inside:
        raise NotUnderstood("", "no window lies in the order's time")
    return inside


def _tell(plain: dict[str, Any], report: Report) -> None:
    order = judged(plain)
    versions = [(order.starts_at, order.curfew), *((v.effective_at, v.curfew) for v in order.varied)]
    for at, curfew in versions:
        words = "; ".join(line for requirement in curfew for line in curfew_lines(requirement)) or "no curfew"
        report.understood.append((f"from {format_ms(at)[:10]}", words))
    if order.suspensions:
        dates = ", ".join(sorted({suspension.from_[:10] for suspension in order.suspensions}))
        report.understood.append(("suspended", f"the windows of {dates}, left out in the calendar"))
