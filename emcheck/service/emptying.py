"""An incident that is closed takes the alerts under it along, one that is reopened brings them back; a few at a time.

What is taken along is closed with the incident's disposition, by whom it was closed. What somebody attends to stays.
"""

from collections import deque
from collections.abc import Callable, Iterable

from emcheck.domain.alerts import Act, Alert, AlertState, IllegalAct, acted, taken_back
from emcheck.domain.ids import AlertId, Ms
from emcheck.ports import AlertChange, Store
from emcheck.service.taking_back import acts_of_people

_AT_ONCE = 100


class Emptying:
    """Incidents with alerts under them to move. What `step` returns is committed before the next call."""

    def __init__(self, store: Store, published: Callable[[Alert, str, str], bytes]) -> None:
        self._store, self._published = store, published
        self._moved: deque[AlertChange] = deque()
        self._attended = 0
        """Alerts under the first of them that somebody attends to: they are theirs to close."""
        self._to_bring: list[AlertId] | None = None
        """What may come back with the first of them, if that was reopened."""

    @property
    def pending(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._moved)

    async def load(self, open_alerts: Iterable[Alert]) -> None:
        """Go on after a start with incidents that were closed or reopened just before."""
        waiting = list(open_alerts)
        named = {a.incident: a for a in waiting if a.incident is not None and a.state is AlertState.SUPPRESSED}
        closed = named.keys() - {a.alert_id for a in waiting}
        for incident in sorted(closed | {a.alert_id for a in waiting if a.size is not None}):
            moves = [c for c in await self._store.alert_history(incident) if c.action in ("closed", "reopened")]
            if moves:
                self.begin(moves[-1])

    def begin(self, change: AlertChange) -> None:
        """Move what is under an incident, if this closed or reopened one."""
        if change.alert.size is not None and change.action in ("closed", "reopened"):
            self._moved.append(change)

    async def step(self, at: Ms) -> list[AlertChange]:
        """The next few alerts, closed or reopened."""
        moved = self._moved[0]
        return await (self._take_along(moved, at) if moved.action == "closed" else self._bring_back(moved, at))

    async def _take_along(self, closed: AlertChange, at: Ms) -> list[AlertChange]:
        under = await self._store.alerts_under(
            closed.alert.alert_id, open_only=True, limit=self._attended + _AT_ONCE
        )  # fmt: skip
        waiting = [alert for alert in under if alert.state is AlertState.SUPPRESSED]
        self._attended = len(under) - len(waiting)
        if not waiting:
            self._moved.popleft()
            self._attended = 0
        disposition = closed.alert.disposition
        gone = [acted(alert, Act.CLOSE, at=at, lease_ms=0, disposition=disposition) for alert in waiting]
        return [self._change(alert, closed, at) for alert in gone]

    async def _bring_back(self, reopened: AlertChange, at: Ms) -> list[AlertChange]:
        if self._to_bring is None:
            under = await self._store.alerts_under(reopened.alert.alert_id, open_only=False)
            self._to_bring = [alert.alert_id for alert in under if alert.state is AlertState.CLOSED]
        names, self._to_bring = self._to_bring[:_AT_ONCE], self._to_bring[_AT_ONCE:]
        back = []
        for history in await self._store.alert_histories(names):
            done = [change for change in acts_of_people(history) if change.action != "noted"][-1:]
            if done and (done[0].action, done[0].note) == ("closed", _with(reopened)):
                back.append(self._reopened(history, done[0], at))
        if not self._to_bring:
            self._moved.popleft()
            self._to_bring = None
        return [self._change(alert, reopened, at) for alert in back if alert is not None]

    def _reopened(self, history: list[AlertChange], closed: AlertChange, at: Ms) -> Alert | None:
        before = history[history.index(closed) - 1].alert
        try:
            return taken_back(history[-1].alert, Act.CLOSE, before=before, after=closed.alert, at=at)
        except IllegalAct:
            return None

    def _change(self, after: Alert, moved: AlertChange, at: Ms) -> AlertChange:
        note = _with(moved)
        return AlertChange(after, moved.action, at, moved.by, note, self._published(after, moved.action, note))


def _with(moved: AlertChange) -> str:
    return f"with its incident {moved.alert.alert_id}"
