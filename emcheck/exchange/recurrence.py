"""The starts of an iCalendar event as local wall times: RRULE, RDATE and EXDATE of RFC 5545, section 3.8.5.

1. A rule repeats days, weeks, months or years; a shorter frequency is no timetable of a person.
2. A rule ends by COUNT or UNTIL, or with the order: one without any end needs the order's.
3. DTSTART is the first start. Where it does not follow its own rule, the RFC does not say what holds: it is refused.
4. An EXDATE takes one start away, or all of its day where it is a date; one that meets nothing is told.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta

from dateutil.rrule import rrulestr

from emcheck.domain.ids import Ms
from emcheck.domain.windows import resolve
from emcheck.exchange.entries import Entry, Moment
from emcheck.exchange.imported import NotSaid, NotUnderstood, Report
from emcheck.exchange.timetable import local

STARTS_MAX = 5_000
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")


def wall(moment: Moment, zone: str, *, of_day: time = time.max) -> datetime:
    """A moment on the wall of `zone`: in UTC it is converted, else it stands as it is written."""
    if not isinstance(moment.at, datetime):
        return datetime.combine(moment.at, of_day)
    if moment.zone == "UTC" and zone != "UTC":
        return local(resolve(moment.at.isoformat(), "UTC", "later"), zone)
    return moment.at


def starts(entry: Entry, zone: str, ends_at: Ms | None, report: Report) -> list[datetime]:
    """The local starts of a repeated event whose times are of `zone`, in order."""
    first = wall(entry.begins, zone)
    found = {first} if entry.rule is None else _ruled(entry, entry.rule, first, zone, ends_at)
    found |= {wall(added, zone, of_day=first.time()) for added in entry.added}
    for moment in entry.left_out:
        left_out = wall(moment, zone) if isinstance(moment.at, datetime) else moment.at
        met = {start for start in found if left_out in (start, start.date())}
        if not met:
            report.not_used.append((f"{entry.name}, EXDATE {moment.at.isoformat()}", "meets no start of its event"))
        found -= met
    return sorted(found)


def _ruled(entry: Entry, rule: dict[str, list[str]], first: datetime, zone: str, ends_at: Ms | None) -> set[datetime]:
    where, frequency = f"{entry.name}, RRULE", (rule.get("FREQ") or ["none"])[0]
    if frequency not in _FREQUENCIES:
        raise NotUnderstood(where, f"its FREQ is none of {', '.join(_FREQUENCIES)}")
    if "COUNT" in rule and entry.until is not None:
        raise NotUnderstood(where, "has both COUNT and UNTIL; RFC 5545 allows one")
    if any(int(step) < 1 for step in rule.get("INTERVAL", [])):
        raise NotUnderstood(where, "INTERVAL is at least 1")
    limits = [] if entry.until is None else [wall(entry.until, zone)]
    limits += [] if ends_at is None else [local(ends_at, zone)]
    if not limits and "COUNT" not in rule:
        week_later = resolve((first + timedelta(days=7)).isoformat(), zone, "later")
        raise NotSaid("ends_at", "repeats without end", "--ends-at", where=where, stand_in=week_later)
    limit = min(limits, default=None)
    try:
        repeated = rrulestr(";".join(f"{key}={','.join(values)}" for key, values in rule.items()), dtstart=first)
    except ValueError:
        raise NotUnderstood(where, "no rule of RFC 5545; write it as in FREQ=WEEKLY;BYDAY=MO,TU;COUNT=12") from None
    found = set(_bounded(repeated, limit, where))
    if first not in found and (limit is None or first <= limit):
        raise NotUnderstood(f"{entry.name}, DTSTART", f"{first.isoformat()} does not follow the event's own RRULE")
    return found


def _bounded(repeated: Iterable[datetime], limit: datetime | None, where: str) -> Iterator[datetime]:
    for count, start in enumerate(repeated):
        if limit is not None and start > limit:
            return
        if count == STARTS_MAX:
            raise NotUnderstood(where, f"repeats more than {STARTS_MAX} times; give an earlier --ends-at")
        yield start
