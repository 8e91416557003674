"""What the law and practice allow an order to ask for, by its kind (domain.md, Curfew windows, Validators).

An order beyond a limit can still be judged: the policy says of each limit whether it is told (`warn`) or the
register is refused (`refuse`). Clauses:

1. Sentencing Act 2020, Schedule 9, paragraph 9(4) (community orders, suspended sentences) and Schedule 6,
   paragraph 18(4) (youth): on a day with curfew at least 2 h, on any day at most 20 h, or 16 h where the conviction
   (`convicted_on`) is an older one (9(4A), 18(4A)); at most 112 h in any 7 days that begin on the weekday on which the
   requirement first takes effect.
2. Criminal Justice Act 2003, section 253(2) (home detention curfew): at least 9 h on every day save the first and last.
3. Criminal Procedure (Scotland) Act 1995, section 245A (restriction of liberty): at most 12 h on any one day.
4. Whatever the kind, no more than three windows start on one day: that is what people can keep and units are told.

Hours are those that the order names, by the clock on the wall: a clock change makes no order unlawful. Suspensions and
absences take nothing away: they are leave from what was ordered.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from whenever import Instant, PlainDateTime

from emcheck.domain.ids import Ms, OrderId
from emcheck.domain.instants import DAY, HOUR
from emcheck.domain.policy import Policy
from emcheck.domain.register import DAYS, CurfewRequirement, Order, Register, changed
from emcheck.domain.windows import windows

_AROUND = 14 * DAY
"""Timetables repeat weekly: beside a change, two weeks on either side show everything that can happen."""


@dataclass(frozen=True, slots=True)
class Excess:
    """One order beyond one limit: `path` in the register, what it asks for, the clause and what would be right."""

    order_id: OrderId
    path: str
    said: str
    clause: str
    remedy: str
    refused: bool

    def __str__(self) -> str:
        return f"{self.path}: {self.words}"

    @property
    def words(self) -> str:
        """What is beyond which limit, wherever it stands."""
        return f"order {self.order_id}: {self.said} ({self.clause}); {self.remedy}"


PolicyOf = Callable[[Order], Policy]
"""What an order is judged by."""


def excesses(register: Register, policy_of: PolicyOf) -> list[Excess]:
    """Every order of the register beyond a limit of its policy, one entry a limit, in the register's order."""
    try:
        return [f for number, order in enumerate(register.orders) for f in of_order(order, number, policy_of(order))]
    finally:
        _hours_of.cache_clear()


def of_order(order: Order, number: int, policy: Policy, *, before: Order | None = None) -> Iterator[Excess]:
    """What of the order with this number in the register is beyond a limit.

    Where it was another one `before`, only what is so on days that have other hours now, in weeks that have more, and
    in versions that are new.
    """
    days = _hours(order)
    alike = before is not None and (before.kind, before.convicted_on) == (order.kind, order.convicted_on)
    kept = _hours(before, like=order) if before is not None and alike else {}
    new = {day: hours for day, hours in days.items() if kept.get(day) != hours}
    yield from _starts(order, number, policy, before)
    if order.kind in ("community_order", "suspended_sentence", "youth"):
        yield from _court(order, number, policy, days, kept)
    elif order.kind == "home_detention_curfew":
        least = policy.number("order.home_detention_curfew.day_min_h")
        inner = {day: hours for day, hours in new.items() if day not in (min(days), max(days))}
        short = {day: hours for day, hours in inner.items() if hours < least}
        yield from _said(
            order, number, short,
            _clause(policy, "order.home_detention_curfew.day_min_h", "Criminal Justice Act 2003 s 253(2)"),
            f"make it at least {_h(least)} on every day save the first and last",
            refused=_refuses(policy, "home_detention_curfew"),
        )  # fmt: skip
    elif order.kind == "restriction_of_liberty":
        most = policy.number("order.restriction_of_liberty.day_max_h")
        long = {day: hours for day, hours in new.items() if hours > most}
        yield from _said(
            order, number, long,
            _clause(policy, "order.restriction_of_liberty.day_max_h", "Criminal Procedure (Scotland) Act 1995 s 245A"),
            f"make it at most {_h(most)} on any one day", refused=_refuses(policy, "restriction_of_liberty"),
        )  # fmt: skip


