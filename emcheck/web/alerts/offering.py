"""What somebody is offered to do about an alert: what its life cycle allows now, whom it may go to, what is undone."""

from collections.abc import Sequence
from typing import Any

from emcheck.domain.alerts import TRANSITIONS, Act, Alert, AlertState
from emcheck.domain.referrals import due_at, is_breach, order_of
from emcheck.ports import AlertChange
from emcheck.present.acted import did
from emcheck.present.escalated import whom
from emcheck.present.times import clock, hour
from emcheck.service.own import Own
from emcheck.service.taking_back import undo_until
from emcheck.web.alerts.acting import operators
from emcheck.web.parts import Parts
from emcheck.web.people.signing_in import Who

SHELVES_MIN = (15, 30, 60, 120, 240, 480)


async def offered(parts: Parts, who: Who, alert: Alert, history: Sequence[AlertChange], zone: str) -> dict[str, Any]:
    """By act whether it is offered; for some in words. What is not allowed now is not shown."""
    goes_on = alert.size is not None and alert.ended_at is None and not alert.withdrawn
    allowed = {act.value: (alert.state, act) in TRANSITIONS for act in Act}
    others = await operators(parts) if allowed["hand_over"] else []
    passes_on = _next(parts, alert)
    return {
        "acknowledge": allowed["acknowledge"], "renews": alert.state is AlertState.ACKNOWLEDGED,
        "confirm": allowed["confirm"], "shelve": allowed["shelve"], "close": allowed["close"] and not goes_on,
        "goes_on": allowed["close"] and goes_on, "hand_over": allowed["hand_over"],
        "claim": allowed["claim"] and alert.holder != who.name,
        "to": [name for name in others if name not in (alert.holder, who.name)], "passes_on": passes_on,
        "nobody_further": allowed["escalate"] and not alert.withdrawn and not passes_on,
        "breach_due": _breach_due(parts, alert, zone) if allowed["confirm"] else "",
        "undo": _undo(parts, who, history, zone),
    }  # fmt: skip


def _breach_due(parts: Parts, alert: Alert, zone: str) -> str:
    """Until when it is to be referred if it is confirmed now; empty where that identifies no breach."""
    known = parts.known()
    if known is None or not is_breach(alert):
        return ""
    roster, now = known.engine.roster, parts.clock.now()
    order = order_of(alert, {each.order_id: each for each in roster.register.orders})
    return clock(due_at(now, order, roster.policies.own.then(now)), zone)


def _next(parts: Parts, alert: Alert) -> str:
    """Whom the next step of its tree calls: `supervisor by page, step 2 of 3`; empty where there is none."""
    known = parts.known()
    if known is None or alert.withdrawn or (alert.state, Act.ESCALATE) not in TRANSITIONS:
        return ""
    step = Own(known.engine.roster.policies.own).plan(alert).at_once(alert, parts.clock.now())
    return "" if step is None else f"{whom(step.call)}, step {step.number} of {step.of}"


def _undo(parts: Parts, who: Who, history: Sequence[AlertChange], zone: str) -> dict[str, str] | None:
    """What of it this person can take back, and until when."""
    now = parts.clock.now()
    found = undo_until(history, who.name, now, parts.undo_ms(now))
    return None if found is None else {"did": did(found[0]), "until": hour(found[1], zone)}
