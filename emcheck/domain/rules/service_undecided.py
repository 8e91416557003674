"""service.undecided: a rule failed on a case.

Rule book (docs/adr/0004; domain.md, Rules):
1. The case's facts are stored and what was said of it before stands; other cases go on. P1, to operations.
2. It is tried again after a minute and at its next fact; the alert is withdrawn when it is decided.
"""

from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId, WearerId
from emcheck.domain.policy import Policy

RULE = RuleId("service.undecided")


def subject(wearer_id: WearerId) -> str:
    """Its findings stand apart from the wearer's own."""
    return f"undecided {wearer_id}"


def find(wearer_id: WearerId, before: Finding | None, error: Exception, *, now: Ms, policy: Policy) -> Finding:
    """The finding; it began where the one `before` it did."""
    start = now if before is None else before.start
    return Finding(
        rule=RULE,
        wearer_id=wearer_id,
        about=subject(wearer_id),
        start=start,
        end=None,
        raised_at=start,
        priority=policy.text("service.undecided.priority"),
        detail=(("error", f"{type(error).__name__}: {error}"[:200]),),
        policy=policy.label,
    )
