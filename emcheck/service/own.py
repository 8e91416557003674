"""What the service's own policy says of alerts: each is dealt with by the version that was known when it was raised."""

from collections.abc import Mapping

from emcheck.domain.alerts import Alert
from emcheck.domain.escalation import Plan
from emcheck.domain.ids import Ms
from emcheck.domain.policies import Line


class Own:
    """Asks the service's own line: the policy that is set, until a start has read back what is published."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._plans: dict[str, Plan] = {}

    def plan(self, alert: Alert) -> Plan:
        """How the alert is passed on."""
        policy = self.line.then(alert.raised_at)
        if policy.sha256 not in self._plans:
            self._plans[policy.sha256] = policy.plan()
        return self._plans[policy.sha256]

    def lease_ms(self, at: Ms) -> Ms:
        """How long an acknowledgement of that instant holds."""
        return self.line.then(at).ms("alert.lease_s")

    def undo_ms(self, at: Ms) -> Ms:
        """For how long an act of that instant can be taken back."""
        return self.line.then(at).ms("alert.undo_s")

    def targets_ms(self, at: Ms) -> Mapping[str, Ms]:
        """Within what time an alert of that instant is to be acknowledged, by priority."""
        return self.line.then(at).targets_ms()
