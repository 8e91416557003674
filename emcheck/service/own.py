"""What the service's own policy says of alerts: each is dealt with by the version that was known when it was raised."""

from collections.abc import Callable, Mapping

from emcheck.domain.alerts import Alert
from emcheck.domain.escalation import Plan
from emcheck.domain.ids import Ms
from emcheck.domain.policies import Line


class Own:
    """Asks the line as it stands; `line` is called anew each time, for a start may read it back."""

    def __init__(self, line: Callable[[], Line]) -> None:
        self._line = line
        self._plans: dict[str, Plan] = {}

    def plan(self, alert: Alert) -> Plan:
        """How the alert is passed on."""
        policy = self._line().then(alert.raised_at)
        if policy.sha256 not in self._plans:
            self._plans[policy.sha256] = policy.plan()
        return self._plans[policy.sha256]

    def lease_ms(self, at: Ms) -> Ms:
        """How long an acknowledgement of that instant holds."""
        return self._line().then(at).ms("alert.lease_s")

    def targets_ms(self, at: Ms) -> Mapping[str, Ms]:
        """Within what time an alert of that instant is to be acknowledged, by priority."""
        return self._line().then(at).targets_ms()
