"""A week of an order: drawn as text, a day a row, in local time; and as JSON.

1. A day lasts from one local midnight to the next, 23 or 25 hours where the clocks change; then it has its own scale.
2. What a column shows is what most of its time is. What is exact stands in the list of windows below.
3. Hours are elapsed hours: a night of 12 on the wall lasts 11 or 13 where the clocks change, and that is said.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from emcheck.domain.findings import Span
from emcheck.domain.ids import Ms
from emcheck.domain.instants import HOUR, MINUTE, format_ms
from emcheck.domain.register import Order, changed
from emcheck.domain.windows import Window, absences, cut, overlap_ms, resolve, union, windows
from emcheck.present.times import day, duration, hour, offset_ms, short_day

FIRST_NIGHT, LEAVE, SUSPENDED, NOTHING = "◆", "○", "╳", "·"
PLACES = "━═╍┅"
"""One for each address, in the order's order; a fifth has the last one's."""
_LABEL = 11
_TOTAL = 13
_CELLS = (15 * MINUTE, 20 * MINUTE, 30 * MINUTE)


@dataclass(frozen=True, slots=True)
class Week:
    """What an order asks for in seven local days."""

    order: Order
    days: tuple[tuple[date, Span], ...]
    windows: tuple[Window, ...]
    leave: tuple[Span, ...]
    suspended: tuple[Window, ...]

    @property
    def places(self) -> list[str]:
        """The addresses that are drawn: the order's own first, then those of its variations."""
        named = [place.address_id for place in self.order.curfew] + [window.address_id for window in self.windows]
        return list(dict.fromkeys(named))

    @property
    def span(self) -> Span:
        """The week's first and last instant."""
        return Span(self.days[0][1].start, self.days[-1][1].end)


def week_of(order: Order, any_day: date) -> Week:
    """The week from Monday to Sunday that holds a date."""
    monday = any_day - timedelta(days=any_day.weekday())
    dates = [monday + timedelta(days=n) for n in range(8)]
    edges = [resolve(f"{each.isoformat()}T00:00", order.timezone, "earlier") for each in dates]
    days = tuple((each, Span(start, end)) for each, start, end in zip(dates, edges, edges[1:], strict=False))
    found = windows(order, edges[0], edges[-1])
    whole = windows(changed(order, suspensions=()), edges[0], edges[-1])
    suspended = cut(whole, [Span(w.start, w.end) for w in found])
    leave = [span for span in absences(order) if span.end > edges[0] and span.start < edges[-1]]
    return Week(order, days, tuple(found), tuple(leave), tuple(suspended))


