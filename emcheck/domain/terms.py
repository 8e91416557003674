"""How facts are read: what the tracks of a register and policy ask, by the time of each fact (docs/adr/0023)."""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from emcheck.domain.channels import Levels, TagSpan
from emcheck.domain.findings import Span
from emcheck.domain.ids import Ms, TagId
from emcheck.domain.policies import Line, Policies
from emcheck.domain.policy import Policy

Fitted = Callable[[TagId], Iterable[Span]]
"""The fittings of a tag. What is said of a tag that has none stays in the inbox until a register knows it."""

Bias = Callable[[TagId, Ms], float | None]
"""What was measured at the fitting of a tag that began at an instant, degC; None where it was not."""


@dataclass(slots=True, kw_only=True)
class Reading:
    """What one version of the service's own policy says of how facts in `[since, until)` are read."""

    since: Ms
    until: Ms
    vouch_factor: float
    heartbeat_default_ms: Ms
    offset_max_ms: Ms
    leave_ms: Ms
    future_max_ms: Ms
    levels: Levels
    room_within_c: float
    """A skin side so little above ambient follows the room (`worn`, 7)."""
    room_max_c: float
    """A room that is warmer says nothing of it."""

    def vouch_ms(self, heartbeat_ms: Ms | None) -> Ms:
        """How long an event vouches (Presence 2)."""
        return round((heartbeat_ms or self.heartbeat_default_ms) * self.vouch_factor)

    def correction(self, offset_ms: float) -> Ms:
        """A clock's offset as far as it corrects (protocol.md, Clocks)."""
        offset = round(offset_ms)
        return offset if abs(offset) > self.offset_max_ms else 0

    def alike(self, other: "Reading") -> bool:
        """Whether both read a fact in the same way."""
        return replace(self, since=0, until=0) == replace(other, since=0, until=0)


def _reading(policy: Policy, span: Span) -> Reading:
    return Reading(
        since=span.start,
        until=span.end,
        vouch_factor=policy.number("presence.vouch_factor"),
        heartbeat_default_ms=policy.ms("presence.heartbeat_default_s"),
        offset_max_ms=policy.ms("clock.offset_max_s"),
        leave_ms=policy.ms("presence.leave_time_s"),
        future_max_ms=policy.ms("clock.future_max_s"),
        levels=Levels.of(policy),
        room_within_c=policy.number("body.no_motion.room_within_c"),
        room_max_c=policy.number("body.no_motion.room_max_c"),
    )


def _readings(line: Line) -> list[Reading]:
    """In order of time; versions that read facts alike are one."""
    found: list[Reading] = []
    for policy, span in line.spans():
        new = _reading(policy, span)
        if span.start >= span.end:
            continue
        if found and found[-1].alike(new):
            found[-1].until = span.end
        else:
            found.append(new)
    return found


class Terms:
    """What all tracks and cases of a register ask of a service's policies; one value for all of them."""

    __slots__ = ("_readings", "_sinces", "bias_c", "fitted", "future_ms_least", "leave_ms_most", "policies", "tag_span")

    def __init__(self, policies: Policies, tag_span: TagSpan, fitted: Fitted, bias_c: Bias) -> None:
        self.policies = policies
        self.bias_c = bias_c
        self.tag_span = tag_span
        self.fitted = fitted
        self._readings: list[Reading] = []
        self.read_anew()

    def read_anew(self) -> bool:
        """Facts are read by the versions that are published now; whether that is otherwise, at any time.

        A reading that goes on stays the value it was, for tracks hold the one that they are in.
        """
        before, held = repr(self._readings), {reading.since: reading for reading in self._readings}
        self._readings = _readings(self.policies.own)
        for place, reading in enumerate(self._readings):
            old = held.get(reading.since)
            if old is not None and old.alike(reading):
                old.until, self._readings[place] = reading.until, old
        self._sinces = [reading.since for reading in self._readings]
        self.leave_ms_most = max(reading.leave_ms for reading in self._readings)
        self.future_ms_least = min(reading.future_max_ms for reading in self._readings)
        return repr(self._readings) != before

    def at(self, at: Ms) -> Reading:
        """How facts of an instant are read."""
        last = self._readings[-1]
        return last if at >= last.since else self._readings[bisect_right(self._sinces, at) - 1]

    def name(self) -> str:
        """Names how facts are read, whenever: what was folded under another name must be folded anew."""
        return hashlib.sha256(repr(self._readings).encode()).hexdigest()
