"""Windows as instants made into an order's weekly windows, varied where weeks differ, suspended where one is left out.

1. A version begins with the first window that is not told yet; the windows of its first 7 days are its weekly ones.
2. It holds for as long as nothing follows from it that is not given. A weekly window that is left out is suspended.
3. Where something else is given, the next version begins; with no windows, where there are none for a while.
4. An edge in an hour that comes twice, and that local time cannot name, is made by a version's own beginning or end.

What comes out is resolved again and compared: these windows, no others and none less.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from whenever import Instant

from emcheck.domain.findings import Span
from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms
from emcheck.domain.register import DAYS, Order
from emcheck.domain.windows import Window, resolve, windows
from emcheck.exchange.imported import NotUnderstood, judged

_WEEK = timedelta(days=7)
_HOUR = timedelta(hours=1)


Versions: TypeAlias = list[tuple[Ms, list[dict[str, Any]]]]
"""Curfew requirements, each from an instant on."""


class Timetable(NamedTuple):
    """The parts of an order that say when, as the register writes them."""

    curfew: list[dict[str, Any]]
    variations: list[dict[str, Any]]
    suspensions: list[dict[str, Any]]


def timetable(given: list[Window], zone: str, span: Span) -> Timetable:
    """The timetable whose windows within the span are those given; NotUnderstood names one that has no form."""
    versions: Versions = []
    holes: list[Span] = []
    told = 0
    while told < len(given):
        run = _run(given[told:], zone)
        curfew = _weekly(run, zone)
        begins = given[told].start
        ends = span.end if _nameable_end(run[-1].end, zone) else run[-1].end
        follows = windows(_order(curfew, zone, begins, ends), begins, ends)
        count, left_out, stops = _agreement(follows, given[told:], zone)
        if count == 0:
            raise NotUnderstood("", f"the window from {_name(given[told], zone)} has no weekly form")
        versions.append((begins, curfew))
        holes += left_out
        told += count
        if stops is not None and (told == len(given) or stops < given[told].start):
            versions.append((stops, []))
    return _checked(_from(span.start, versions, zone), holes, given, zone, span)


def _run(given: list[Window], zone: str) -> list[Window]:
    """Clause 1: the first window and those of its week that can stand in one weekly timetable with it."""
    run = [given[0]]
    limit = _wall_start(given[0].start, zone) + _WEEK
    if _wall_end(given[0].end, zone) > limit:
        raise NotUnderstood("", f"the window from {_name(given[0], zone)} is longer than a week; divide it")
    for window in given[1:]:
        follows = local(window.start, zone) >= _wall_end(run[-1].end, zone)
        if not (follows and _nameable_end(run[-1].end, zone) and _nameable_start(window.start, zone)):
            break
        if _wall_end(window.end, zone) > limit:
            break
        run.append(window)
    return run


def _agreement(follows: list[Window], given: list[Window], zone: str) -> tuple[int, list[Span], Ms | None]:
    """How many of the given windows follow, what is left out between them, and where what follows must stop."""
    count, left_out, skipped = 0, [], list[Window]()
    for window in follows:
        if count < len(given) and window == given[count]:
            if skipped:
                hole = Span(skipped[0].start, skipped[-1].end)
                if not _suspendable(hole, zone):
                    break
                left_out.append(hole)
                skipped = []
            count += 1
        elif count < len(given) and window.end <= given[count].start:
            skipped.append(window)
        else:
            skipped.append(window)
            break
    return count, left_out, skipped[0].start if skipped else None


def _from(starts: Ms, versions: Versions, zone: str) -> Versions:
    """The first version holds from the order's start on, unless windows would follow from it before its first."""
    first, curfew = versions[0]
    if starts < first and windows(_order(curfew, zone, starts, first), starts, first):
        return [(starts, []), *versions]
    return [(starts, curfew), *versions[1:]]


def _checked(versions: Versions, holes: list[Span], given: list[Window], zone: str, span: Span) -> Timetable:
    variations = [{"effective_at": format_ms(at), "curfew": curfew} for at, curfew in versions[1:]]
    suspensions = [
        {"from": local(hole.start, zone).isoformat(), "until": local(hole.end, zone).isoformat()} for hole in holes
    ]
    made = Timetable(versions[0][1], variations, suspensions)
    order = _order(made.curfew, zone, span.start, span.end, variations=variations, suspensions=suspensions)
    found = windows(order, span.start, span.end)
    if found != given:
        odd = next(iter(sorted(set(found) ^ set(given))))
        raise NotUnderstood("", f"the window from {_name(odd, zone)} cannot be told in local times of {zone}")
    return made


def _order(curfew: list[dict[str, Any]], zone: str, starts: Ms, ends: Ms, **parts: Any) -> Order:
    span = {"starts_at": format_ms(starts), "ends_at": format_ms(ends)}
    return judged(
        {"order_id": "-", "wearer_id": "-", "kind": "other", "timezone": zone, "curfew": curfew} | span | parts
    )


def _weekly(run: list[Window], zone: str) -> list[dict[str, Any]]:
    curfew: dict[str, list[dict[str, str]]] = {}
    for window in run:
        start, end = _wall_start(window.start, zone), _wall_end(window.end, zone)
        curfew.setdefault(window.address_id, []).append(
            {
                "from_day": DAYS[start.weekday()],
                "from_time": _time(start),
                "until_day": DAYS[end.weekday()],
                "until_time": _time(end),
            }
        )
    return [{"address_id": address, "windows": found} for address, found in curfew.items()]


def _time(at: datetime) -> str:
    return at.strftime("%H:%M:%S").removesuffix(":00")


def local(at: Ms, zone: str) -> datetime:
    """The local wall time of an instant."""
    return Instant.from_timestamp(at, unit="millisecond").to_tz(zone).to_plain().to_stdlib()


def _nameable_start(at: Ms, zone: str) -> bool:
    return resolve(local(at, zone).isoformat(), zone, "later") == at


def _nameable_end(at: Ms, zone: str) -> bool:
    return resolve(local(at, zone).isoformat(), zone, "earlier") == at


def _suspendable(hole: Span, zone: str) -> bool:
    """A suspension's edges are read the other way round."""
    return _nameable_end(hole.start, zone) and _nameable_start(hole.end, zone)


def _wall_start(at: Ms, zone: str) -> datetime:
    """Clause 4: an hour early where local time cannot name the instant; the version begins at the instant itself."""
    return local(at, zone) - (timedelta(0) if _nameable_start(at, zone) else _HOUR)


def _wall_end(at: Ms, zone: str) -> datetime:
    return local(at, zone) + (timedelta(0) if _nameable_end(at, zone) else _HOUR)


def _name(window: Window, zone: str) -> str:
    return f"{local(window.start, zone).isoformat()} to {local(window.end, zone).isoformat()}"
