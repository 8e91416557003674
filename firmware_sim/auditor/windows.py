"""The curfew windows of an order as instants: domain.md, 'Curfew windows'."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from firmware_sim.auditor.instants import earlier, later, parse_utc, zone

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ALWAYS = (-(10**18), 10**18)


class Window(NamedTuple):
    """Half-open time in which the wearer has to be at the address, in ms UTC."""

    start: int
    end: int
    address_id: str


def addresses_of_order(order: dict[str, Any]) -> list[str]:
    """Every address that the order, in any of its versions, names."""
    versions = [order["curfew"], *(variation["curfew"] for variation in _varied(order))]
    return sorted({place["address_id"] for version in versions for place in version})


def windows_of_order(order: dict[str, Any], until_ms: int) -> list[Window]:
    """Every window that starts before `until_ms`, resolved, cut and clipped, by start."""
    where = zone(order["timezone"])
    order_start, order_end = parse_utc(order["starts_at"]), parse_utc(order["ends_at"])
    first_night = _first_night(order)
    windows = []
    for in_force_from, in_force_to, curfew in _versions(order):
        for place in curfew:
            for weekly in place["windows"]:
                for day in _days(order_start, min(order_end, until_ms)):
                    if day.weekday() != _DAYS.index(weekly["from_day"]):
                        continue
                    # A first night replaces the weekly windows that start on its local date ...
                    if first_night is not None and day == first_night[0]:
                        continue
                    start_local, end_local = _local_edges(weekly, day)
                    # An edge in doubt is read in the wearer's favour: a start later, an end earlier.
                    window = Window(later(start_local, where), earlier(end_local, where), place["address_id"])
                    # Old windows end where a variation takes effect, and new ones begin there.
                    piece = _clipped(window, in_force_from, in_force_to)
                    # ... and cuts the time it covers out of the others.
                    windows += [piece] if first_night is None else _without(piece, *first_night[1][:2])
    if first_night is not None:
        windows.append(first_night[1])  # a variation does not cut it
    for suspension in (each for each in order.get("suspensions") or [] if "revoked" not in each):
        span = absence_span(suspension, order["timezone"])
        windows = [left for window in windows for left in _without(window, *span)]
    clipped = [_clipped(window, order_start, order_end) for window in windows]
    return sorted(window for window in clipped if window.start < window.end and window.start < until_ms)


def absence_span(absence: dict[str, Any], timezone: str) -> tuple[int, int]:
    """An authorised absence or a suspension: `from` as the earlier reading, `until` as the later."""
    where = zone(timezone)
    return (
        earlier(datetime.fromisoformat(absence["from"]), where),
        later(datetime.fromisoformat(absence["until"]), where),
    )


def _first_night(order: dict[str, Any]) -> tuple[date, Window] | None:
    """Its local date and its window, which stands at the first curfew address and whose edges are a window's."""
    told = order.get("first_night")
    if told is None:
        return None
    where = zone(order["timezone"])
    start_local, end_local = datetime.fromisoformat(told["from"]), datetime.fromisoformat(told["until"])
    window = Window(later(start_local, where), earlier(end_local, where), order["curfew"][0]["address_id"])
    return start_local.date(), window


def _varied(order: dict[str, Any]) -> list[dict[str, Any]]:
    """The variations that were not taken back."""
    return [variation for variation in order.get("variations") or [] if "revoked" not in variation]


def _versions(order: dict[str, Any]) -> list[tuple[int, int, list[dict[str, Any]]]]:
    """The curfews with the time in which each is in force: the order's own, then each variation's."""
    changes = sorted(
        ((parse_utc(variation["effective_at"]), variation["curfew"]) for variation in _varied(order)),
        key=lambda change: change[0],
    )
    starts = [_ALWAYS[0], *(effective_ms for effective_ms, _ in changes)]
    ends = [*starts[1:], _ALWAYS[1]]
    return list(zip(starts, ends, [order["curfew"], *(curfew for _, curfew in changes)], strict=True))


def _days(start_ms: int, end_ms: int) -> list[date]:
    """Every local date on which a window that touches [start, end) can start: a window is at most a week long."""
    first = datetime.fromtimestamp(start_ms / 1000, tz=UTC).date() - timedelta(days=9)
    last = datetime.fromtimestamp(max(end_ms, start_ms) / 1000, tz=UTC).date() + timedelta(days=2)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _local_edges(weekly: dict[str, str], day: date) -> tuple[datetime, datetime]:
    """Wall times of the window that starts on `day`; it ends on the next `until_day` after its start."""
    start = datetime.combine(day, time.fromisoformat(weekly["from_time"]))
    days_later = (_DAYS.index(weekly["until_day"]) - _DAYS.index(weekly["from_day"])) % 7
    end = datetime.combine(day + timedelta(days=days_later), time.fromisoformat(weekly["until_time"]))
    return start, end if end > start else end + timedelta(days=7)


def _clipped(window: Window, start: int, end: int) -> Window:
    return window._replace(start=max(window.start, start), end=min(window.end, end))


def _without(window: Window, start: int, end: int) -> list[Window]:
    """What is left of a window without [start, end): windows of their own."""
    if start >= end or end <= window.start or window.end <= start:
        return [window]
    before, after = window._replace(end=start), window._replace(start=end)
    return [left for left in (before, after) if left.start < left.end]
