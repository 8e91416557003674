"""Watching our own clock: what looks at it find is told to the decision loop, word by word (rules/service_clock)."""

from collections.abc import Callable
from typing import Any

from emcheck.clock import Reading
from emcheck.domain.ids import Ms
from emcheck.domain.policy import Policy

Look = Callable[[], Reading]


class ClockWatch:
    """Compares each reading with what was known; `told` is what the record says last of its synchronisation."""

    def __init__(self, *, told: bool | None = None) -> None:
        self._told = told
        self._apart_ms: Ms | None = None
        """Wall time less elapsed time, as last compared."""
        self._unsynchronised_since: Ms | None = None

    def news(self, reading: Reading, policy: Policy) -> list[dict[str, Any]]:
        """What is to be told after a reading, by the policy in force then; nothing, as nearly always."""
        told = self._step(reading, policy.ms("service.clock.step_max_s"))
        return [*told, *self._synchronisation(reading, policy.ms("service.clock.unsynchronised_after_s"))]

    def _step(self, reading: Reading, step_max_ms: Ms) -> list[dict[str, Any]]:
        apart_ms = reading.wall_ms - reading.elapsed_ms
        stepped_ms = 0 if self._apart_ms is None else apart_ms - self._apart_ms
        if self._apart_ms is None or abs(stepped_ms) > step_max_ms:
            self._apart_ms = apart_ms
        return [{"stepped_ms": stepped_ms}] if abs(stepped_ms) > step_max_ms else []

    def _synchronisation(self, reading: Reading, after_ms: Ms) -> list[dict[str, Any]]:
        if reading.synchronised is not False:
            self._unsynchronised_since = None
        elif self._unsynchronised_since is None:
            self._unsynchronised_since = reading.elapsed_ms
        since, was_well = self._unsynchronised_since, self._told is not False
        if was_well and since is not None and reading.elapsed_ms - since >= after_ms:
            self._told = False
        elif not was_well and reading.synchronised:
            self._told = True
        else:
            return []
        return [{"synchronised": self._told}]
