"""monitoring.removal_due: every order of a wearer has ended and a tag is still on.

Rule book (domain.md, Rules):
1. From the end of the wearer's last order, or the fitting after it, to `removed_at`. P4. An order that begins later
   counts: nobody is freed of a tag for a week to be fitted again.
2. A person who wears a tag with no order is deprived of something without a ground: it is planned work, yet work.
"""

from collections.abc import Iterable

from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId, WearerId
from emcheck.domain.instants import FOREVER
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting, Order

RULE = RuleId("monitoring.removal_due")


def find(
    wearer_id: WearerId, orders: Iterable[Order], fittings: Iterable[Fitting], now: Ms, policy: Policy
) -> list[Finding]:
    """One finding for each tag that was on after the last order (1)."""
    ended_at = max((order.ends_at for order in orders), default=FOREVER)
    found: list[Finding] = []
    for fitting in fittings:
        start, removed_at = max(ended_at, fitting.fitted_at), fitting.removed_at or FOREVER
        if start <= now and start < removed_at:
            found.append(
                Finding(
                    rule=RULE,
                    wearer_id=wearer_id,
                    start=start,
                    end=removed_at if removed_at <= now else None,
                    priority=policy.text("monitoring.removal_due.priority"),
                    detail=(("tag", fitting.tag),),
                    policy=policy.label,
                )
            )
    return found
