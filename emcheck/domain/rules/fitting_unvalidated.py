"""fitting.unvalidated: a tag is worn whose fitting was not validated.

Rule book (domain.md, Fitting; Rules):
1. From `fitted_at` to `removed_at` of a fitting whose `validation` is neither `validated` nor `overridden`. `pending`
   and nothing at all are the same: missing evidence is a fail. P2.
2. A fitting that a supervisor let stand in a visit (`override` of the register) is one too, class `overridden`: it
   names who and why. It never happens in silence.
3. It says nothing of the wearer: a tag over a sock or on a prosthesis is heard at home, whoever is there.
"""

from collections.abc import Iterable

from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId, WearerId
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting, Order

RULE = RuleId("fitting.unvalidated")


def find(
    wearer_id: WearerId, _orders: Iterable[Order], fittings: Iterable[Fitting], now: Ms, policy: Policy
) -> list[Finding]:
    """One finding for each fitting that has begun (1)."""
    return [
        Finding(
            rule=RULE,
            class_=None if fitting.override is None else "overridden",
            wearer_id=wearer_id,
            start=fitting.fitted_at,
            end=fitting.removed_at if fitting.removed_at is not None and fitting.removed_at <= now else None,
            priority=policy.text(f"fitting.unvalidated.priority{'' if fitting.override is None else '_overridden'}"),
            detail=(("tag", fitting.tag), ("validation", fitting.validation or "missing"), *_override(fitting)),
            policy=policy.label,
        )
        for fitting in fittings
        if fitting.fitted_at <= now
        if fitting.override is not None or fitting.validation not in ("validated", "overridden")
    ]


def _override(fitting: Fitting) -> tuple[tuple[str, str], ...]:
    """Who let it stand, and why (2)."""
    override = fitting.override
    return () if override is None else (("by", override.by), ("reason", override.reason))
