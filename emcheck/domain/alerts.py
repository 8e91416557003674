"""Alerts and their life cycle after ISA-18.2, as a table; a miss in the table is the error.

An alert is raised once for its cause, amended or withdrawn as facts arrive, and closed by a person with a
disposition. Acknowledge means "I saw it" and is a lease: if nothing follows, the alert returns. While nobody attends to
it, it waits; how long it has waited so far, and whom it was passed on to, is its course (`escalation`).
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from emcheck.domain.findings import Span
from emcheck.domain.ids import AlertId, Ms, OrderId, RuleId, UnitId, WearerId


class AlertState(StrEnum):
    """Where an alert stands in the queue."""

    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned_unacknowledged"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    CLOSED = "closed"


class Act(StrEnum):
    """What may happen to an alert."""

    ACKNOWLEDGE = "acknowledge"
    CONFIRM = "confirm"
    LEASE_EXPIRED = "lease_expired"
    SHELVE = "shelve"
    SHELF_EXPIRED = "shelf_expired"
    SUPPRESS = "suppress"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    CLOSE = "close"


class Disposition(StrEnum):
    """Why an alert was closed; no alert closes without one (domain.md, Alerts)."""

    AUTHORISED_ABSENCE = "authorised_absence"
    EQUIPMENT_FAULT = "equipment_fault"
    CONTACTED_AND_RETURNED = "wearer_contacted_and_returned"
    CONTACTED_AND_REFUSED = "wearer_contacted_and_refused"
    NO_ANSWER = "no_answer"
    BREACH_REPORTED = "breach_reported"
    TEST_OR_VISIT = "test_or_visit"
    FALSE = "false"


_S, _A = AlertState, Act
TRANSITIONS: dict[tuple[AlertState, Act], AlertState] = {
    (_S.UNACKNOWLEDGED, _A.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.UNACKNOWLEDGED, _A.SHELVE): _S.SHELVED,
    (_S.UNACKNOWLEDGED, _A.SUPPRESS): _S.SUPPRESSED,
    (_S.UNACKNOWLEDGED, _A.WITHDRAW): _S.UNACKNOWLEDGED,
    (_S.UNACKNOWLEDGED, _A.CLOSE): _S.CLOSED,
    (_S.ACKNOWLEDGED, _A.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _A.CONFIRM): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _A.LEASE_EXPIRED): _S.RETURNED,
    (_S.ACKNOWLEDGED, _A.SHELVE): _S.SHELVED,
    (_S.ACKNOWLEDGED, _A.WITHDRAW): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _A.CLOSE): _S.CLOSED,
    (_S.RETURNED, _A.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.RETURNED, _A.SHELVE): _S.SHELVED,
    (_S.RETURNED, _A.SUPPRESS): _S.SUPPRESSED,
    (_S.RETURNED, _A.WITHDRAW): _S.RETURNED,
    (_S.RETURNED, _A.CLOSE): _S.CLOSED,
    (_S.SHELVED, _A.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.SHELVED, _A.SHELF_EXPIRED): _S.RETURNED,
    (_S.SHELVED, _A.WITHDRAW): _S.SHELVED,
    (_S.SHELVED, _A.CLOSE): _S.CLOSED,
    (_S.SUPPRESSED, _A.RELEASE): _S.UNACKNOWLEDGED,
    (_S.SUPPRESSED, _A.WITHDRAW): _S.SUPPRESSED,
    (_S.SUPPRESSED, _A.CLOSE): _S.CLOSED,
}


class IllegalAct(ValueError):
    """An act that the life cycle does not allow in this state; the caller's fault."""


