"""Curfew windows: local wall time resolved to instants (domain.md, Curfew windows).

1. A weekly window starts on a local date and may cross midnight.
2. An edge that does not exist or exists twice is read in the wearer's favour: a start later, an end earlier.
3. Absences and suspensions in the wearer's favour too: `from` earlier, `until` later.
4. `first_night` replaces the weekly windows that start on its local date and cuts its time out of the
   others; it stands at the first curfew address and no variation cuts it.
5. A variation ends old windows at its effective time and begins new ones there.
6. Suspensions take their time out; all is clipped to `[starts_at, ends_at)`; what is left are windows.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from whenever import PlainDateTime

from emcheck.domain.findings import Span
from emcheck.domain.ids import AddressId, Ms
from emcheck.domain.instants import DAY
from emcheck.domain.register import DAYS, CurfewRequirement, LocalSpan, Order, WeeklyWindow

_LONGEST_DAYS = 8
"""A weekly window is shorter than a week; eight days before an instant no window is missed."""


class Window(NamedTuple):
    """`[start, end)` during which the order wants its wearer at `address_id`."""

    start: Ms
    end: Ms
    address_id: AddressId


@lru_cache(maxsize=8192)
def resolve(local: str, zone: str, reading: Literal["earlier", "later"]) -> Ms:
    """The instant of a local wall time; one that is skipped or repeated takes the named reading (2, 3)."""
    return PlainDateTime.parse_iso(local).assume_tz(zone, disambiguation=reading).timestamp(unit="millisecond")


def windows(order: Order, since: Ms, until: Ms) -> list[Window]:
    """The order's windows that touch `[since, until)`, by start."""
    changes = order.varied
    edges = [order.starts_at, *(min(v.effective_at, order.ends_at) for v in changes), order.ends_at]
    pieces: list[Window] = []
    first = order.first_night
    night = _span(first, order.timezone, "later", "earlier") if first else None
    for curfew, start, end in zip([order.curfew, *(v.curfew for v in changes)], edges, edges[1:], strict=False):
        low, high = max(start, since), min(end, until)
        pieces += [
            Window(max(window.start, start), min(window.end, end), window.address_id)
            for window in _weekly(curfew, order.timezone, low, high, first.from_[:10] if first else "")
        ]
    pieces = cut(pieces, [night] if night else [])
    if night and order.curfew:
        clipped_night = Window(
            max(night.start, order.starts_at), min(night.end, order.ends_at), order.curfew[0].address_id
        )
        pieces += [clipped_night] if clipped_night.end > clipped_night.start else []
    return sorted(w for w in cut(pieces, _suspended(order)) if w.end > since and w.start < until)


def is_in_force(order: Order, at: Ms) -> bool:
    """Whether the order has begun, has not ended and is not suspended at an instant."""
    if not order.starts_at <= at < order.ends_at:
        return False
    return not any(start <= at < end for start, end in _suspended(order))


def curfew_addresses(order: Order, at: Ms) -> set[AddressId]:
    """Where the order's windows stand by what is in force at an instant; its first night stands at the first."""
    changes = order.varied
    curfew = next((v.curfew for v in reversed(changes) if v.effective_at <= at), order.curfew)
    return {requirement.address_id for requirement in (*curfew, *(order.curfew[:1] if order.first_night else ()))}


def absences(order: Order) -> list[Span]:
    """The union of the order's authorised absences that are not revoked, by start (3)."""
    held = (absence for absence in order.authorised_absences if absence.revoked is None)
    return union(_span(absence, order.timezone, "earlier", "later") for absence in held)


def _suspended(order: Order) -> list[Span]:
    held = (suspension for suspension in order.suspensions if suspension.revoked is None)
    return [_span(suspension, order.timezone, "earlier", "later") for suspension in held]


def _span(local: LocalSpan, zone: str, start: Literal["earlier", "later"], end: Literal["earlier", "later"]) -> Span:
    return Span(resolve(local.from_, zone, start), resolve(local.until, zone, end))


def _weekly(curfew: Iterable[CurfewRequirement], zone: str, low: Ms, high: Ms, replaced: str) -> Iterator[Window]:
    """Weekly windows that touch `[low, high)`, save those that start on the date `replaced` (4)."""
    if high <= low:
        return
    first, last = low // DAY - _LONGEST_DAYS, high // DAY + 1
    for requirement in curfew:
        for day, start, end in _spans(first, last, requirement.windows, zone):
            if start < high and end > low and day != replaced:
                yield Window(start, end, requirement.address_id)


@lru_cache(maxsize=256)
def _spans(first: int, last: int, timetable: tuple[WeeklyWindow, ...], zone: str) -> tuple[tuple[str, Ms, Ms], ...]:
    """What starts on some days (numbered from 1970), each with its date.

    Many orders share a timetable, and all are looked at on the same days.
    """
    days = [date(1970, 1, 1) + timedelta(days=number) for number in range(first, last + 1)]
    return tuple((day.isoformat(), start, end) for day in days for start, end in _spans_on(day, timetable, zone))


@lru_cache(maxsize=4096)
def _spans_on(day: date, timetable: tuple[WeeklyWindow, ...], zone: str) -> tuple[Span, ...]:
    """What starts on a day."""
    found = []
    for weekly in timetable:
        if weekly.from_day != DAYS[day.weekday()]:
            continue
        start_min, end_min = weekly.minutes()
        until = day + timedelta(days=int(end_min // 1440) - int(start_min // 1440))
        start = resolve(f"{day.isoformat()}T{weekly.from_time}", zone, "later")
        end = resolve(f"{until.isoformat()}T{weekly.until_time}", zone, "earlier")
        if end > start:
            found.append(Span(start, end))
    return tuple(found)


def cut(pieces: Iterable[Window], holes: Iterable[Span]) -> list[Window]:
    """The pieces without the time of the holes; empty pieces are dropped, and holes that a clock change skips."""
    left = [piece for piece in pieces if piece.end > piece.start]
    for hole in (hole for hole in holes if hole.end > hole.start):
        rest: list[Window] = []
        for piece in left:
            if hole.end <= piece.start or piece.end <= hole.start:
                rest.append(piece)
                continue
            if piece.start < hole.start:
                rest.append(piece._replace(end=hole.start))
            if hole.end < piece.end:
                rest.append(piece._replace(start=hole.end))
        left = rest
    return left


def union(spans: Iterable[Span]) -> list[Span]:
    """Spans merged where they touch, by start; empty ones are dropped."""
    merged: list[Span] = []
    for span in sorted(s for s in spans if s.end > s.start):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def overlap_ms(start: Ms, end: Ms, spans: Iterable[Span]) -> Ms:
    """How much of `[start, end)` the disjoint spans cover."""
    return sum(max(0, min(end, span.end) - max(start, span.start)) for span in spans)