def draw_week(week: Week, *, width: int) -> str:
    """The week for a terminal of so many columns; a column is the least of 15, 20 and 30 minutes that fits."""
    longest = max(span.end - span.start for _, span in week.days)
    fitting = (cell for cell in _CELLS if _LABEL + longest // cell + _TOTAL <= width)
    cell = next(fitting, _CELLS[-1])
    order, zone = week.order, week.order.timezone
    first, last = (day(at, zone) for at in (week.span.start, week.days[-1][1].start))
    rows = [f"Order {order.order_id} of {order.wearer_id}, {first} to {last}  ({zone})", ""]
    rows.append(" " * _LABEL + _scale(_usual(week), zone, cell))
    for _, span in week.days:
        rows += _day_rows(week, span, cell)
    spans = [Span(w.start, w.end) for w in week.windows]
    total = f"in the week  {duration(overlap_ms(*week.span, spans)) if spans else 'none'}"
    return "\n".join([*rows, "", total, "", *_legend(week, cell, width), "", *_listed(week)]) + "\n"


def _usual(week: Week) -> Span:
    """A day of 24 hours to draw the scale from."""
    return next(span for _, span in week.days if span.end - span.start == 24 * HOUR)


def _day_rows(week: Week, span: Span, cell: Ms) -> Iterator[str]:
    zone, length = week.order.timezone, span.end - span.start
    drawn = "".join(_cell(week, at, min(at + cell, span.end)) for at in range(span.start, span.end, cell))
    curfew = overlap_ms(*span, [Span(w.start, w.end) for w in week.windows])
    told = f"  {duration(curfew)}" if curfew else "  none"
    if length != 24 * HOUR:
        ahead = "forward" if length < 24 * HOUR else "back"
        yield f"{short_day(span.start, zone):<{_LABEL}}the clocks go {ahead}: a day of {duration(length)}"
        yield " " * _LABEL + _scale(span, zone, cell)
        yield f"{'':<{_LABEL}}{drawn}{told}"
    else:
        yield f"{short_day(span.start, zone):<{_LABEL}}{drawn}{told}"


def _scale(span: Span, zone: str, cell: Ms) -> str:
    """Every third hour over its column, by the local clock."""
    line = ""
    for number, at in enumerate(range(span.start, span.end, cell)):
        local = hour(at, zone)[:5]
        if local.endswith(":00") and int(local[:2]) % 3 == 0 and len(line) <= number:
            line = line.ljust(number) + local[:2]
    return line


def _cell(week: Week, start: Ms, end: Ms) -> str:
    """Clause 2."""
    found: dict[str, Ms] = {NOTHING: (end - start) // 2}
    for window in week.windows:
        inside = min(end, window.end) - max(start, window.start)
        if inside > 0:
            excused = overlap_ms(max(start, window.start), min(end, window.end), week.leave)
            glyph = FIRST_NIGHT if _is_first_night(week.order, window) else _sign(week.places.index(window.address_id))
            found[glyph] = found.get(glyph, 0) + inside - excused
            found[LEAVE] = found.get(LEAVE, 0) + excused
    found[SUSPENDED] = overlap_ms(start, end, union(Span(w.start, w.end) for w in week.suspended))
    return max(found, key=lambda glyph: found[glyph])


def _sign(place: int) -> str:
    return PLACES[min(place, len(PLACES) - 1)]


def _legend(week: Week, cell: Ms, width: int) -> list[str]:
    """What the signs of this week mean, in as many lines as the width asks for."""
    asked = {window.address_id for window in (*week.windows, *week.suspended)}
    signs = [f"{_sign(n)} curfew at {address}" for n, address in enumerate(week.places) if address in asked]
    signs += [f"{FIRST_NIGHT} first night"] if any(_is_first_night(week.order, w) for w in week.windows) else []
    signs += [f"{LEAVE} leave agreed"] if week.leave else []
    signs += [f"{SUSPENDED} suspended"] if week.suspended else []
    lines: list[str] = []
    for sign in [*signs, f"(a column is {duration(cell)})"]:
        if lines and len(lines[-1]) + 3 + len(sign) <= width:
            lines[-1] += f"   {sign}"
        else:
            lines.append(sign)
    return lines


def _listed(week: Week) -> Iterator[str]:
    zone = week.order.timezone
    remarks = sorted(_remarks(week))
    yield from (f"{_when(at, zone)}  {remark}" for at, remark in remarks)
    yield from [""] if remarks else []
    if not week.windows:
        yield "No curfew in this week."
    order = week.order
    if order.ends_at <= week.span.start or week.span.end <= order.starts_at:
        yield f"The order runs from {day(order.starts_at, zone)} to {day(order.ends_at, zone)}."
    for window in week.windows:
        yield f"{_when(window.start, zone)} to {_when(window.end, zone)}  {_told(week, window)}"


def _told(week: Week, window: Window) -> str:
    zone, lasts = week.order.timezone, duration(window.end - window.start)
    parts = [f"{lasts} at {window.address_id}"]
    turned = offset_ms(window.end, zone) - offset_ms(window.start, zone)
    if turned:
        parts.append(f"the clocks go {'forward' if turned > 0 else 'back'} {duration(abs(turned))}")
    excused = overlap_ms(window.start, window.end, week.leave)
    parts += [f"leave of {duration(excused)}"] if excused else []
    parts += ["first night"] if _is_first_night(week.order, window) else []
    return ", ".join(parts)


def _is_first_night(order: Order, window: Window) -> bool:
    night = order.first_night
    return night is not None and (
        resolve(night.from_, order.timezone, "later") <= window.start
        and window.end <= resolve(night.until, order.timezone, "earlier")
        and window.address_id == order.curfew[0].address_id
    )


def _remarks(week: Week) -> Iterator[tuple[Ms, str]]:
    """What happens to the order itself in the week."""
    order, zone = week.order, week.order.timezone
    happens = [(order.starts_at, "the order starts"), (order.ends_at, "the order ends")]
    happens += [(variation.effective_at, "varied: other windows from here on") for variation in order.varied]
    happens += [
        (resolve(suspension.from_, zone, "earlier"), f"suspended until {suspension.until.replace('T', ' ')}")
        for suspension in order.suspensions
        if suspension.revoked is None
    ]
    happens += [(span.start, f"leave agreed until {_when(span.end, zone)}") for span in week.leave]
    yield from ((at, remark) for at, remark in happens if week.span.start <= at < week.span.end)


def _when(at: Ms, zone: str) -> str:
    return f"{short_day(at, zone)} {hour(at, zone)}"


def week_json(week: Week) -> dict[str, Any]:
    """The week for programs: instants in UTC, spans in seconds."""
    order, spans = week.order, [Span(w.start, w.end) for w in week.windows]
    return {
        "order_id": order.order_id,
        "wearer_id": order.wearer_id,
        "timezone": order.timezone,
        "days": [
            {
                "date": each.isoformat(),
                "seconds": (span.end - span.start) // 1000,
                "curfew_seconds": overlap_ms(*span, spans) // 1000,
            }
            for each, span in week.days
        ],
        "windows": [
            _plain(window)
            | {"seconds": (window.end - window.start) // 1000}
            | {"leave_seconds": overlap_ms(window.start, window.end, week.leave) // 1000}
            | {"first_night": _is_first_night(order, window)}
            for window in week.windows
        ],
        "suspended": [_plain(window) for window in week.suspended],
        "leave": [{"start": format_ms(span.start), "end": format_ms(span.end)} for span in week.leave],
        "remarks": [{"at": format_ms(at), "said": remark} for at, remark in sorted(_remarks(week))],
        "curfew_seconds": overlap_ms(*week.span, spans) // 1000,
    }


def _plain(window: Window) -> dict[str, str]:
    return {"start": format_ms(window.start), "end": format_ms(window.end), "address_id": window.address_id}
