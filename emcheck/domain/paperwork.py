"""What the rules say of one wearer's register alone, with no fact: fittings that are due, unproved or outlived."""

from collections.abc import Iterator, Sequence
from functools import partial

from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, WearerId
from emcheck.domain.instants import FOREVER
from emcheck.domain.policies import Policies
from emcheck.domain.register import Fitting, Order
from emcheck.domain.rules import fitting_overdue, fitting_unvalidated, monitoring_removal_due

_OF_WEARERS = (fitting_unvalidated, monitoring_removal_due)
RULES = frozenset(rule.RULE for rule in (fitting_overdue, *_OF_WEARERS))


def findings(
    wearer_id: WearerId, orders: Sequence[Order], fittings: Sequence[Fitting], now: Ms, policies: Policies
) -> Iterator[Finding]:
    """Everything that holds at `now`; what is of one order is judged by what the order is judged by."""
    for order in orders:
        yield from fitting_overdue.find(wearer_id, [order], fittings, now, policies.of(order))
    line = policies.of_wearer(orders)
    for rule in _OF_WEARERS:
        yield from line.judged(partial(rule.find, wearer_id, orders, fittings, now))


def next_step(orders: Sequence[Order], fittings: Sequence[Fitting], now: Ms, policies: Policies) -> Ms:
    """The next instant after `now` at which that may change; FOREVER where there is none."""
    step = FOREVER
    for fitting in fittings:
        if now < fitting.fitted_at < step:
            step = fitting.fitted_at
        if fitting.removed_at is not None and now < fitting.removed_at < step:
            step = fitting.removed_at
    for order in orders:
        due_at = fitting_overdue.due_at(order, policies.of(order))
        if now < due_at < step:
            step = due_at
        if now < order.ends_at < step:
            step = order.ends_at
    return step
