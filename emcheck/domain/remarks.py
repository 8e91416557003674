"""What is told of orders that the register takes: limits of law and practice, and what is likely a slip.

1. A limit (`limits`) is told, or the order is refused, by policy.
2. No base unit is ever installed at an address while a version of the order wants its wearer there: nobody is heard.
3. Two orders of one wearer want them at two addresses at one time. Each is judged; one of them is always broken.

Of an instruction only what it brings is told: an order that was beyond a limit before may be varied towards it, and
no limit keeps an order from being ended.
"""

from collections.abc import Collection, Iterator
from itertools import combinations
from typing import Any, NamedTuple

from emcheck.domain.findings import Span
from emcheck.domain.fitting.acts import FittingAct, OpenFitting
from emcheck.domain.ids import AddressId, WearerId
from emcheck.domain.instants import DAY, FOREVER, format_ms
from emcheck.domain.instructions import (
    EndOrder,
    GrantAbsence,
    Instruction,
    InstructionError,
    PutRegister,
    ReferBreach,
    Revoke,
    order_of,
)
from emcheck.domain.limits import PolicyOf, of_order
from emcheck.domain.register import CurfewRequirement, Order, Register
from emcheck.domain.windows import resolve, windows

_AROUND = 15 * DAY
"""Timetables repeat weekly: two weeks from each change on show every meeting of two."""


class Remarks(NamedTuple):
    """What speaks against an order: `refused` by policy, or only to be told."""

    refused: list[str]
    told: list[str]


def of_act(act: Instruction, before: Register, after: Register, policy_of: PolicyOf) -> Remarks:
    """What an instruction brings that made one register of the other."""
    found = Remarks([], [])
    known = {order.order_id: order for order in _named(act, before)}
    orders = _named(act, after)
    for order in orders:
        was = known.get(order.order_id)
        judged = order != was and not (isinstance(act, EndOrder) and was is not None and order.ends_at < was.ends_at)
        for excess in of_order(order, 0, policy_of(order), before=was) if judged else ():
            (found.refused if excess.refused else found.told).append(excess.words)
    if isinstance(act, OpenFitting):
        found.told.extend(_left_on(act, after))
    if orders and (slipped := list(slips(after, orders))):
        already = set(slips(before, known.values()))
        found.told.extend(said for said in slipped if said not in already)
    return found


def heeded(
    act: Instruction, raw: dict[str, Any], before: Register, after: Register, policy_of: PolicyOf
) -> dict[str, Any]:
    """The instruction as it is kept, with what is told of it; InstructionError where the policy refuses it."""
    found = of_act(act, before, after, policy_of)
    if found.refused:
        raise InstructionError("", found.refused[0])
    bare = {key: said for key, said in raw.items() if key != "warnings"}
    return bare | ({"warnings": found.told} if found.told else {})


def _left_on(act: OpenFitting, register: Register) -> Iterator[str]:
    """Tags that the wearer goes on wearing, says the register, beside the one that is fitted."""
    wearer = next(order.wearer_id for order in register.orders if order.order_id == act.order_id)
    for fitting in register.fittings:
        if fitting.wearer_id == wearer and fitting.removed_at is None and fitting.tag != act.tag:
            yield (
                f"{wearer} wears {fitting.tag} since {format_ms(fitting.fitted_at)}; where {act.tag} takes its place, "
                f"open the session with `takes_off` (`emcheck fit --takes-off {fitting.tag}`), or end that fitting"
            )


def _named(act: Instruction, register: Register) -> list[Order]:
    """The orders of a register whose curfew an act may change."""
    if isinstance(act, PutRegister):
        return list(register.orders)
    if isinstance(act, (GrantAbsence, ReferBreach, Revoke, FittingAct)):
        return []
    named = order_of(act)
    return [] if named is None else [order for order in register.orders if order.order_id == named]


def slips(register: Register, orders: Collection[Order]) -> Iterator[str]:
    """Clauses 2 and 3, of some orders of a register."""
    places = {requirement.address_id for order in orders for requirement in _places(order)}
    installed: dict[AddressId, list[Span]] = {}
    for each in register.installations:
        if each.address_id in places:
            installed.setdefault(each.address_id, []).append(Span(each.installed_at, each.removed_at or FOREVER))
    about: dict[WearerId, list[Order]] = {order.wearer_id: [] for order in orders}
    for order in register.orders:
        if order.wearer_id in about:
            about[order.wearer_id].append(order)
    named = {order.order_id for order in orders}
    for order in orders:
        yield from _unheard(order, installed)
    for beside in about.values():
        for first, second in combinations(beside, 2):
            if not named.isdisjoint((first.order_id, second.order_id)):
                yield from _torn(first, second)


def _places(order: Order) -> Iterator[CurfewRequirement]:
    """Wherever a version of the order wants its wearer."""
    for curfew in (order.curfew, *(variation.curfew for variation in order.varied)):
        yield from curfew


def _unheard(order: Order, installed: dict[AddressId, list[Span]]) -> Iterator[str]:
    """Clause 2."""
    changes = order.varied
    edges = [order.starts_at, *(v.effective_at for v in changes), order.ends_at]
    told: dict[str, None] = {}
    for curfew, start, end in zip([order.curfew, *(v.curfew for v in changes)], edges, edges[1:], strict=False):
        for place in (place.address_id for place in curfew if place.windows):
            heard = any(span.start < end and start < span.end for span in installed.get(place, ()))
            if start < end and not heard and place not in told:
                told[place] = None
                yield (
                    f"order {order.order_id}: no base unit is installed at {place}, where it wants {order.wearer_id} "
                    f"from {format_ms(start)} on: nobody is heard there; install one, or correct the address"
                )


def _torn(first: Order, second: Order) -> Iterator[str]:
    """Clause 3: the first time that two orders want their wearer at two addresses."""
    low, high = max(first.starts_at, second.starts_at), min(first.ends_at, second.ends_at)
    changes = {low} | {v.effective_at for order in (first, second) for v in order.varied}
    changes |= {
        resolve(order.first_night.from_, order.timezone, "earlier")
        for order in (first, second)
        if order.first_night is not None
    }
    for since in sorted(change for change in changes if low <= change < high):
        until = min(high, since + _AROUND)
        theirs = windows(second, since, until)
        for one in windows(first, since, until):
            other = next(
                (w for w in theirs if w.start < one.end and one.start < w.end and w.address_id != one.address_id), None
            )
            if other is not None:
                at = format_ms(max(one.start, other.start))
                yield (
                    f"orders {first.order_id} and {second.order_id} want {first.wearer_id} at {one.address_id} and at "
                    f"{other.address_id} at one time, first at {at}: each is judged; vary or end one of them"
                )
                return
