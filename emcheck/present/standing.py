"""A register for people: each order with its curfew, the wearer's tags and the base units at its addresses."""

from collections.abc import Iterable, Iterator
from typing import Any

from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms
from emcheck.domain.register import (
    DAYS,
    CurfewRequirement,
    Fitting,
    Installation,
    LocalSpan,
    Order,
    Register,
    Revoked,
    WeeklyWindow,
)
from emcheck.domain.windows import resolve
from emcheck.present.times import day, hour


def in_force(register: Register, now: Ms | None) -> list[dict[str, Any]]:
    """A row for each order, by wearer; with `now`, only what is in force then."""
    names = {wearer.wearer_id: wearer.name for wearer in register.wearers}
    orders = [o for o in register.orders if now is None or o.starts_at <= now < o.ends_at]
    rows = []
    for order in sorted(orders, key=lambda o: (o.wearer_id, o.order_id)):
        addresses = _addresses(order, now)
        tags = [f for f in register.fittings if f.wearer_id == order.wearer_id and _lasts(f, f.fitted_at, now)]
        units = [i for i in register.installations if i.address_id in addresses and _lasts(i, i.installed_at, now)]
        name = names[order.wearer_id]
        rows.append(
            {
                "wearer": f"{order.wearer_id} {name}" if name else order.wearer_id,
                "order": f"{order.order_id} {order.kind.replace('_', ' ')}",
                "wearer_id": order.wearer_id,
                "order_id": order.order_id,
                "timezone": order.timezone,
                "starts_at": format_ms(order.starts_at),
                "ends_at": format_ms(order.ends_at),
                "curfew": [
                    *_lines(_curfew(order, now)),
                    *_changes(order, now),
                    f"{order.timezone}, until {day(order.ends_at, order.timezone)}",
                ],
                "tags": [f"{tag.tag} {tag.validation or 'not validated'}" for tag in tags],
                "units": [f"{unit.unit} at {unit.address_id}" for unit in units],
            }
        )
    return rows


def _curfew(order: Order, now: Ms | None) -> Iterable[CurfewRequirement]:
    """The version in force; without an instant the order's first."""
    versions = [v for v in order.varied if now is not None and v.effective_at <= now]
    return max(versions, key=lambda v: v.effective_at).curfew if versions else order.curfew


def _addresses(order: Order, now: Ms | None) -> set[str]:
    """Where the order wants its wearer, now or after a variation that is to come."""
    later = [v.curfew for v in order.varied if now is None or now < v.effective_at]
    return {requirement.address_id for curfew in (_curfew(order, now), *later) for requirement in curfew}


def _lines(curfew: Iterable[CurfewRequirement]) -> list[str]:
    return [line for requirement in curfew for line in curfew_lines(requirement)] or ["no curfew"]


def _changes(order: Order, now: Ms | None) -> Iterator[str]:
    """What changes the weekly windows: the first night, variations, suspensions, leave; with `now` what is not over."""
    zone = order.timezone
    if order.first_night is not None and _lies_ahead(order.first_night, zone, now):
        yield f"first night {_span(order.first_night)}"
    for variation in sorted(order.variations, key=lambda variation: variation.effective_at):
        if now is None or now < variation.effective_at:
            at = f"{day(variation.effective_at, zone)} {hour(variation.effective_at, zone)}"
            yield f"from {at}: {', '.join(_lines(variation.curfew))}{_revoked(variation.revoked)}"
    for suspension in order.suspensions:
        if _lies_ahead(suspension, zone, now):
            yield f"suspended {_span(suspension)}{_revoked(suspension.revoked)}"
    for leave in order.authorised_absences:
        if _lies_ahead(leave, zone, now):
            yield f"leave {_span(leave)} ({leave.reason}){_revoked(leave.revoked)}"


def _lies_ahead(span: LocalSpan, zone: str, now: Ms | None) -> bool:
    return now is None or now < resolve(span.until, zone, "later")


def _span(span: LocalSpan) -> str:
    return f"{span.from_.replace('T', ' ')} to {span.until.replace('T', ' ')}"


def _revoked(revoked: Revoked | None) -> str:
    return "" if revoked is None else f", revoked by {revoked.by} ({revoked.reason})"


def _lasts(lasting: Fitting | Installation, start: Ms, now: Ms | None) -> bool:
    return now is None or (start <= now and (lasting.removed_at is None or now < lasting.removed_at))


def curfew_lines(requirement: CurfewRequirement) -> list[str]:
    """`A-1: mon to fri 19:00 to 07:00`: windows of the same hours and length share a line."""
    alike: dict[tuple[str, str, int], list[str]] = {}
    for window in sorted(requirement.windows, key=WeeklyWindow.minutes):
        ahead = (DAYS.index(window.until_day) - DAYS.index(window.from_day)) % 7
        alike.setdefault((window.from_time, window.until_time, ahead), []).append(window.from_day)
    return [
        f"{requirement.address_id}: {_days(days)} {start} to {end}{_later(start, end, ahead)}"
        for (start, end, ahead), days in alike.items()
    ]


def _days(days: list[str]) -> str:
    first = DAYS.index(days[0])
    running = len(days) > 2 and days == list(DAYS[first : first + len(days)])
    return "every day" if len(days) == 7 else f"{days[0]} to {days[-1]}" if running else ", ".join(days)


def _later(start: str, end: str, ahead: int) -> str:
    """Nothing for the same day and the usual next morning."""
    usual = 1 if end <= start else 0
    return "" if ahead == usual else f" {ahead} day{'s' if ahead > 1 else ''} later"
