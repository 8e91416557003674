"""A closed incident takes the alerts under it along: closed with its disposition, by whom it was, a few at a time."""

from collections import deque
from collections.abc import Callable, Iterable

from emcheck.domain.alerts import Act, Alert, AlertState, acted
from emcheck.domain.ids import Ms
from emcheck.ports import AlertChange, Store

_AT_ONCE = 100


class Emptying:
    """Incidents that were closed and have alerts under them. What `step` returns is committed before the next call."""

    def __init__(self, store: Store, published: Callable[[Alert, str, str], bytes]) -> None:
        self._store, self._published = store, published
        self._closed: deque[AlertChange] = deque()
        self._attended = 0
        """Alerts under the first of them that somebody attends to: they are theirs to close."""

    @property
    def pending(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._closed)

    async def load(self, open_alerts: Iterable[Alert]) -> None:
        """Go on after a start with incidents that were closed just before."""
        waiting = list(open_alerts)
        named = {a.incident: a for a in waiting if a.incident is not None and a.state is AlertState.SUPPRESSED}
        for incident in sorted(named.keys() - {a.alert_id for a in waiting}):
            history = await self._store.alert_history(incident)
            if history:
                self.begin(history[-1])

    def begin(self, change: AlertChange) -> None:
        """Take along what is under an incident, if this closed one."""
        if change.alert.size is not None and change.alert.state is AlertState.CLOSED:
            self._closed.append(change)

    async def step(self, at: Ms) -> list[AlertChange]:
        """The next few alerts, closed."""
        closed = self._closed[0]
        under = await self._store.alerts_under(
            closed.alert.alert_id, open_only=True, limit=self._attended + _AT_ONCE
        )  # fmt: skip
        waiting = [alert for alert in under if alert.state is AlertState.SUPPRESSED]
        self._attended = len(under) - len(waiting)
        if not waiting:
            self._closed.popleft()
            self._attended = 0
        return [self._change(alert, closed, at) for alert in waiting]

    def _change(self, alert: Alert, closed: AlertChange, at: Ms) -> AlertChange:
        after = acted(alert, Act.CLOSE, at=at, lease_ms=0, disposition=closed.alert.disposition)
        note = f"with its incident {closed.alert.alert_id}"
        return AlertChange(after, "closed", at, closed.by, note, self._published(after, "closed", note))
