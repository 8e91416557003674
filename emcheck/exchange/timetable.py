"""Windows as instants made into an order's weekly windows, varied where weeks differ, suspended where one is left out.

1. A version begins with the first window that is not told yet; those of its first weeks are its weekly ones, of as many
   weeks as tell the most.
2. It holds for as long as nothing follows from it that is not given. A weekly window that is left out is suspended.
3. Where something else is given, the next version begins: without windows, where there are none for a while. A weekly
   window that is left out three times running while others are kept is gone, and so begins a version too.
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
_GONE = 3
_WEEKS = (1, 2, 4)
"""A window that is left out in the first week stands in a later one."""


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
        best = max((_version(given[told:], weeks, zone, span.end) for weeks in _WEEKS), key=lambda found: found.rank)
        if best.matched == 0:
            raise NotUnderstood("", f"the window from {_name(given[told], zone)} has no weekly form")
        begins = given[told].start
        if versions and not versions[-1][1] and not _between(best.curfew, zone, versions[-1][0], begins):
            begins = versions.pop()[0]
        versions.append((begins, best.curfew))
        holes += best.left_out
        told += best.matched
        if best.stops is not None and (told == len(given) or best.stops < given[told].start):
            versions.append((best.stops, []))
    return _checked(_from(span.start, versions, zone), holes, given, zone, span)


class _Version(NamedTuple):
    """A weekly timetable: how many of the windows follow from it, what it leaves out, and where it must stop."""

    curfew: list[dict[str, Any]]
    matched: int
    left_out: list[Span]
    stops: Ms | None

    @property
    def rank(self) -> tuple[int, int]:
        """More is better, then fewer holes."""
        return self.matched, -len(self.left_out)


def _version(given: list[Window], weeks: int, zone: str, until: Ms) -> _Version:
    run, ends = _run(given, weeks, zone)
    curfew = _weekly(run, zone)
    follows = _between(curfew, zone, given[0].start, until if ends is None else ends)
    count, left_out, stops = _agreement(follows, given, zone)
    return _Version(curfew, count, left_out, ends if stops is None else stops)


def _run(given: list[Window], weeks: int, zone: str) -> tuple[list[Window], Ms | None]:
    """Clause 1: the windows of the first weeks that make one weekly timetable, and where it must end, by clause 4."""
    run, begins, last = [given[0]], _wall_start(given[0].start, zone), given[0]
    forms = [(timedelta(0), _wall_end(given[0].end, zone) - begins)]
    if forms[0][1] > _WEEK:
        raise NotUnderstood("", f"the window from {_name(given[0], zone)} is longer than a week; divide it")
    for window in given[1:]:
        start, end = local(window.start, zone) - begins, _wall_end(window.end, zone) - begins
        form = start % _WEEK, start % _WEEK + end - start
        named = _nameable_end(last.end, zone) and _nameable_start(window.start, zone)
        if not named or end > weeks * _WEEK:
            break
        if form not in forms:
            if form[1] > _WEEK or any(form[0] < other[1] and other[0] < form[1] for other in forms):
                break
            forms.append(form)
            run.append(window)
        last = window
    return run, None if _nameable_end(last.end, zone) else last.end


def _between(curfew: list[dict[str, Any]], zone: str, start: Ms, end: Ms) -> list[Window]:
    """The windows of a weekly timetable in some time."""
    return windows(_order(curfew, zone, start, end), start, end)


def _agreement(follows: list[Window], given: list[Window], zone: str) -> tuple[int, list[Span], Ms | None]:
    """How many of the given windows follow, what is left out between them, and where what follows must stop."""
    count, left_out, skipped = 0, [], list[Window]()
    missed: dict[tuple[str, str], list[Ms]] = {}
    for window in follows:
        if count < len(given) and window == given[count]:
            if skipped:
                hole = Span(skipped[0].start, skipped[-1].end)
                if not _suspendable(hole, zone):
                    break
                left_out.append(hole)
                over = _over(missed, skipped, zone)
                if over is not None:  # from there on it is not left out, it is gone
                    before, holes, stops = _agreement([w for w in follows if w.start < over], given, zone)
                    return before, holes, over if stops is None else stops
                skipped = []
            missed.pop(_slot(window, zone), None)
            count += 1
        elif count < len(given) and window.end <= given[count].start:
            skipped.append(window)
        else:
            skipped.append(window)
            break
    return count, left_out, skipped[0].start if skipped else None


def _over(missed: dict[tuple[str, str], list[Ms]], skipped: list[Window], zone: str) -> Ms | None:
    """Clause 3: since when a weekly window is gone that was left out so many times running, others being kept."""
    for slot, start in {_slot(window, zone): window.start for window in reversed(skipped)}.items():
        missed.setdefault(slot, []).append(start)
    return min((starts[0] for starts in missed.values() if len(starts) >= _GONE), default=None)


def _slot(window: Window, zone: str) -> tuple[str, str]:
    """The weekly window that this is one of."""
    return local(window.start, zone).strftime("%a %H:%M:%S"), window.address_id


def _from(starts: Ms, versions: Versions, zone: str) -> Versions:
    """The first version holds from the order's start on, unless windows would follow from it before its first."""
    first, curfew = versions[0]
    if starts < first and _between(curfew, zone, starts, first):
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
