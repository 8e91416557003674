"""Alerts and their life cycle after ISA-18.2, as a table; a miss in the table is the error.

An alert is raised once for its cause, amended or withdrawn as facts arrive, and closed by a person with a
disposition. Acknowledge means "I saw it" and is a lease: if nothing follows, the alert returns. While nobody attends to
it, it waits; how long it has waited so far, and whom it was passed on to, is its course (`escalation`).

Whoever claims or acknowledges an alert has it, until it is handed over, passed on or returns. Having it stops no clock:
only an acknowledgement does. What was done by mistake is taken back by an act of its own, a step of the table walked
backward (`taken_back`).
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
    CLAIM = "claim"
    HAND_OVER = "hand_over"
    NOTE = "note"
    ESCALATE = "escalate"
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
    (_S.UNACKNOWLEDGED, _A.ESCALATE): _S.UNACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _A.ESCALATE): _S.RETURNED,
    (_S.RETURNED, _A.ESCALATE): _S.RETURNED,
    (_S.SHELVED, _A.ESCALATE): _S.RETURNED,
    **{(s, a): s for s in _S if s not in (_S.SUPPRESSED, _S.CLOSED) for a in (_A.CLAIM, _A.HAND_OVER)},
    **{(s, _A.NOTE): s for s in _S},
}
TAKEN_BACK = (_A.ACKNOWLEDGE, _A.CLAIM, _A.SHELVE, _A.CLOSE)
"""What can be taken back by who did it."""


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
    holder: str | None = None
    """Who has it; None where nobody does."""

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
    alert: Alert, act: Act, *, at: Ms, lease_ms: Ms, until: Ms | None = None, disposition: str | None = None,
    by: str | None = None, to: str | None = None,
) -> Alert:  # fmt: skip
    """The alert after an act at `at`; IllegalAct where the life cycle does not allow it.

    An acknowledgement is a lease of `lease_ms`; a confirmation ends it, for something followed; a shelf has `until`.
    """
    state = next_state(alert.state, act)
    lease_until = (
        alert.lease_until if act in _TIMELESS else {Act.ACKNOWLEDGE: at + lease_ms, Act.SHELVE: until}.get(act)
    )
    after = replace(
        alert, state=state, lease_until=lease_until, disposition=disposition or alert.disposition,
        revision=alert.revision + 1, holder=_holder(alert, act, by, to),
    )  # fmt: skip
    return on_course(alert, after, at)


_TIMELESS = (Act.CLAIM, Act.HAND_OVER, Act.NOTE)
"""Acts that leave a lease or shelf as it is."""


def _holder(alert: Alert, act: Act, by: str | None, to: str | None) -> str | None:
    """Who has it after an act: what returns or is passed on is nobody's."""
    if act in (Act.LEASE_EXPIRED, Act.ESCALATE):
        return None
    if act in (Act.ACKNOWLEDGE, Act.CLAIM):
        return by or alert.holder
    if act in (Act.CONFIRM, Act.SHELVE):
        return alert.holder or by
    return to if act is Act.HAND_OVER else alert.holder


EXPIRIES = {AlertState.ACKNOWLEDGED: Act.LEASE_EXPIRED, AlertState.SHELVED: Act.SHELF_EXPIRED}
"""What happens to an alert whose lease or shelf runs out."""


def taken_back(alert: Alert, act: Act, *, before: Alert, after: Alert, at: Ms) -> Alert:
    """`alert` at `at` as if `act`, which had made `after` of `before`, had not been; IllegalAct where it cannot be.

    What facts changed of it since stays. The wait goes on as if it had never been broken off; a lease or shelf that
    would be over by now is.
    """
    if act not in TAKEN_BACK or TRANSITIONS.get((before.state, act)) is not after.state:
        raise IllegalAct(f"to {act} is not taken back; that is {', '.join(TAKEN_BACK)}")
    if (alert.state, alert.holder) != (after.state, after.holder):
        raise IllegalAct(f"it has changed by itself since: it is {alert.state} now")
    back = replace(alert, holder=before.holder, revision=alert.revision + 1)
    if act is Act.CLAIM:
        return back
    back = replace(back, state=before.state, lease_until=before.lease_until, disposition=before.disposition)
    back = _as_of_now(back, at)
    if alert.course != after.course or not waits(back):
        return on_course(alert, back, at)
    return replace(back, course=before.course._replace(told_at=at, told_revision=back.revision))


def _as_of_now(alert: Alert, at: Ms) -> Alert:
    """An alert as it was, moved to where its lease, its shelf or its incident would have led it by `at`."""
    expiry = EXPIRIES.get(alert.state)
    if expiry is not None and alert.lease_until is not None and alert.lease_until <= at:
        holder = _holder(alert, expiry, None, None)
        alert = replace(alert, state=next_state(alert.state, expiry), lease_until=None, holder=holder)
    moved = Act.RELEASE if alert.incident is None else Act.SUPPRESS
    return replace(alert, state=TRANSITIONS.get((alert.state, moved), alert.state))
