"""What operators do about alerts, and what happens where nothing follows: a lease or a shelf runs out."""

from collections.abc import Callable, Iterable

from emcheck.domain.alerts import EXPIRIES, Act, Alert, IllegalAct, acted
from emcheck.domain.deadlines import Deadlines
from emcheck.domain.ids import AlertId, Ms
from emcheck.domain.instructions import ActOnAlert, InstructionError
from emcheck.ports import AlertChange, Store

Publish = Callable[[Alert, str, str], bytes]
"""Alert, action and note to the bytes that are delivered."""

_WORDS = {
    Act.ACKNOWLEDGE: "acknowledged",
    Act.CONFIRM: "confirmed",
    Act.SHELVE: "shelved",
    Act.CLOSE: "closed",
    Act.LEASE_EXPIRED: "returned",
    Act.SHELF_EXPIRED: "returned",
}
_WHY = {
    Act.LEASE_EXPIRED: "acknowledged, and nothing followed",
    Act.SHELF_EXPIRED: "its time on the shelf is over",
}


class Attending:
    """Carries acts out on alerts as they stand in the store. What it returns must be committed before the next call."""

    def __init__(self, store: Store, published: Publish, *, lease_ms: Ms) -> None:
        self._store = store
        self._published = published
        self._lease_ms = lease_ms
        self._deadlines = Deadlines()

    def load(self, alerts: Iterable[Alert]) -> None:
        """Alerts that are open at a start."""
        for alert in alerts:
            self._watch(alert)

    def next(self) -> Ms:
        """When the next lease or shelf runs out."""
        return self._deadlines.next()

    def _watch(self, alert: Alert) -> None:
        self._deadlines.disarm(alert.alert_id)
        if alert.lease_until is not None:
            self._deadlines.arm(alert.alert_id, alert.lease_until)

    async def act(self, act: ActOnAlert, at: Ms) -> AlertChange:
        """Do it; InstructionError where there is no such alert, or its state does not allow it."""
        alert = await self._alert(act.alert_id)
        if alert is None:
            raise InstructionError("alert_id", f"no alert {act.alert_id!r}; `emcheck alerts list --all` shows them")
        if act.until is not None and act.until <= at:
            raise InstructionError("until", "the shelf would be over before it begins; name a time to come")
        if alert.size is not None and alert.ended_at is None and not alert.withdrawn and act.act == "close":
            raise InstructionError(
                "act", "the incident goes on; acknowledge or shelve it, and close it when it is over"
            )
        try:
            return self._change(alert, Act(act.act), at, by=act.by, note=act.note, until=act.until, why=act.disposition)
        except IllegalAct as error:
            raise InstructionError("act", str(error)) from None

    async def expire(self, at: Ms) -> list[AlertChange]:
        """Alerts whose lease or shelf has run out by `at` return to the queue, each at its own instant."""
        changes = []
        while self._deadlines.next() <= at:
            due, name = self._deadlines.pop()
            alert = await self._alert(AlertId(name))
            if alert is not None and alert.lease_until == due and (act := EXPIRIES.get(alert.state)) is not None:
                changes.append(self._change(alert, act, due, by="emcheck", note=_WHY[act]))
        return changes

    def _change(
        self, alert: Alert, act: Act, at: Ms, *, by: str, note: str, until: Ms | None = None, why: str | None = None
    ) -> AlertChange:
        after = acted(alert, act, at=at, lease_ms=self._lease_ms, until=until, disposition=why)
        self._watch(after)
        action = _WORDS[act]
        return AlertChange(after, action, at, by, note, self._published(after, action, note))

    async def _alert(self, name: AlertId) -> Alert | None:
        history = await self._store.alert_history(name)
        return history[-1].alert if history else None
