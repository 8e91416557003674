"""An order's windows as iCalendar, for the wearer's phone: an event for each window, as it really begins and ends.

1. Windows are written one by one, not as a rule: variations, suspensions, the first night and the clock-change nights
   are then right on every phone.
2. Times are local with the order's TZID; one that comes twice on its day is written in UTC, for a phone would take the
   first. A part of a second is left off in the wearer's favour.
3. Nothing personal but the address's id is in it. Authorised absences are told in the description, without reason.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard
from whenever import Instant, ZonedDateTime

from emcheck.domain.findings import Span
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, SECOND
from emcheck.domain.register import Order
from emcheck.domain.windows import Window, absences, windows
from emcheck.present.times import duration, hour


def write_ical(order: Order, now: Ms) -> str:
    """The order's timetable as RFC 5545, in the windows' order; `now` is when it was written."""
    found = [w for w in (_whole(w) for w in windows(order, order.starts_at, order.ends_at)) if w.end > w.start]
    calendar = Calendar()
    calendar.add("PRODID", "-//emcheck//curfew timetable//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("X-WR-CALNAME", f"Curfew {order.order_id}")
    if found:
        calendar.add_component(_zone(order.timezone, found[0].start, found[-1].end))
    leave = absences(order)
    for window in found:
        calendar.add_component(_event(order, window, leave, now))
    return bytes(calendar.to_ical(sorted=False)).decode()


def _whole(window: Window) -> Window:
    return window._replace(start=-(-window.start // SECOND) * SECOND, end=window.end // SECOND * SECOND)


def _event(order: Order, window: Window, leave: list[Span], now: Ms) -> Event:
    event = Event()
    event.add("UID", f"{order.order_id}-{_utc(window.start):%Y%m%dT%H%M%SZ}@emcheck")
    event.add("DTSTAMP", _utc(now // SECOND * SECOND))
    _add_time(event, "DTSTART", window.start, order.timezone)
    _add_time(event, "DTEND", window.end, order.timezone)
    event.add("SUMMARY", f"Curfew: be at {window.address_id}")
    event.add("LOCATION", window.address_id)
    remarks = list(_remarks(order, window, leave))
    if remarks:
        event.add("DESCRIPTION", " ".join(remarks))
    return event


def _remarks(order: Order, window: Window, leave: list[Span]) -> Iterator[str]:
    zone = order.timezone
    start, end = _local(window.start, zone), _local(window.end, zone)
    if start.offset != end.offset:
        yield f"The clocks change: this lasts {duration(window.end - window.start)}."
    for span in leave:
        if span.start < window.end and window.start < span.end:
            begins, ends = max(span.start, window.start), min(span.end, window.end)
            yield f"Leave is agreed from {hour(begins, zone)} to {hour(ends, zone)}."


def _add_time(event: Event, name: str, at: Ms, zone: str) -> None:
    """Clause 2."""
    local = _local(at, zone)
    if local.is_repeated():
        event.add(name, _utc(at))
    else:
        event.add(name, local.to_plain().to_stdlib(), parameters={"TZID": zone})


def _zone(zone: str, first: Ms, last: Ms) -> Timezone:
    """A VTIMEZONE of what the zone does between two instants, from the tz database that judges."""
    made = Timezone()
    made.add("TZID", zone)
    made.add_component(_observance(zone, first, _offset(first, zone)))
    at = first
    while at < last:
        step = min(at + DAY, last)
        if _offset(at, zone) != _offset(step, zone):
            change = _change(at, step, zone)
            made.add_component(_observance(zone, change, _offset(change - 1, zone)))
        at = step
    return made


def _observance(zone: str, at: Ms, offset_from: timedelta) -> TimezoneStandard | TimezoneDaylight:
    """What holds from an instant on; its onset is written in the local time of what held before."""
    local = _local(at, zone)
    kind = TimezoneDaylight if local.dst_offset().total("seconds") else TimezoneStandard
    part = kind()
    part.add("DTSTART", (_utc(at) + offset_from).replace(tzinfo=None))
    part.add("TZOFFSETFROM", offset_from)
    part.add("TZOFFSETTO", _offset(at, zone))
    part.add("TZNAME", local.tz_abbrev())
    return part


def _change(low: Ms, high: Ms, zone: str) -> Ms:
    """The first instant in `(low, high]` at which the offset is another than at `low`."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == _offset(low, zone) else (low, middle)
    return high


def _offset(at: Ms, zone: str) -> timedelta:
    return timedelta(seconds=_local(at, zone).offset.total("seconds"))


def _local(at: Ms, zone: str) -> ZonedDateTime:
    return Instant.from_timestamp(at, unit="millisecond").to_tz(zone)


def _utc(at: Ms) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
