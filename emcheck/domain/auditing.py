"""What an auditor finds in an alert's history: a step that was due and was not made, a delivery that is owed.

Reckoned from the history alone, as it was told, and from the policy's trees. It shares nothing with what schedules the
steps (`escalation`, `alerts.on_course`), for it could not find their errors.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from emcheck.domain.alerts import Alert
from emcheck.domain.ids import Ms
from emcheck.domain.policy import Policy
from emcheck.domain.rules.service_audit import PUBLISHER_BEHIND, RULE, STEP_OVERDUE, UNDELIVERED, Cause

_UNATTENDED = ("unacknowledged", "returned_unacknowledged")
_EXAMPLES = 5


class Told(NamedTuple):
    """One row of a history: when, what happened, and the alert after it."""

    at: Ms
    action: str
    alert: Alert


class Missed(NamedTuple):
    """What should have happened to an alert and did not: `kind`, and since when it is missed."""

    kind: str
    alert_id: str
    since: Ms


class Difference(NamedTuple):
    """All that is missed of one kind, or of one publisher: how much of it, since when, and some alerts by name."""

    kind: str
    publisher: str
    number: int
    since: Ms
    examples: tuple[str, ...]

    @property
    def cause(self) -> Cause:
        """What stays while it lasts."""
        return self.kind, self.publisher


def missed(
    history: Sequence[Told], arrived: Iterable[int], policy: Policy, *, now: Ms, up_since: Ms | None
) -> Missed | None:
    """What of one alert is overdue by more than the policy's grace; `arrived` are the revisions somebody has.

    `up_since` is when the service came up, where that is known: no step was due for want of a receipt before.
    """
    waited, since, waiting, made, told_at, told_revision, priority = 0, 0, False, 0, 0, 0, "P9"
    for at, action, alert in history:
        waited += at - since if waiting else 0
        was, waiting = waiting, str(alert.state) in _UNATTENDED and not alert.withdrawn
        if alert.priority < priority and action != "raised":
            waited, made = 0, 0
        if action == "escalated":
            made += 1
        if action == "escalated" or alert.priority < priority or (waiting and not was):
            told_at, told_revision = at, alert.revision
        since, priority = at, alert.priority
    if not waiting:
        return None
    last = history[-1].alert
    limit = now - policy.ms("service.audit.grace_s")
    tree = policy.trees.get("operations", ()) if last.rule.startswith("service.") else ()
    tree = tree or policy.trees.get(priority, ())
    within_ms = policy.spans_ms.get(f"alert.receipt.{priority}_s", 0)
    unseen = within_ms > 0 and not any(revision >= told_revision for revision in arrived)
    if made < len(tree):
        due = since + tree[made].after_ms - waited
        if unseen:
            due = min(due, max(told_at, up_since or told_at) + within_ms)
        return Missed(STEP_OVERDUE, last.alert_id, due) if due <= limit else None
    if tree and unseen and last.rule != RULE and told_at + within_ms <= limit:
        return Missed(UNDELIVERED, last.alert_id, told_at + within_ms)
    return None


def gathered(found: Iterable[Missed], behind: Mapping[str, tuple[int, Ms]]) -> list[Difference]:
    """One difference for each kind and publisher; `behind` is how much each publisher owes, and since when."""
    of: dict[str, list[Missed]] = {}
    for one in found:
        of.setdefault(one.kind, []).append(one)
    differences = [
        Difference(kind, "", len(all_), min(m.since for m in all_), tuple(m.alert_id for m in all_[:_EXAMPLES]))
        for kind, all_ in sorted(of.items())
    ]
    return differences + [Difference(PUBLISHER_BEHIND, name, *owed, ()) for name, owed in sorted(behind.items())]