def _court(
    order: Order, number: int, policy: Policy, days: dict[int, float], kept: dict[int, float]
) -> Iterator[Excess]:
    """Clause 1."""
    new = {day: hours for day, hours in days.items() if kept.get(day) != hours}
    law = "Sentencing Act 2020 Sch 6 para 18" if order.kind == "youth" else "Sentencing Act 2020 Sch 9 para 9"
    older = order.convicted_on is not None and order.convicted_on < policy.text("order.court.older_before")
    most = policy.number("order.court.day_max_older_h" if older else "order.court.day_max_h")
    least, refused = policy.number("order.court.day_min_h"), _refuses(policy, "court")
    short = {day: hours for day, hours in new.items() if 0 < hours < least}
    long = {day: hours for day, hours in new.items() if hours > most}
    yield from _said(
        order,
        number,
        short,
        _clause(policy, "order.court.day_min_h", f"{law}(4)(a)"),
        f"make it at least {_h(least)} on a day with curfew, or none",
        refused=refused,
    )
    why = f", the conviction being before {policy.text('order.court.older_before')}" if older else ""
    yield from _said(
        order,
        number,
        long,
        _clause(policy, "order.court.day_max_h", f"{law}(4)(b)"),
        f"make it at most {_h(most)} on any one day{why}",
        refused=refused,
    )
    week_max = policy.number("order.court.week_max_h")
    for first, hours in _weeks(days, _wall(order.starts_at, order.timezone) // DAY):
        was = sum(kept.get(day, 0) for day in range(first, first + 7))
        if hours > max(week_max, was):
            said = f"{_h(hours)} of curfew in the 7 days from {_date(first)}"
            path, remedy = _path(order, number, first + 6), f"make it at most {_h(week_max)} in 7 days"
            clause = _clause(policy, "order.court.week_max_h", f"{law}(4)(c)")
            yield Excess(order.order_id, path, said, clause, remedy, refused)
            return


def _starts(order: Order, number: int, policy: Policy, before: Order | None) -> Iterator[Excess]:
    """Clause 4, of every version that was not there before."""
    most = int(policy.number("order.windows.per_day_max"))
    known = () if before is None else (before.curfew, *(variation.curfew for variation in before.varied))
    versions = [(f"orders.{number}.curfew", order.curfew)]
    versions += [
        (f"orders.{number}.variations.{n}.curfew", v.curfew)
        for n, v in enumerate(order.variations)
        if v.revoked is None
    ]
    for path, curfew in ((path, curfew) for path, curfew in versions if curfew not in known):
        counts = _starting(curfew)
        for day in DAYS:
            if counts[day] > most:
                said, clause = f"{counts[day]} windows start on {day}", "emcheck domain model, Curfew windows"
                remedy, refused = f"let at most {most} windows start on one day", _refuses(policy, "windows")
                yield Excess(order.order_id, path, said, clause, remedy, refused)
                break


def _starting(curfew: Iterable[CurfewRequirement]) -> dict[str, int]:
    first: list[str] = [window.from_day for requirement in curfew for window in requirement.windows]
    return {day: first.count(day) for day in DAYS}


def _clause(policy: Policy, key: str, short: str) -> str:
    """The clause in short where the policy's number rests on its act, else what it rests on."""
    source, act = policy.thresholds[key].source, short.partition(" Sch ")[0].partition(" s ")[0]
    return short if act in source else source


def _refuses(policy: Policy, group: str) -> bool:
    return policy.text(f"order.{group}.action") == "refuse"


def _said(
    order: Order,
    number: int,
    days: dict[int, float],
    clause: str,
    remedy: str,
    *,
    refused: bool,
) -> Iterator[Excess]:
    if days:
        first = min(days)
        more = f" and on {len(days) - 1} more of the days looked at" if len(days) > 1 else ""
        said = f"{_h(days[first])} of curfew on {_date(first)}{more}"
        yield Excess(order.order_id, _path(order, number, first), said, clause, remedy, refused)


def _path(order: Order, number: int, day: int) -> str:
    """The version in force when the day ends."""
    begun = [
        (v.effective_at, n)
        for n, v in enumerate(order.variations)
        if v.revoked is None and _wall(v.effective_at, order.timezone) < (day + 1) * DAY
    ]
    return f"orders.{number}.variations.{max(begun)[1]}.curfew" if begun else f"orders.{number}.curfew"


def _hours(order: Order, *, like: Order | None = None) -> dict[int, float]:
    """Hours of curfew by wall-clock day (days since 1970), for its days near any change of it, or of one `like` it."""
    return _hours_of(_plain(order), _plain(order if like is None else like))


def _plain(order: Order) -> Order:
    """Without what makes no hours: many of a town have the same timetable from the same day."""
    return changed(order, order_id="", wearer_id="", authorised_absences=(), suspensions=())


@lru_cache(maxsize=4096)
def _hours_of(order: Order, like: Order) -> dict[int, float]:
    plain, alike = _on_the_wall(order), _on_the_wall(like)
    changes = [alike.starts_at, alike.ends_at, *(v.effective_at for v in alike.varied)]
    if alike.first_night is not None:
        changes.append(_ms(alike.first_night.from_))
    found: dict[int, float] = {}
    for change in changes:
        low, high = max(plain.starts_at, change - _AROUND), min(plain.ends_at, change + _AROUND)
        pieces = windows(plain, low - DAY, high + DAY)
        for day in range(low // DAY, -(-high // DAY)):
            start, end = day * DAY, (day + 1) * DAY
            found[day] = sum(max(0, min(w.end, end) - max(w.start, start)) for w in pieces) / HOUR
    return found


def _weeks(days: dict[int, float], first: int) -> Iterator[tuple[int, float]]:
    """Whole and begun weeks since the first day, as far as every day of them is known."""
    last = max(days)
    for start in sorted({day - (day - first) % 7 for day in days}):
        week = range(start, min(start + 7, last + 1))
        if all(day in days for day in week):
            yield start, sum(days[day] for day in week)


def _on_the_wall(order: Order) -> Order:
    """The same order in a zone without clock changes, with its instants at the same wall time."""
    zone = order.timezone
    return changed(
        order,
        timezone="UTC",
        starts_at=_wall(order.starts_at, zone),
        ends_at=_wall(order.ends_at, zone),
        variations=tuple(changed(v, effective_at=_wall(v.effective_at, zone)) for v in order.variations),
        suspensions=(),
    )


def _wall(at: Ms, zone: str) -> Ms:
    local = Instant.from_timestamp(at, unit="millisecond").to_tz(zone).to_plain()
    return local.assume_utc().timestamp(unit="millisecond")


def _ms(local: str) -> Ms:
    return PlainDateTime.parse_iso(local).assume_utc().timestamp(unit="millisecond")


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY / 1000, UTC).strftime("%a %d %b %Y")


def _h(hours: float) -> str:
    return f"{round(hours, 2):g} h"
