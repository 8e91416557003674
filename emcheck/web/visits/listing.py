"""What a fitter has before them: visits that are open, orders that want a fitting, visits of the day that are over."""

import asyncio
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from fastapi import Request

from emcheck.domain.amending import addresses
from emcheck.domain.case import Case
from emcheck.domain.engine import Engine
from emcheck.domain.fitting.visits import Visit, worn
from emcheck.domain.ids import Ms, TagId
from emcheck.domain.instants import DAY
from emcheck.domain.policies import Policies
from emcheck.domain.register import Fitting, Order, Register
from emcheck.domain.rights import Right
from emcheck.domain.rules import fitting_overdue
from emcheck.present.times import hour, local_date
from emcheck.web.guarding import address_of
from emcheck.web.parts import Parts
from emcheck.web.people.signing_in import Who
from emcheck.web.problems import Problem
from emcheck.web.visits.assigning import NOBODYS, Holding, holding

_WANTED_MAX = 60
_SOON: Ms = DAY
"""An order that begins within a day may be fitted already."""


class Wanted(NamedTuple):
    """An order whose wearer is to be visited, why: `overdue`, `untagged`, `unvalidated`, `revalidate` or `asked`.

    `fitter` is whose visit it is on `day`, empty where it is anybody's, and `seen_at` when that was said.
    """

    order_id: str
    wearer_id: str
    places: str
    why: str
    due: Ms
    zone: str
    tags: str
    in_hand: str
    """Who is there already."""
    today: str
    """By the order's clock, as `2026-03-24`."""
    fitter: str = ""
    day: str = ""
    seen_at: Ms | None = None


class Over(NamedTuple):
    """A visit of today that is over."""

    session: str
    order_id: str
    wearer_id: str
    outcome: str
    at: str


class Open(NamedTuple):
    """A visit under way."""

    visit: Visit
    since: str


class Listing(NamedTuple):
    """All of it, with the names that are held."""

    open: list[Open]
    wanted: list[Wanted]
    more: int
    over: list[Over]
    names: dict[str, str]
    words: str
    fitters: tuple[str, ...]
    """Accounts that visits can be assigned to."""
    own: str
    """Who looks."""

    def group(self, name: str) -> list[Wanted]:
        """Of what wants a fitting what is somebody's (`name`), anybody's (empty), or of all the others (`*`)."""
        return [w for w in self.wanted if w.fitter == name or (name == "*" and w.fitter not in ("", self.own))]


def engine_of(parts: Parts) -> Engine:
    """The running service's engine; Problem while it is starting."""
    known = parts.known()
    if known is None:
        raise Problem(503, "The service is reading itself back; ask again shortly.", headers={"Retry-After": "5"})
    return known.engine


async def listing(request: Request, parts: Parts, who: Who, words: str = "") -> Listing:
    """What somebody sees, kept before it is told; `words` also finds an order by its id, by wearer, tag or unit."""
    engine, now = engine_of(parts), parts.clock.now()
    register, words = engine.roster.register, words.strip()[:80]
    await parts.note_look(who.name, f"visits seen {words}".strip(), address_of(request))
    zones = {order.order_id: order.timezone for order in register.orders}
    mine = [v for v in engine.roster.visits.values() if v.by == who.name or who.may(Right.OVERRIDE)]
    open_ = [Open(visit, hour(visit.opened_at, zones.get(visit.order_id, "UTC"))) for visit in mine]
    visits, policies = tuple(engine.roster.visits.values()), engine.roster.policies
    cases = list(engine.cases.values())
    held = await holding(parts)
    found = await asyncio.to_thread(wanted_of, register, policies, visits, cases, now, words, held)
    found.sort(key=lambda each: 1 if not each.fitter else 2 * (each.fitter != who.name))
    wanted = [each for each in found if not any(visit.order_id == each.order_id for visit in mine)]
    over = list(_over(register, who, now))
    shown = wanted[:_WANTED_MAX]
    people = {v.wearer_id for v in mine} | {w.wearer_id for w in shown} | {o.wearer_id for o in over}
    names = await parts.desk.names(sorted(people)[:500])
    return Listing(open_, shown, len(wanted) - len(shown), over, names, words, held.fitters, who.name)


def order_named(register: Register, order_id: str) -> Order:
    """The order of that id; Problem where there is none."""
    order = next((one for one in register.orders if one.order_id == order_id), None)
    if order is None:
        raise Problem(404, f"There is no order {order_id[:40]} in the register.")
    return order


def wanted_of(
    register: Register,
    policies: Policies,
    visits: Iterable[Visit],
    cases: Iterable[Case],
    now: Ms,
    words: str,
    held: Holding = NOBODYS,
) -> list[Wanted]:
    """Of all orders, which takes a fraction of a second where there are many: in a thread."""
    questioned = {(one.tag, one.fitted_at) for case in cases for one in case.asked}
    in_hand = {visit.wearer_id: visit.by for visit in visits}
    fittings: dict[str, list[Fitting]] = {}
    for fitting in register.fittings:
        fittings.setdefault(fitting.wearer_id, []).append(fitting)
    place = next((i.address_id for i in register.installations if i.unit == words and i.removed_at is None), None)
    found = []
    for order in register.orders:
        if not order.starts_at - _SOON <= now < order.ends_at:
            continue
        known = fittings.get(order.wearer_id, [])
        on = [fitting for fitting in known if worn(fitting, now)]
        asked = bool(words) and (
            words in (order.order_id, order.wearer_id, *(f.tag for f in on))
            or (place is not None and place in addresses(order))
        )
        why = "asked" if asked else None if words else _why(on, questioned)
        if why is not None:
            policy = policies.of(order)
            late = fitting_overdue.find(order.wearer_id, [order], known, now, policy) if why == "untagged" else ()
            why = "overdue" if any(finding.end is None for finding in late) else why
            made = held.of(order, now)
            found.append(
                Wanted(
                    order.order_id, order.wearer_id, ", ".join(sorted(addresses(order))), why,
                    fitting_overdue.due_at(order, policy), order.timezone, ", ".join(f.tag for f in on),
                    in_hand.get(order.wearer_id, ""), local_date(now, order.timezone).isoformat(),
                    *(("", "", None) if made is None else (made.fitter, made.day, made.at)),
                )
            )  # fmt: skip
    return sorted(found, key=lambda each: (each.why != "overdue", each.due, each.order_id))


def _why(on: list[Fitting], questioned: Container[tuple[TagId, Ms]]) -> str | None:
    """`questioned` are fittings of which a fitter is to see again what the tag sits on (fitting.unvalidated, 4)."""
    if not on:
        return "untagged"
    if any(f.validation not in ("validated", "overridden") for f in on):
        return "unvalidated"
    return "revalidate" if any((f.tag, f.fitted_at) in questioned for f in on) else None


def _over(register: Register, who: Who, now: Ms) -> Iterator[Over]:
    for order in register.orders:
        today = local_date(now, order.timezone) if order.visits else None
        for made in order.visits:
            if local_date(made.at, order.timezone) == today and (made.by == who.name or who.may(Right.OVERRIDE)):
                at = hour(made.at, order.timezone)
                yield Over(made.session, order.order_id, order.wearer_id, made.outcome, at)
