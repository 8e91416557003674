"""Senders that are not enrolled: counted in runs, told apart up to a number, each run one finding."""

from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms, RuleId, UnitId
from emcheck.domain.instants import FOREVER
from emcheck.domain.policies import Line
from emcheck.domain.rules import evidence

_UNITS_MAX = 1000
"""So many are told apart; what comes from more is counted together."""
_RUNS_MAX = 24
OTHERS = UnitId("(others)")


class Strangers:
    """What came of units that stand in no register, while it still counts."""

    RULES = (evidence.UNKNOWN_DEVICE, evidence.REJECTED)

    def __init__(self, own: Line) -> None:
        self._own = own
        self._runs: dict[UnitId, list[evidence.Refusals]] = {}

    def refuse(self, name: UnitId, reason: str, what: str, at: Ms) -> tuple[UnitId, Ms] | None:
        """Count a message. Where a run begins: under whose name, and before when its findings are settled."""
        if name not in self._runs and len(self._runs) >= _UNITS_MAX:
            name = OTHERS
        runs = self._runs.setdefault(name, [])
        if runs and at - runs[-1].last_at < self._own.then(at).ms("evidence.unknown_device.quiet_s"):
            runs[-1].count, runs[-1].last_at = runs[-1].count + 1, at
            return None
        settled = -FOREVER if len(runs) < _RUNS_MAX else runs.pop(0).last_at
        runs.append(evidence.Refusals(reason, at, at, what=what))
        return name, settled

    def names(self) -> list[UnitId]:
        """Those of whom anything is known."""
        return list(self._runs)

    def findings(self, name: UnitId) -> list[Finding]:
        """The runs of one sender."""
        return [evidence.refused(_rule(run), name, run, self._own.then(run.first_at)) for run in self._runs[name]]

    def remember(self, name: UnitId, finding: Finding, end: Ms) -> None:
        """Know a run again, after a start."""
        self._runs.setdefault(name, []).append(evidence.remembered(finding, end))


def _rule(run: evidence.Refusals) -> RuleId:
    """A consumer of the monitoring queue is no device."""
    return evidence.REJECTED if run.reason == evidence.BAD_RECEIPT else evidence.UNKNOWN_DEVICE
