"""fitting.overdue: an order has begun and its wearer has no tag.

Rule book (domain.md, Rules):
1. A tag is due `due_after_s` (3 days) after the order's `starts_at`. Where the wearer had none on between the two, it
   is a finding from that instant until one is fitted, or the order ends. P2.
2. Nothing else is known of why: visits that failed do not stand in the register.
"""

from collections.abc import Iterable

from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId, WearerId
from emcheck.domain.instants import FOREVER
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting, Order

RULE = RuleId("fitting.overdue")


def due_at(order: Order, policy: Policy) -> Ms:
    """When a tag is to be on (1)."""
    return order.starts_at + policy.ms("fitting.overdue.due_after_s")


def find(
    wearer_id: WearerId, orders: Iterable[Order], fittings: Iterable[Fitting], now: Ms, policy: Policy
) -> list[Finding]:
    """One finding for each order without a tag in time (1)."""
    found: list[Finding] = []
    worn = [(fitting.fitted_at, fitting.removed_at or FOREVER) for fitting in fittings]
    for order in orders:
        due = due_at(order, policy)
        in_time = any(fitted_at <= due and removed_at > order.starts_at for fitted_at, removed_at in worn)
        if in_time or not due <= now or due >= order.ends_at:
            continue
        end = min([order.ends_at, *(fitted_at for fitted_at, _ in worn if fitted_at > due)])
        found.append(
            Finding(
                rule=RULE,
                wearer_id=wearer_id,
                order_id=order.order_id,
                start=due,
                end=end if end <= now else None,
                priority=policy.text("fitting.overdue.priority"),
                policy=policy.label,
            )
        )
    return found
