"""A calendar's events as plain values. Of reading, only this file knows the iCalendar library.

What it says of a fault quotes the calendar, which may name people: faults are told here by line and field.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from icalendar import Calendar, Component

from emcheck.exchange.imported import NotUnderstood

_READ = {
    "BEGIN", "END", "UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID",
    "LOCATION", "STATUS", "VERSION", "PRODID", "CALSCALE", "METHOD",
}  # fmt: skip


_LINE = re.compile(r"[A-Za-z0-9-]+(?=[;:])")
_FORMS = {
    "DTSTART": "DTSTART;TZID=Europe/London:20260320T190000",
    "DTEND": "DTEND;TZID=Europe/London:20260321T070000",
    "DURATION": "DURATION:PT12H",
    "RRULE": "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20260620T000000Z",
    "RDATE": "RDATE;TZID=Europe/London:20260320T190000",
    "EXDATE": "EXDATE;TZID=Europe/London:20260320T190000",
    "RECURRENCE-ID": "RECURRENCE-ID;TZID=Europe/London:20260320T190000",
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as the calendar writes it: on the wall of `zone`, which is empty where it floats; or a whole day."""

    at: date
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event; `name` is what it is called in the report, by its place: a UID may name a person."""

    name: str
    uid: str
    location: str
    cancelled: bool
    begins: Moment
    ends: Moment | None
    lasts: timedelta | None
    rule: dict[str, list[str]] | None
    until: Moment | None
    added: tuple[Moment, ...]
    left_out: tuple[Moment, ...]
    replaces: Moment | None


def entries(text: str) -> tuple[list[Entry], list[tuple[str, str]]]:
    """The events of a calendar, and what of it was not looked at. NotUnderstood names a part that is broken."""
    try:
        calendar = Calendar.from_ical(text)
    except (ValueError, IndexError, KeyError):
        raise NotUnderstood("", f"no iCalendar: {_odd_line(text)}") from None
    if not isinstance(calendar, Calendar):
        raise NotUnderstood("", "no iCalendar: it does not begin with BEGIN:VCALENDAR")
    if str(calendar.get("METHOD", "")).upper() == "CANCEL":
        raise NotUnderstood("METHOD", "CANCEL: a calendar that takes events back is no timetable")
    events = [part for part in calendar.subcomponents if part.name == "VEVENT"]
    return [_entry(event, number, text) for number, event in enumerate(events, start=1)], _unused(calendar)


def _odd_line(text: str, event: int = 0) -> str:
    """The first line that is no property, of the whole calendar or from one event on, and how one is written."""
    for number, line in _lines_of(text, event):
        if line.strip() and line[0] not in " \t" and _LINE.match(line) is None:
            return f"line {number} is no property; write it as in LOCATION:A-1"
    return "its parts do not close; write BEGIN:VCALENDAR, events from BEGIN:VEVENT to END:VEVENT, END:VCALENDAR"


def _lines_of(text: str, event: int) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, from the beginning of the event with this number on."""
    begun = 0
    for number, line in enumerate(text.split("\n"), start=1):
        begun += line.strip().upper() == "BEGIN:VEVENT"
        if begun >= event:
            yield number, line


def _fault(text: str, event: int, field: str | None) -> NotUnderstood:
    """What is wrong with a property of an event that cannot be read."""
    if field is None:
        return NotUnderstood(f"event {event}", _odd_line(text, event))
    found = (number for number, line in _lines_of(text, event) if line.upper().startswith((f"{field};", f"{field}:")))
    remedy = f"write it as in {_FORMS[field]}" if field in _FORMS else "correct it or take it out"
    return NotUnderstood(f"event {event}, {field}", f"line {next(found, 'unknown')} cannot be read; {remedy}")


def _entry(event: Any, number: int, text: str) -> Entry:
    name = f"event {number}"
    if event.errors:
        raise _fault(text, number, event.errors[0][0])
    for field in ("DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID"):
        if isinstance(event.get(field), list):
            raise NotUnderstood(f"{name}, {field}", "stands twice; write two events")
    if "DTSTART" not in event:
        raise NotUnderstood(name, "no DTSTART")
    replaces = event.get("RECURRENCE-ID")
    if replaces is not None and "RANGE" in replaces.params:
        raise NotUnderstood(f"{name}, RECURRENCE-ID", "replaces this start and all after it; write two events")
    rule = {str(key).upper(): list(values) for key, values in event["RRULE"].items()} if "RRULE" in event else None
    until = rule.pop("UNTIL", None) if rule is not None else None
    return Entry(
        name=name,
        uid=str(event.get("UID", "")),
        location=str(event.get("LOCATION", "")).strip(),
        cancelled=str(event.get("STATUS", "")).upper() == "CANCELLED",
        begins=_moment(event["DTSTART"].dt, event["DTSTART"].params),
        ends=_moment(event["DTEND"].dt, event["DTEND"].params) if "DTEND" in event else None,
        lasts=event["DURATION"].dt if "DURATION" in event else None,
        rule={key: [_plain(value) for value in values] for key, values in rule.items()} if rule is not None else None,
        until=_moment(until[0], {}) if until else None,
        added=tuple(_listed(event, "RDATE", name)),
        left_out=tuple(_listed(event, "EXDATE", name)),
        replaces=_moment(replaces.dt, replaces.params) if replaces is not None else None,
    )


def _moment(at: date, params: Any) -> Moment:
    if not isinstance(at, datetime):
        return Moment(at)
    named = str(params.get("TZID", ""))
    return Moment(at.replace(tzinfo=None), named or ("UTC" if at.tzinfo is not None else ""))


def _plain(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _listed(event: Any, field: str, name: str) -> Iterator[Moment]:
    value = event.get(field)
    for part in value if isinstance(value, list) else [] if value is None else [value]:
        for listed in part.dts:
            if not isinstance(listed.dt, date):
                raise NotUnderstood(f"{name}, {field}", "a period; write an event of its own")
            yield _moment(listed.dt, part.params)


def _unused(calendar: Component) -> list[tuple[str, str]]:
    """Properties and components that are not looked at, each once, by where they stand."""
    found: Counter[str] = Counter()

    def look(part: Component, path: str) -> None:
        found.update(f"{path}{str(key).upper()}" for key in part if str(key).upper() not in _READ)
        for inner in part.subcomponents:
            if inner.name == "VEVENT":
                look(inner, "VEVENT ")
            elif inner.name != "VTIMEZONE":
                found[f"{path}{inner.name}"] += 1

    look(calendar, "")
    return [(name, f"{count} times" if count > 1 else "") for name, count in sorted(found.items())]
