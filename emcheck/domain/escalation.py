"""Escalation: whom an alert is passed on to while nobody attends to it (domain.md, Alerts).

Rule book:
1. A tree is a policy's: for a priority, steps in order, each with when, whom and by which channel. Alerts of
   `service.*` rules take the tree `operations` where there is one. A priority without a tree is passed on to nobody.
2. A step is due once the alert has waited for its `after_s`: the time since its raise in which it was neither
   acknowledged, shelved, suppressed by an incident nor withdrawn (`alerts.on_course`). An acknowledgement that runs out
   therefore goes on where it was.
3. A notification that no receipt was seen of within the policy's `alert.receipt.*` takes the next step at once, for
   nobody may know of it. Time before the service came up does not count: no receipt could come then. 0 asks for none.
4. One step at a time, each at its own instant; after the last there is nothing more.
5. A person may have the next step made at once, whatever was waited: it waits then for whom it calls.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from emcheck.domain.alerts import Act, Alert, acted, waits
from emcheck.domain.ids import Ms
from emcheck.domain.instants import FOREVER

PRIORITIES = ("P1", "P2", "P3", "P4")
OPERATIONS = "operations"
"""The tree of alerts about our own work."""
QUEUE = "queue"
"""The channel of those who watch the monitoring queue: it needs no address."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_KEYS = {"after_s", "who", "by", "reason", "source", "sign_off"}


class Call(NamedTuple):
    """One step of a tree: after how long a wait, whom, by which channel."""

    after_ms: Ms
    who: str
    by: str


Tree = tuple[Call, ...]


class Why(StrEnum):
    """What made a step due."""

    UNATTENDED = "unattended"
    UNDELIVERED = "undelivered"
    BY_HAND = "by_hand"


class Due(NamedTuple):
    """The next step of an alert: when, which (1 is the first) of how many, and why: after so long of it."""

    at: Ms
    call: Call
    number: int
    of: int
    why: Why
    after_ms: Ms


class EscalationError(ValueError):
    """A tree that cannot be used: `path` in the policy, what is wrong and what would be right."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


@dataclass(frozen=True, slots=True)
class Plan:
    """The trees of a policy, and within what time a receipt is asked for, by priority."""

    trees: Mapping[str, Tree]
    receipt_ms: Mapping[str, Ms]

    def tree_of(self, rule: str, priority: str) -> Tree:
        """The tree of an alert; empty where it has none (1)."""
        if rule.startswith("service.") and OPERATIONS in self.trees:
            return self.trees[OPERATIONS]
        return self.trees.get(priority, ())

    def due(self, alert: Alert, *, delivered: bool, up_since: Ms = -FOREVER) -> Due | None:
        """The next step, if nothing happens to the alert before it; None where there is none.

        `delivered`: a receipt is known of what was last told somebody; `up_since`: when the service came up.
        """
        tree, course = self.tree_of(alert.rule, alert.priority), alert.course
        if not waits(alert) or course.steps >= len(tree):
            return None
        call = tree[course.steps]
        told_at = alert.raised_at if course.told_at is None else course.told_at
        since = alert.raised_at if course.since is None else course.since
        at, why, after_ms = since + call.after_ms - course.waited_ms, Why.UNATTENDED, call.after_ms  # 2
        receipt_ms = self.receipt_ms.get(alert.priority, 0)
        if receipt_ms and not delivered:
            unseen = max(told_at, up_since) + receipt_ms
            if unseen < at:
                at, why, after_ms = unseen, Why.UNDELIVERED, receipt_ms  # 3
        return Due(max(at, told_at), call, course.steps + 1, len(tree), why, after_ms)  # 4

    def at_once(self, alert: Alert, at: Ms) -> Due | None:
        """The next step, made by hand at `at` (5); None where there is no further one."""
        tree, made = self.tree_of(alert.rule, alert.priority), alert.course.steps
        return Due(at, tree[made], made + 1, len(tree), Why.BY_HAND, 0) if made < len(tree) else None


def passed_on(alert: Alert, due: Due) -> Alert:
    """The alert after a step; it waits on. IllegalAct where it cannot be made by hand."""
    if due.why is Why.BY_HAND:
        after = acted(alert, Act.ESCALATE, at=due.at, lease_ms=0)
    else:
        after = replace(alert, revision=alert.revision + 1)
    course = after.course._replace(steps=due.number, told_at=due.at, told_revision=after.revision)
    return replace(after, course=course)


def target(call: Call) -> str | None:
    """Names contact and channel that are to be notified, `supervisor page`; None for the queue itself."""
    return None if call.by == QUEUE else f"{call.who} {call.by}"


# --- trees as a policy writes them ------------------------------------------------------------------------


def parse_trees(raw: Any, priorities: Iterable[str]) -> dict[str, Tree]:
    """The table `escalation` of a policy; `priorities` are those that its rules give. EscalationError names the key."""
    if not isinstance(raw, dict):
        raise EscalationError("escalation", "no table of trees; write the first step as [[escalation.P1]]")
    given = {*priorities, OPERATIONS}
    for name in raw:
        if name not in (*PRIORITIES, OPERATIONS):
            raise EscalationError(
                f"escalation.{name}", f"no such tree; there are {', '.join(PRIORITIES)}, {OPERATIONS}"
            )
        if name not in given:
            raise EscalationError(f"escalation.{name}", f"no rule of this policy gives {name}, so it is never reached")
    return {name: _tree(steps, f"escalation.{name}") for name, steps in raw.items()}


def _tree(steps: Any, path: str) -> Tree:
    if not isinstance(steps, list) or not steps:
        raise EscalationError(path, "a tree without a step; name one or leave the tree out")
    tree = tuple(_call(step, f"{path}[{number}]") for number, step in enumerate(steps, start=1))
    for number, (before, call) in enumerate(zip(tree, tree[1:], strict=False), start=2):
        if call.after_ms <= before.after_ms:
            earlier = f"not after step {number - 1}, so it is never reached; steps rise, and a contact may have several"
            raise EscalationError(f"{path}[{number}].after_s", f"{earlier} addresses")
    return tree


def _call(step: Any, path: str) -> Call:
    if not isinstance(step, dict) or not _KEYS - {"sign_off"} <= step.keys() <= _KEYS:
        raise EscalationError(path, "a step is a table of after_s, who, by, reason and source")
    after_s, who, by = step["after_s"], step["who"], step["by"]
    if isinstance(after_s, bool) or not isinstance(after_s, (int, float)) or not 0 <= after_s < 1e10:
        raise EscalationError(f"{path}.after_s", f"{after_s!r} is no number of seconds, 0 or more")
    for key, name in (("who", who), ("by", by)):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise EscalationError(f"{path}.{key}", f"{name!r} is no name; write it as in duty_operator")
    return Call(round(after_s * 1000), who, by)
