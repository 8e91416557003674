"""One base unit's live state: its track, what is missing of it, and when it was last heard by the service."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from emcheck.domain.facts import Event
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import BootId, Ms, UnitId
from emcheck.domain.policy import Policy
from emcheck.domain.register import Installation
from emcheck.domain.rules import evidence, unit_silent
from emcheck.domain.timeline import FOREVER
from emcheck.domain.track import Boot, Track


class Memory(Protocol):
    """The facts as they first came; asked for only when a number comes again or a run must be opened."""

    def original(self, unit: UnitId, boot: BootId, seq: int) -> Event | None:
        """The event that first came under a number; None if none did."""
        ...

    def facts(self, unit: UnitId) -> Iterable[tuple[BootId, int, Event]]:
        """Every fact of a unit, in any order."""
        ...


@dataclass(slots=True)
class Hole:
    """Numbers that are missing since `noticed_at`, and when they were last asked for."""

    boot: BootId
    first: int
    last: int
    noticed_at: Ms
    asked_at: Ms | None = None


@dataclass(slots=True)
class Unit:
    """A unit that stands in the register."""

    unit: UnitId
    installations: tuple[Installation, ...]
    track: Track
    policy: Policy
    last_received_at: Ms | None = None
    latest_boot: BootId | None = None
    silent_at: Ms | None = None
    silences: list[Finding] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    refusals: list[evidence.Refusals] = field(default_factory=list)
    conflicts: list[Finding] = field(default_factory=list)
    early: list[tuple[BootId, int, Event, Ms]] = field(default_factory=list)
    """Events dated too far ahead to be believed, until a clock offset explains them."""

    def heartbeat_allowance_ms(self) -> Ms:
        """How long it may say nothing: 2.2 heartbeats of its latest boot."""
        boot = self.track.boots.get(self.latest_boot) if self.latest_boot is not None else None
        return self.track.vouch_ms(boot or Boot(BootId("")))

    def silence_due(self, now: Ms, down: Sequence[Span]) -> Ms:
        """When it counts as silent if nothing more is received; FOREVER while it is not installed or is silent."""
        if self.silent_at is not None:
            return FOREVER
        installed = next((i for i in self.installations if i.installed_at <= now < (i.removed_at or FOREVER)), None)
        if installed is None:
            later = [i.installed_at for i in self.installations if i.installed_at > now]
            return min(later) + self.heartbeat_allowance_ms() if later else FOREVER
        since = max(self.last_received_at or 0, installed.installed_at)
        return unit_silent.silent_from(since, self.heartbeat_allowance_ms(), down)

    def find_holes(self, now: Ms) -> None:
        """Bring the list of holes up to what the sequence says; what is filled goes."""
        known = {(hole.boot, hole.first, hole.last): hole for hole in self.holes}
        self.holes = [
            known.get((boot.boot, first, last))
            or Hole(boot.boot, first, last, self._noticed(boot.boot, first, last, now))
            for boot in self.track.boots.values()
            for first, last in boot.sequence.holes()
        ]

    def _noticed(self, boot: BootId, first: int, last: int, now: Ms) -> Ms:
        """A hole that shrank or split keeps the time at which it was first noticed."""
        around = (h.noticed_at for h in self.holes if h.boot == boot and h.first <= last and first <= h.last)
        return min(around, default=now)

    def gaps(self, now: Ms) -> list[Finding]:
        """evidence.gap: holes open too long, and numbers declared lost."""
        found = []
        open_ms = self.policy.ms("evidence.gap.open_after_s")
        for hole in self.holes:
            if now - hole.noticed_at >= open_ms:
                boot = self.track.boots[hole.boot]
                found.append(self._gap(boot, (hole.first, hole.last), "open", hole.noticed_at + open_ms))
        for boot in self.track.boots.values():
            found += [self._gap(boot, numbers, "lost", None) for numbers in boot.sequence.missing_for_good()]
        return found

    def _gap(self, boot: Boot, numbers: tuple[int, int], kind: str, raised_at: Ms | None) -> Finding:
        before = [entry for entry in boot.entries if entry.last < numbers[0]]
        after = next((entry for entry in boot.entries if entry.first > numbers[1]), None)
        end = None if after is None else after.start - boot.correction(after.first)
        start = before[-1].end - boot.correction(before[-1].last) if before else (end or raised_at or 0)
        return evidence.gap(
            self.unit, boot.boot, numbers, kind=kind, start=start, end=end,
            raised_at=raised_at if raised_at is not None else (end or start), policy=self.policy,
        )  # fmt: skip

    def refuse(self, reason: str, at: Ms) -> evidence.Refusals:
        """Count refused input; less than `quiet_s` apart it is one run."""
        quiet_ms = self.policy.ms("evidence.rejected.quiet_s")
        for run in reversed(self.refusals):
            if run.reason == reason and at - run.last_at < quiet_ms:
                run.count, run.last_at = run.count + 1, at
                return run
        self.refusals.append(evidence.Refusals(reason, at, at))
        return self.refusals[-1]
