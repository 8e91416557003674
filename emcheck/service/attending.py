"""What operators do about alerts, and what happens where nothing follows: a lease or shelf runs out, a step is due.

Each alert that is open has one deadline, a row of the database too; what is due of it is decided at that instant, on
the alert and the receipts as they stand committed then. An alert at rest costs nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from emcheck.domain.acts import InstructionError
from emcheck.domain.alerts import EXPIRIES, Act, Alert, AlertState, IllegalAct, acted, taken_back
from emcheck.domain.attending import ActOnAlert
from emcheck.domain.deadlines import Deadlines
from emcheck.domain.escalation import Due, passed_on, target
from emcheck.domain.ids import AlertId, Ms
from emcheck.domain.instants import FOREVER
from emcheck.ports import AlertChange, Deadline, Delivery, Store
from emcheck.present.escalated import because
from emcheck.service.own import Own
from emcheck.service.taking_back import BACK, acts_of_people, said_of, to_take_back

Publish = Callable[[Alert, str, str], bytes]
"""Alert, action and note to the bytes that are delivered."""

_WORDS = {
    Act.ACKNOWLEDGE: "acknowledged",
    Act.CONFIRM: "confirmed",
    Act.SHELVE: "shelved",
    Act.CLOSE: "closed",
    Act.CLAIM: "claimed",
    Act.HAND_OVER: "handed_over",
    Act.NOTE: "noted",
    Act.LEASE_EXPIRED: "returned",
    Act.SHELF_EXPIRED: "returned",
}
_WHY = {
    Act.LEASE_EXPIRED: "acknowledged, and nothing followed",
    Act.SHELF_EXPIRED: "its time on the shelf is over",
}


@dataclass(slots=True)
class Fallen:
    """What was due and is decided, to be committed before the next call: changes, and alerts to be looked at later."""

    changes: list[AlertChange] = field(default_factory=list)
    deadlines: list[Deadline] = field(default_factory=list)


class Attending:
    """Carries acts out on alerts as they stand in the store. What it returns must be committed before the next call."""

    def __init__(
        self,
        store: Store,
        published: Publish,
        own: Own,
        *,
        up_since: Ms,
    ) -> None:
        self._store = store
        self._published = published
        self._own = own
        self._up_since = up_since
        self._deadlines = Deadlines()

    def load(self, alerts: Iterable[Alert]) -> None:
        """Alerts that are open at a start."""
        for alert in alerts:
            self._arm(alert, delivered=False)

    def next(self) -> Ms:
        """When the next lease or shelf runs out, or a step may be due."""
        return self._deadlines.next()

    def watch(self, changed: Iterable[Alert]) -> list[Deadline]:
        """Alerts after a change, to be committed with it: when each is to be looked at next, as rows."""
        last = {alert.alert_id: alert for alert in changed}
        due = {name: self._arm(alert, delivered=False) for name, alert in last.items()}
        return [
            Deadline(subject(last[name]), at) for name, at in due.items() if at < FOREVER or last[name].revision > 1
        ]

    def _arm(self, alert: Alert, *, delivered: bool) -> Ms:
        """Look at it no later than this; early is possible, for a receipt may come until then."""
        due = FOREVER if alert.lease_until is None or alert.state not in EXPIRIES else alert.lease_until
        step = self._own.plan(alert).due(alert, delivered=delivered, up_since=self._up_since)
        if step is not None:
            due = min(due, step.at)
        self._deadlines.disarm(alert.alert_id)
        if due < FOREVER:
            self._deadlines.arm(alert.alert_id, due)
        return due

    async def act(self, act: ActOnAlert, at: Ms) -> AlertChange:
        """Do it; InstructionError where there is no such alert, or its state does not allow it."""
        alert = next(iter(await self._store.alerts_named([act.alert_id])), None)
        if alert is None:
            raise InstructionError("alert_id", f"no alert {act.alert_id!r}; `emcheck alerts list --all` shows them")
        if act.until is not None and act.until <= at:
            raise InstructionError("until", "the shelf would be over before it begins; name a time to come")
        if act.seen_revision is not None and act.act != "note":  # words overwrite nothing
            await self._refuse_if_stale(act.alert_id, act.seen_revision)
        if alert.size is not None and alert.ended_at is None and not alert.withdrawn and act.act == "close":
            raise InstructionError(
                "act", "the incident goes on; acknowledge or shelve it, and close it when it is over"
            )
        try:
            if act.act == "undo":
                return await self._take_back(alert, act, at)
            return self._escalate(alert, act, at) if act.act == "escalate" else self._do(alert, act, at)
        except IllegalAct as error:
            under = alert.incident if alert.state is AlertState.SUPPRESSED else None
            remedy = f"; it is part of incident {under}: act on that one" if under is not None else ""
            raise InstructionError("act", f"{error}{remedy}") from None

    def _do(self, alert: Alert, act: ActOnAlert, at: Ms) -> AlertChange:
        """What the table allows of an alert as it stands."""
        if act.act == "claim" and alert.holder == act.by:
            raise InstructionError("act", f"{act.by} has it already")
        if act.act == "hand_over" and alert.holder == act.to:
            raise InstructionError("to", f"{act.to} has it already")
        note = act.note if act.to is None else ": ".join(filter(None, (f"to {act.to}", act.note)))
        return self._change(
            alert, Act(act.act), at, by=act.by, note=note, until=act.until, why=act.disposition, to=act.to
        )  # fmt: skip

    def _escalate(self, alert: Alert, act: ActOnAlert, at: Ms) -> AlertChange:
        """The next step of its tree, now."""
        if alert.withdrawn:
            raise InstructionError("act", "what is known now no longer shows it; there is nothing to pass on")
        step = self._own.plan(alert).at_once(alert, at)
        if step is None:
            raise InstructionError("act", "the policy names nobody further; hand it over, or tell them yourself")
        after, note = passed_on(alert, step), f"{because(step)}: {act.note}"
        return AlertChange(
            after, "escalated", at, act.by, note, self._published(after, "escalated", note), target(step.call)
        )  # fmt: skip

    async def _take_back(self, alert: Alert, act: ActOnAlert, at: Ms) -> AlertChange:
        """What its doer did last, as if it had not been."""
        history = await self._store.alert_history(alert.alert_id)
        mistake = to_take_back(history, act.by, at, self._own.undo_ms(at))
        after = taken_back(alert, mistake.act, before=mistake.before, after=mistake.change.alert, at=at)
        if after.state is AlertState.SUPPRESSED and after.incident is not None:
            above = next(iter(await self._store.alerts_named([after.incident])), None)
            if above is not None and above.state is AlertState.CLOSED:
                raise InstructionError("act", f"it was closed with incident {after.incident}; take that back")
        action = BACK[mistake.act]
        return AlertChange(after, action, at, act.by, act.note, self._published(after, action, act.note))

    async def _refuse_if_stale(self, alert_id: str, seen_revision: int) -> None:
        """What somebody did since the alert was looked at is not overwritten unseen."""
        later = acts_of_people(await self._store.alert_history(alert_id), after=seen_revision)
        if later:
            raise InstructionError("seen_revision", f"{said_of(later[-1])}; look at the alert again")

    async def fall_due(self, upto: Ms, *, most: int) -> Fallen:
        """Of at most so many alerts what is due by `upto`, each at its own instant."""
        due: dict[str, Ms] = {}
        while len(due) < most and self._deadlines.next() <= upto:
            at, name = self._deadlines.pop()
            due[name] = at
        fallen = Fallen()
        alerts = {alert.alert_id: alert for alert in await self._store.alerts_named(list(due))}
        has = arrived(await self._store.deliveries(list(due)))
        for name, at in due.items():
            if (alert := alerts.get(AlertId(name))) is not None:
                self._decide(alert, at, has.get(name, 0), fallen)
        return fallen

    def _decide(self, alert: Alert, at: Ms, arrived: int, fallen: Fallen) -> None:
        """An expiry or a step, where that is what the deadline was for; else the next look."""
        if alert.lease_until is not None and alert.lease_until <= at and (act := EXPIRIES.get(alert.state)) is not None:
            fallen.changes.append(self._change(alert, act, alert.lease_until, by="emcheck", note=_WHY[act]))
            return
        delivered = arrived >= alert.course.told_revision
        step = self._own.plan(alert).due(alert, delivered=delivered, up_since=self._up_since)
        if step is not None and step.at <= at:
            fallen.changes.append(self._pass_on(alert, step))
        else:
            fallen.deadlines.append(Deadline(subject(alert), self._arm(alert, delivered=delivered)))

    def _pass_on(self, alert: Alert, step: Due) -> AlertChange:
        after, note = passed_on(alert, step), because(step)
        published = self._published(after, "escalated", note)
        return AlertChange(after, "escalated", step.at, "emcheck", note, published, target(step.call))

    def _change(
        self, alert: Alert, act: Act, at: Ms, *, by: str, note: str, until: Ms | None = None, why: str | None = None,
        to: str | None = None,
    ) -> AlertChange:  # fmt: skip
        lease_ms = self._own.lease_ms(at)
        after = acted(alert, act, at=at, lease_ms=lease_ms, until=until, disposition=why, by=by, to=to)
        action = _WORDS[act]
        return AlertChange(after, action, at, by, note, self._published(after, action, note))


def subject(alert: Alert) -> str:
    """What an alert's deadline is called among the rows."""
    return f"alert {alert.alert_id}"


def arrived(deliveries: Sequence[Delivery]) -> dict[str, int]:
    """The newest revision of each alert that somebody confirmed to have."""
    newest: dict[str, int] = {}
    for one in deliveries:
        newest[one.alert_id] = max(one.revision, newest.get(one.alert_id, 0))
    return newest
