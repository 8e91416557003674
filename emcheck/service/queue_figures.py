"""The figures of the queue in `/metrics`, counted as it changes; `emcheck stats` has the same from the record."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping

from emcheck.domain.alerts import Alert, AlertState
from emcheck.domain.ids import AlertId, Ms
from emcheck.ports import AlertChange
from emcheck.present.statistics import FLOOD, FLOOD_SPAN, STALE
from emcheck.service.http import By

_WAITING = (AlertState.UNACKNOWLEDGED, AlertState.RETURNED)
_PRIORITIES = ("P1", "P2", "P3", "P4")


class QueueFigures:
    """Told of every committed change; counts since the start, and what waits now."""

    def __init__(self, targets_ms: Callable[[Ms], Mapping[str, Ms]]) -> None:
        self._targets_ms = targets_ms
        self._raised: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._acknowledged = Counter(dict.fromkeys(_PRIORITIES, 0))
        self._in_time = Counter(dict.fromkeys(_PRIORITIES, 0))
        self._waited_ms = Counter(dict.fromkeys(_PRIORITIES, 0))
        self._waiting: dict[AlertId, tuple[str, Ms]] = {}
        self._seen: set[AlertId] = set()
        """Acknowledged once: only the first time counts, until it is closed."""
        self._latest: deque[Ms] = deque()
        """When what an operator saw was raised, of the last ten minutes."""

    def load(self, open_alerts: Iterable[Alert]) -> None:
        """What waits at a start."""
        self._waiting.clear()
        for alert in open_alerts:
            self._note_state(alert)
            if alert.state is AlertState.ACKNOWLEDGED:
                self._seen.add(alert.alert_id)

    def note(self, changes: Iterable[AlertChange]) -> None:
        """Something was committed."""
        for change in changes:
            alert = change.alert
            if change.action == "raised":
                self._raised[alert.rule] += 1
                if alert.state in _WAITING:
                    self._note_raised(change.at)
            elif change.action == "acknowledged" and alert.alert_id not in self._seen:
                self._note_seen(alert, change.at)
            elif change.action in ("closed", "withdrawn"):
                self._outcomes[alert.disposition or change.action] += 1
                self._seen.discard(alert.alert_id)
            elif change.action == "reopened":
                self._outcomes[change.action] += 1
            self._note_state(alert)

    def _note_raised(self, at: Ms) -> None:
        self._latest.append(at)
        while self._latest[0] <= at - FLOOD_SPAN:
            self._latest.popleft()

    def _note_seen(self, alert: Alert, at: Ms) -> None:
        waited_ms, target_ms = at - alert.raised_at, self._targets_ms(alert.raised_at).get(alert.priority)
        self._seen.add(alert.alert_id)
        self._acknowledged[alert.priority] += 1
        self._waited_ms[alert.priority] += waited_ms
        self._in_time[alert.priority] += target_ms is None or waited_ms <= target_ms

    def _note_state(self, alert: Alert) -> None:
        if alert.state in _WAITING and not alert.withdrawn:
            self._waiting[alert.alert_id] = alert.priority, alert.raised_at
        else:
            self._waiting.pop(alert.alert_id, None)

    def _oldest_s(self, priority: str, now: Ms) -> float:
        """0 where none waits."""
        return max(0, now - min((at for one, at in self._waiting.values() if one == priority), default=now)) / 1000

    def readings(self, now: Ms) -> dict[str, tuple[str, float | By]]:
        """As `/metrics` shows them."""
        waiting = Counter(priority for priority, _ in self._waiting.values())
        seconds = {priority: waited_ms / 1000 for priority, waited_ms in self._waited_ms.items()}
        targets = {priority: target_ms / 1000 for priority, target_ms in self._targets_ms(now).items()}
        return {
            "alerts_raised_total": ("Alerts raised", By("rule", self._raised)),
            "alerts_outcomes_total": (
                "Closed alerts by disposition, withdrawn, reopened",
                By("outcome", self._outcomes),
            ),
            "alerts_waiting": ("Alerts that wait for somebody", By("priority", {p: waiting[p] for p in _PRIORITIES})),
            "alerts_oldest_seconds": (
                "How long the alert has waited that waits longest",
                By("priority", {p: self._oldest_s(p, now) for p in _PRIORITIES}),
            ),
            "alerts_stale": (
                "Alerts that have waited for over a day; none is the target of ISA-18.2",
                sum(raised_at < now - STALE for _, raised_at in self._waiting.values()),
            ),
            "alerts_in_10_minutes": (
                f"Alerts raised into the queue in the last 10 minutes; {FLOOD} for an operator are a flood",
                sum(at > now - FLOOD_SPAN for at in self._latest),
            ),
            "alerts_acknowledged_total": ("Alerts acknowledged for the first time", By("priority", self._acknowledged)),
            "alerts_acknowledged_in_time_total": ("Those within the target", By("priority", self._in_time)),
            "alerts_acknowledge_seconds_total": ("Seconds until they were", By("priority", seconds)),
            "alert_target_seconds": ("Within how long an alert is to be acknowledged", By("priority", targets)),
        }
