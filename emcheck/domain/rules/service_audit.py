"""service.audit: the auditor found a difference between what should have happened and what did.

Rule book (domain.md, Rules and Alerts):
1. The auditor asks the store, apart from what decides and delivers: an alert whose step was due and was not made
   (`step_overdue`), one of which no receipt came though its tree is climbed (`undelivered`), a publisher that owes what
   it should have delivered (`publisher_behind`). P1, to operations.
2. What it finds it tells as an instruction, so that a replay finds the same. One finding for each cause, however many
   alerts it is about; it begins when it was told.
3. It holds until the auditor no longer finds it; the alert is then withdrawn.
"""

from collections.abc import Iterable

from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId
from emcheck.domain.instants import format_ms
from emcheck.domain.instructions import ReportAudit
from emcheck.domain.policy import Policy

RULE = RuleId("service.audit")
SUBJECT = "audit"
STEP_OVERDUE, UNDELIVERED, PUBLISHER_BEHIND = "step_overdue", "undelivered", "publisher_behind"
Cause = tuple[str, str]
"""Kind, and the publisher where it is about one."""


def cause_of(finding: Finding) -> Cause:
    """What stays while a difference lasts."""
    return finding.class_ or "", str(dict(finding.detail).get("publisher", ""))


def judged(act: ReportAudit, standing: Iterable[Finding], *, now: Ms, policy: Policy) -> list[Finding]:
    """All that holds now; `standing` is what held before (3)."""
    begun = {cause_of(finding): finding.start for finding in standing}
    found = []
    for told in act.found:
        start = begun.get((told.kind, told.publisher), now)
        detail: list[tuple[str, str | int]] = [("count", told.count), ("since", format_ms(told.since))]
        if told.publisher:
            detail.append(("publisher", told.publisher))
        if told.examples:
            detail.append(("alerts", " ".join(told.examples)))
        found.append(
            Finding(
                rule=RULE, class_=told.kind, about=SUBJECT, start=start, end=None, raised_at=start,
                priority=policy.text("service.audit.priority"), detail=tuple(detail), policy=policy.label,
            )
        )  # fmt: skip
    return found
