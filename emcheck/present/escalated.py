"""Why an alert was passed on, and to whom, in a few words."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from emcheck.domain.alerts import EXPIRIES, Alert, AlertState, waits
from emcheck.domain.called import called
from emcheck.domain.escalation import QUEUE, Call, Due, Why
from emcheck.domain.ids import Ms
from emcheck.domain.instants import DAY, format_ms
from emcheck.present.times import clock, duration
from emcheck.present.whom import whom as whom_about


def whom(call: Call) -> str:
    """`the duty operator by page`; on the queue everybody reads it."""
    channel = "on the queue" if call.by == QUEUE else f"by {call.by.replace('_', ' ')}"
    return f"{call.who.replace('_', ' ')} {channel}"


def because(step: Due) -> str:
    """What stands in the history of an alert that was passed on."""
    if step.why is Why.BY_HAND:
        return f"passed on to {whom(step.call)}, step {step.number} of {step.of}"
    span = duration(step.after_ms)
    why = f"nobody attended to it for {span}" if step.why is Why.UNATTENDED else f"no receipt within {span}"
    return f"{why}; passed on to {whom(step.call)}, step {step.number} of {step.of}"


def message(waiting: Collection[Alert]) -> tuple[str, str]:
    """Title and text for a contact: the worst of what waits, and how much there is, by priority."""
    worst = min(waiting, key=lambda alert: (alert.priority, alert.raised_at, alert.alert_id))
    what = called(worst.rule, worst.class_, ended=worst.ended_at is not None)
    text = [f"{worst.priority} {what}, {whom_about(worst.subject)}, alert {worst.alert_id}:", worst.text]
    if len(waiting) == 1:
        return f"emcheck: {worst.priority} alert waits", "\n".join(text)
    counts = sorted(Counter(alert.priority for alert in waiting).items())
    text.append(f"This is the worst of {len(waiting):,}: {', '.join(f'{n:,} {priority}' for priority, n in counts)}.")
    return f"emcheck: {len(waiting):,} alerts wait", "\n".join(text)


def time_left(alert: Alert, targets_ms: Mapping[str, Ms], now: Ms) -> str:
    """How long until an alert is to be acknowledged: `40 s`, `over by 3 min`; empty where it does not wait."""
    target_ms = targets_ms.get(alert.priority)
    if target_ms is None or not waits(alert):
        return ""
    left_ms = alert.raised_at + target_ms - now
    if -left_ms >= 2 * DAY:
        return f"over by {-left_ms // DAY} days"
    return duration(left_ms) if left_ms >= 0 else f"over by {duration(-left_ms)}"


def as_json(alert: Alert, step: Due | None, of: int, targets_ms: Mapping[str, Ms], now: Ms) -> dict[str, Any]:
    """The same for programs; what does not apply is left out. Seconds over the target are negative."""
    told: dict[str, Any] = {"steps": alert.course.steps}
    if waits(alert) and step is None:
        told |= {"of": of, "ended": True}
    if waits(alert) and alert.priority in targets_ms:
        told["seconds_left"] = (alert.raised_at + targets_ms[alert.priority] - now) / 1000
    if step is not None:
        call = {"who": step.call.who, "by": step.call.by, "at": format_ms(step.at), "why": str(step.why)}
        told["next"] = call | {"step": step.number, "of": step.of}
    return told


def next_step(alert: Alert, step: Due | None, of: int, now: Ms) -> str:
    """What happens next if nobody does anything, in a list: `supervisor by page in 4 min`, `returns in 25 min`."""
    if step is not None:
        return f"{whom(step.call)} {_in(step.at - now)}"
    if waits(alert):
        return "nobody further: all were called" if of else "nobody: the policy names none"
    if alert.lease_until is not None and alert.state in EXPIRIES:
        return f"returns {_in(alert.lease_until - now)}"
    return f"with {alert.incident}" if alert.state is AlertState.SUPPRESSED else ""


def _in(left_ms: Ms) -> str:
    return f"in {duration(left_ms)}" if left_ms > 0 else "now"


def outlook(alert: Alert, step: Due | None, of: int, zone: str) -> str:
    """The same as a sentence that is true whenever it is read; empty where nothing happens by itself."""
    if step is not None:
        at = clock(step.at, zone)
        return f"If nobody attends to it, it is passed on to {whom(step.call)} at {at}, step {step.number} of {of}."
    if waits(alert) and of:
        return (
            f"Everybody whom the policy names for it was called ({of} of {of}), and it still waits: nobody further is."
        )
    if waits(alert):
        return "The policy names nobody to be called for it: it waits until somebody looks at the queue."
    if alert.lease_until is not None and alert.state in EXPIRIES:
        until = clock(alert.lease_until, zone)
        if alert.state is AlertState.SHELVED:
            return f"It is shelved until {until}; then it returns to the queue."
        return f"It was acknowledged: unless it is confirmed, shelved or closed it returns to the queue at {until}."
    return ""
