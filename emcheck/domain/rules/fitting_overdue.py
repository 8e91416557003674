"""fitting.overdue: an order has begun and its wearer has no tag.

Rule book (domain.md, Rules):
1. A tag is due `due_after_s` (3 days) after the order's `starts_at`. Where the wearer had none on between the two, it
   is a finding from that instant until one is fitted, or the order ends. P2.
2. The `attempts_max`-th visit that failed (2) makes it one at once: it is no longer for the fitter to try, but for the
   authority to know. It names the outcomes. A tag that is on ends it, and the count begins anew.
"""

from collections.abc import Iterable

from emcheck.domain.findings import Finding
from emcheck.domain.fitting.outcomes import OUTCOMES
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
        given_up = _given_up(order, worn, policy)
        if any(fitted_at <= due and removed_at > order.starts_at for fitted_at, removed_at in worn):
            due = FOREVER
        detail: tuple[tuple[str, str | int], ...] = ()
        if given_up is not None and given_up[0] <= due:
            due, detail = given_up[0], (("visits", given_up[1]),)
        if not due <= now or due >= order.ends_at:
            continue
        end = min([order.ends_at, *(fitted_at for fitted_at, _ in worn if fitted_at > due)])
        found.append(
            Finding(
                rule=RULE,
                wearer_id=wearer_id,
                order_id=order.order_id,
                start=due,
                end=end if end <= now else None,
                class_="failed_attempts" if detail else None,
                priority=policy.text("fitting.overdue.priority"),
                detail=detail,
                policy=policy.label,
            )
        )
    return found


def _given_up(order: Order, worn: list[tuple[Ms, Ms]], policy: Policy) -> tuple[Ms, str] | None:
    """When the last visit that is to be tried failed, and the outcomes (2)."""
    most, failed = int(policy.number("fitting.overdue.attempts_max")), list[str]()
    for visit in order.visits:
        if any(fitted_at <= visit.at < removed_at for fitted_at, removed_at in worn):
            failed.clear()
        elif OUTCOMES[visit.outcome].attempt:
            failed.append(visit.outcome.replace("_", " "))
            if len(failed) >= most > 0:
                return visit.at, " and ".join(failed)
    return None
