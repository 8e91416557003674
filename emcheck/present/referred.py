"""A breach's referral in words and for programs: to whom, when, or until when it is due."""

from typing import Any

from emcheck.domain.ids import Ms
from emcheck.domain.instants import format_ms, format_optional_ms
from emcheck.domain.referrals import Referral
from emcheck.present.times import clock, duration


def in_words(one: Referral, now: Ms, zone: str) -> str:
    """When it was identified and by whom, then its state."""
    identified = f"Identified as a breach at {clock(one.identified_at, zone)} by {one.identified_by}"
    return f"{identified}; {state(one, now, zone)}."


def state(one: Referral, now: Ms, zone: str) -> str:
    """`to be referred by ..`, with how long it is overdue; or `referred to .. by .. at ..`."""
    if one.referred is None:
        late = f", overdue for {duration(now - one.due_at)}" if one.is_overdue(now) else ""
        return f"to be referred by {clock(one.due_at, zone)}{late}"
    made = made_at(one)
    reference = f", reference {one.referred.reference}" if one.referred.reference else ""
    late = f", {duration(made - one.due_at)} late" if made > one.due_at else ""
    return f"referred to {one.referred.to} by {one.referred.by} at {clock(made, zone)}{reference}{late}"


def made_at(one: Referral) -> Ms:
    """When a referral was made: as it says, else when it was told."""
    said = None if one.referred is None else one.referred.at
    return said if said is not None else one.referred_at or one.due_at


def note(one: Referral) -> str:
    """What the alert's history says of it."""
    if one.referred is None:
        return ""
    reference = f", reference {one.referred.reference}" if one.referred.reference else ""
    said = f"; {one.referred.note}" if one.referred.note else ""
    return f"to {one.referred.to}, for order {one.referred.order_id}{reference}{said}"


def row(one: Referral, now: Ms) -> tuple[str, ...]:
    """Alert, rule, order, and how it stands, in the order's time."""
    zone, order_id = ("UTC", "-") if one.order is None else (one.order.timezone, str(one.order.order_id))
    return one.alert.alert_id, one.alert.rule, order_id, f"{in_words(one, now, zone)} ({zone})"


def plain(one: Referral, now: Ms) -> dict[str, Any]:
    """For programs."""
    act = one.referred
    return {
        "alert_id": one.alert.alert_id,
        "rule": one.alert.rule,
        "wearer_id": one.alert.wearer_id,
        "order_id": one.order and one.order.order_id,
        "identified_at": format_ms(one.identified_at),
        "identified_by": one.identified_by,
        "due_at": format_ms(one.due_at),
        "overdue": one.is_overdue(now),
        "referred": act
        and {
            "told_at": format_optional_ms(one.referred_at),
            "made_at": format_ms(made_at(one)),
            "to": act.to,
            "by": act.by,
            "reference": act.reference,
            "note": act.note,
            "alerts": list(act.alerts),
        },
    }