def next_state(state: AlertState, act: Act) -> AlertState:
    """The state after `act`; IllegalAct names both where the table has no such step."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        allowed = sorted(a for s, a in TRANSITIONS if s is state)
        raise IllegalAct(
            f"an alert that is {state} cannot {act}; it can {', '.join(allowed) or 'do nothing more'}"
        ) from None


class Course(NamedTuple):
    """How long an alert has waited for somebody, and how far it was passed on."""

    since: Ms | None = None
    """Since when it waits without a break; None: since it was raised."""
    waited_ms: Ms = 0
    """How long it had waited before that."""
    steps: int = 0
    """How many steps of its tree were made."""
    told_at: Ms | None = None
    """When somebody was last to be told of it: at its raise, at a return, at a step. None: at its raise."""
    told_revision: int = 1
    """What was published then; a receipt for this revision or a later one shows that it arrived."""


NEW = Course()
"""Of an alert that nobody has done anything about since its raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What waits in the monitoring queue.

    `raised_at` is when it was raised; `happened_at` where its cause begins in event time; the two are
    never mixed. `revision` counts what was published of it: 1 at the raise, +1 at each change.
    """

    alert_id: AlertId
    rule: RuleId
    subject: str
    priority: str
    state: AlertState = AlertState.UNACKNOWLEDGED
    happened_at: Ms
    raised_at: Ms
    text: str = ""
    class_: str | None = None
    wearer_id: WearerId | None = None
    order_id: OrderId | None = None
    unit: UnitId | None = None
    window: Span | None = None
    ended_at: Ms | None = None
    withdrawn: bool = False
    revision: int = 1
    lease_until: Ms | None = None
    disposition: str | None = None
    incident: AlertId | None = None
    """The alert of the incident that accounts for it."""
    size: int | None = None
    """How many base units an incident is about; None for any other alert."""
    late: str | None = None
    """Why it comes late, in words ("detected late because the service was down from .. to .."), or None."""
    course: Course = NEW

    def __bool__(self) -> bool:
        raise TypeError("an Alert has no truth value; ask for its state")


WAITING = frozenset({AlertState.UNACKNOWLEDGED, AlertState.RETURNED})
"""Where nobody attends to an alert."""


def waits(alert: Alert) -> bool:
    """Whether it waits for somebody: neither seen, put aside, part of an incident, closed nor withdrawn."""
    return alert.state in WAITING and not alert.withdrawn


def on_course(before: Alert, after: Alert, at: Ms) -> Alert:
    """`after`, which was made of `before` at `at`, with the course it takes.

    What is not waited does not count; what waits again is told again and goes on where it was. What has become graver
    begins anew, for it is another call.
    """
    course, waited = before.course, waits(before)
    if after.priority < before.priority:
        return replace(after, course=Course(since=at, told_at=at, told_revision=after.revision))
    if waited and not waits(after):
        since = before.raised_at if course.since is None else course.since
        course = course._replace(since=at, waited_ms=course.waited_ms + at - since)
    elif waits(after) and not waited:
        course = course._replace(since=at, told_at=at, told_revision=after.revision)
    return replace(after, course=course)


class Step(NamedTuple):
    """Something that happened to an alert: raised, acknowledged, closed and so on, when and by whom."""

    alert_id: AlertId
    action: str
    at: Ms
    by: str


def acted(
    alert: Alert, act: Act, *, at: Ms, lease_ms: Ms, until: Ms | None = None, disposition: str | None = None
) -> Alert:
    """The alert after an act at `at`; IllegalAct where the life cycle does not allow it.

    An acknowledgement is a lease of `lease_ms`; a confirmation ends it, for something followed; a shelf has `until`.
    """
    state = next_state(alert.state, act)
    lease_until = {Act.ACKNOWLEDGE: at + lease_ms, Act.SHELVE: until}.get(act)
    after = replace(
        alert, state=state, lease_until=lease_until, disposition=disposition or alert.disposition,
        revision=alert.revision + 1,
    )  # fmt: skip
    return on_course(alert, after, at)


EXPIRIES = {AlertState.ACKNOWLEDGED: Act.LEASE_EXPIRED, AlertState.SHELVED: Act.SHELF_EXPIRED}
"""What happens to an alert whose lease or shelf runs out."""
