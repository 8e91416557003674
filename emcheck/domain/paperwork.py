"""What the rules say of one wearer's register alone, with no fact: fittings that are due, unproved or outlived."""

from collections.abc import Iterator, Sequence

from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, WearerId
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting, Order
from emcheck.domain.rules import fitting_overdue, fitting_unvalidated, monitoring_removal_due

_RULES = (fitting_overdue, fitting_unvalidated, monitoring_removal_due)
RULES = frozenset(rule.RULE for rule in _RULES)


def findings(
    wearer_id: WearerId, orders: Sequence[Order], fittings: Sequence[Fitting], now: Ms, policy: Policy
) -> Iterator[Finding]:
    """Everything that holds at `now`."""
    for rule in _RULES:
        yield from rule.find(wearer_id, orders, fittings, now, policy)


def steps(orders: Sequence[Order], fittings: Sequence[Fitting], now: Ms, policy: Policy) -> Iterator[Ms]:
    """Instants after `now` at which that may change."""
    edges = [edge for fitting in fittings for edge in (fitting.fitted_at, fitting.removed_at) if edge is not None]
    edges += [edge for order in orders for edge in (fitting_overdue.due_at(order, policy), order.ends_at)]
    yield from (edge for edge in edges if edge > now)
