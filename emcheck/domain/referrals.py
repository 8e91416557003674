"""Breaches of an order referred to the authority, and those that should have been by now.

A pure function of alerts and instructions, as a verdict is one of facts (ADR 0021). Clauses:

1. A breach is *identified* when a person first confirms an alert about the wearer's own conduct, or closes any alert as
   `breach_reported`: a finding alone accuses nobody before the authority. A closing that is taken back identified none.
   To confirm what only asks a question, or tells of a sensor, identifies none: it accuses nobody.
2. It is referred by the instruction `referral` that names its alert: to whom, by whom and when.
3. It is due `order.breach.referral_due_s` after it was identified; for restriction of liberty orders at the end of the
   last of `..._due_working_days` after the local day on which it was identified. Saturdays, Sundays and the policy's
   holidays are no working days.
4. None is owed where the alert was withdrawn, or closed with another disposition: then a person decided otherwise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from whenever import Instant

from emcheck.domain.alerts import Alert, AlertState, Disposition
from emcheck.domain.attending import ActOnAlert
from emcheck.domain.ids import AlertId, Ms, OrderId
from emcheck.domain.instructions import Instruction, InstructionError, ReferBreach
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy
from emcheck.domain.register import Order, Register
from emcheck.domain.windows import resolve

BREACHES = ("curfew.absence", "curfew.accumulated", "tag.strap", "tag.case", "body.not_attached")
"""Rules about what a wearer did; all others are about equipment, evidence or our own service (1)."""
QUESTIONS = frozenset({"cool", "unsure", "unusable", "silent_sensors"})
"""Classes of `body.not_attached` that accuse nobody (1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """A breach of an order: when it was identified and by whom, until when it is to be referred, and how it was."""

    alert: Alert
    order: Order | None
    identified_at: Ms
    identified_by: str
    due_at: Ms
    referred_at: Ms | None = None
    referred: ReferBreach | None = None

    def is_overdue(self, now: Ms) -> bool:
        """Whether it should have been referred by now."""
        return self.referred is None and self.due_at < now


def referrals(
    alerts: Iterable[Alert], given: Iterable[tuple[Ms, Instruction]], register: Register, policies: Policies
) -> list[Referral]:
    """Every breach that was referred or is to be, the earliest due first; instructions in order of receipt."""
    identified: dict[AlertId, tuple[Ms, str]] = {}
    referred: dict[AlertId, tuple[Ms, ReferBreach]] = {}
    known = {alert.alert_id: alert for alert in alerts}
    by_closing: set[AlertId] = set()
    for at, act in given:
        if isinstance(act, ReferBreach):
            for name in act.alerts:
                referred.setdefault(name, (at, act))
        elif isinstance(act, ActOnAlert):
            name = act.alert_id
            if act.act == "undo" and name in by_closing:
                by_closing.discard(name)
                del identified[name]
            elif _identifies(act, known.get(name)) and name not in identified:
                identified[name] = (at, act.by)
                by_closing |= {name} if act.act == "close" else set()
    orders = {order.order_id: order for order in register.orders}
    found = [
        _referral(known[name], identified.get(name), referred.get(name), orders, policies)
        for name in known.keys() & (identified.keys() | referred.keys())
        if name in referred or _owed(known[name])
    ]
    return sorted(found, key=lambda one: (one.due_at, one.alert.alert_id))


def _referral(
    alert: Alert,
    identified: tuple[Ms, str] | None,
    referred: tuple[Ms, ReferBreach] | None,
    orders: Mapping[OrderId, Order],
    policies: Policies,
) -> Referral:
    """What is referred was identified then at the latest."""
    if referred is None:
        made_at, act, order = None, None, order_of(alert, orders)
        first = identified or (alert.raised_at, "")
    else:
        made_at, act = referred
        order, first = orders.get(act.order_id), min(identified or (made_at, act.by), (made_at, act.by))
    policy = policies.line(None if order is None else order.policy).then(first[0])
    return Referral(
        alert=alert, order=order, identified_at=first[0], identified_by=first[1],
        due_at=due_at(first[0], order, policy), referred_at=made_at, referred=act,
    )  # fmt: skip


def _identifies(act: ActOnAlert, alert: Alert | None) -> bool:
    """Clause 1."""
    if act.act == "close":
        return act.disposition is Disposition.BREACH_REPORTED
    return act.act == "confirm" and alert is not None and is_breach(alert)


def is_breach(alert: Alert) -> bool:
    """Whether who confirms an alert identifies a breach (1)."""
    return alert.rule in BREACHES and alert.class_ not in QUESTIONS


def _owed(alert: Alert) -> bool:
    """Clause 4."""
    otherwise = alert.state is AlertState.CLOSED and alert.disposition != Disposition.BREACH_REPORTED
    return not alert.withdrawn and not otherwise


def order_of(alert: Alert, orders: Mapping[OrderId, Order]) -> Order | None:
    """The order that an alert is about: its own, else the only one of its wearer that ran then, if it was one."""
    if alert.order_id is not None:
        return orders.get(alert.order_id)
    ran = [
        order
        for order in orders.values()
        if order.wearer_id == alert.wearer_id and order.starts_at <= alert.happened_at < order.ends_at
    ]
    return ran[0] if len(ran) == 1 else None


def due_at(identified_at: Ms, order: Order | None, policy: Policy) -> Ms:
    """Clause 3."""
    days = int(policy.number("order.breach.restriction_of_liberty_due_working_days"))
    if order is None or order.kind != "restriction_of_liberty" or days == 0:
        return identified_at + policy.ms("order.breach.referral_due_s")
    holidays = policy.text("order.breach.holidays").split()
    day = Instant.from_timestamp(identified_at, unit="millisecond").to_tz(order.timezone).date().to_stdlib()
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5 and day.isoformat() not in holidays
    return resolve(f"{(day + timedelta(days=1)).isoformat()}T00:00", order.timezone, "later")


def check(act: ReferBreach, alerts: Iterable[Alert], register: Register, now: Ms) -> None:
    """InstructionError where a referral names an alert that there is not, or that is of somebody else."""
    order = next((order for order in register.orders if order.order_id == act.order_id), None)
    if order is None:
        raise InstructionError("order_id", f"no order {act.order_id!r} in the register")
    if act.at is not None and act.at > now:
        raise InstructionError("at", "it lies ahead; a referral is told once it is made")
    known = {alert.alert_id: alert for alert in alerts}
    for number, name in enumerate(act.alerts):
        alert, path = known.get(name), f"alerts.{number}"
        if alert is None:
            raise InstructionError(path, f"no alert {name!r}; `emcheck alerts list --all` shows them")
        if alert.order_id not in (None, act.order_id):
            raise InstructionError(path, f"{name} is about order {alert.order_id}; refer it under that order")
        if alert.wearer_id not in (None, order.wearer_id):
            raise InstructionError(path, f"{name} is about {alert.wearer_id}, and {act.order_id} of {order.wearer_id}")
