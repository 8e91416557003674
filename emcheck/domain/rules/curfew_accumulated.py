"""curfew.accumulated: the order's unexcused absent time exceeds its allowance.

Rule book (domain.md): it starts at the event-time instant after which the order's sum of `seconds`
exceeds the allowance (`atv_allowance_min`, else the policy's); a sum equal to it is no finding. P1.
"""

from collections.abc import Sequence
from typing import NamedTuple

from emcheck.domain.findings import FactRef, Finding, Span
from emcheck.domain.ids import Ms, RuleId
from emcheck.domain.policy import Policy
from emcheck.domain.register import Order
from emcheck.domain.rules.curfew_absence import instant_of, unexcused_pieces

RULE = RuleId("curfew.accumulated")


class Before(NamedTuple):
    """What the folded windows of an order add up to, and where their sum exceeded the allowance if it did."""

    absent_ms: Ms = 0
    excluded_ms: Ms = 0
    start: Ms | None = None
    evidence: tuple[FactRef, ...] = ()


NOTHING = Before()


def allowance_ms(order: Order, policy: Policy) -> Ms:
    """The order's allowance, or the policy's where the order names none."""
    if order.atv_allowance_min is None:
        return policy.ms("curfew.accumulated.allowance_default_min")
    return round(order.atv_allowance_min * 60_000)


def find(
    order: Order, absences: Sequence[Finding], excused: Sequence[Span], now: Ms, policy: Policy, before: Before
) -> Finding | None:
    """The finding, or None while the sum of what was `before` and of `absences` (by start) is within the allowance."""
    allowed_ms = allowance_ms(order, policy)
    total_ms = before.absent_ms + sum(absence.absent_ms or 0 for absence in absences)
    if total_ms <= allowed_ms:
        return None
    start, evidence = before.start, before.evidence
    if start is None:
        pieces = [
            piece
            for absence in absences
            for piece in unexcused_pieces(absence.start, now if absence.end is None else absence.end, excused)
        ]
        start = instant_of(pieces, allowed_ms - before.absent_ms, beyond=True)
        evidence = next(a.evidence for a in reversed(absences) if start is not None and a.start <= start)
    return Finding(
        rule=RULE,
        wearer_id=order.wearer_id,
        order_id=order.order_id,
        start=now if start is None else start,
        end=None,
        absent_ms=total_ms,
        excluded_ms=before.excluded_ms + sum(absence.excluded_ms or 0 for absence in absences),
        priority=policy.text("curfew.accumulated.priority"),
        evidence=evidence,
        detail=(("allowance_s", allowed_ms // 1000),),
        zone=order.timezone,
        policy=policy.label,
    )
