"""One base unit's live state: its track, what is missing of it, and when it was last heard by the service."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Protocol

from emcheck.domain import channels, equipment, worn
from emcheck.domain.boots import Boot
from emcheck.domain.facts import Event
from emcheck.domain.findings import Finding, Span, is_settled
from emcheck.domain.folding import FittedSpans, fold
from emcheck.domain.holes import Hole, few, holes_of
from emcheck.domain.ids import BootId, Ms, UnitId
from emcheck.domain.incidents import Incidents
from emcheck.domain.instants import FOREVER
from emcheck.domain.policies import Line
from emcheck.domain.receipt import Folded, Refusal, Told
from emcheck.domain.register import Installation
from emcheck.domain.retelling import Shown, retold, unusable
from emcheck.domain.rules import evidence, unit_silent
from emcheck.domain.track import Track

_TRIES = 3
"""So often a track is folded anew while boots turn out to begin inside each other."""


_NEVER: Mapping[str, Ms] = MappingProxyType({})
_LOOK_BACK = 8
"""Entries in front of a gap among which the latest time is looked for: events dated back are few."""


class Memory(Protocol):
    """The newest facts as they first came; asked when a number comes again."""

    def original(self, unit: UnitId, boot: BootId, seq: int) -> Event | None:
        """The event that first came under a number; None where it is no longer at hand."""
        ...


@dataclass(slots=True)
class Unit:
    """A unit that stands in the register."""

    unit: UnitId
    installations: tuple[Installation, ...]
    track: Track
    own: Line
    last_received_at: Ms | None = None
    latest_boot: BootId | None = None
    silent_at: Ms | None = None
    silences: tuple[Finding, ...] = ()
    holes: tuple[Hole, ...] = ()
    refusals: tuple[evidence.Refusals, ...] = ()
    conflicts: tuple[Finding, ...] = ()
    raised: Mapping[str, Ms] = field(default_factory=lambda: _NEVER)
    """When alerts of its equipment were raised, by the findings' keys."""
    public_key: str | None = None
    settled: Ms = -FOREVER
    """What is told of time before it asks for all facts together: older nights are folded."""
    folded_before: Ms = -FOREVER
    """Findings of the unit that ended before it are left as they were."""
    woken_as: str = field(init=False)
    """The name of its deadline, one text for all who keep it."""

    def __post_init__(self) -> None:
        self.woken_as = f"unit {self.unit}"

    # --- facts --------------------------------------------------------------------------------------------

    def absorb(self, told: Told, memory: Memory) -> Folded:
        """Fold an envelope in. Where `recall` is set the track must be rebuilt from all that was ever told."""
        folded = Folded()
        if told.boot in self.track.settled_boots:
            folded.recall = True
            return folded
        boot = self.track.boot(told.boot)
        if self.latest_boot != told.boot and (not boot.entries or self.latest_boot is None):
            self.latest_boot = told.boot
        received_at, lengthen = told.received_at, self.track.lengthen
        latest = received_at + self.track.terms.future_ms_least
        for seq, event in enumerate(told.events, start=told.first_seq):
            top = boot.top
            if event is None or top is None or not lengthen(boot, seq, event, latest):
                self._fold(boot, seq, event, received_at, folded, memory)
                continue
            folded.new += 1
            folded.lengthened = min(folded.lengthened, top)
        if folded.renumbered:
            self.holes = holes_of(self.track.boots.values(), self.holes, told.received_at)
        if self.track.worn and (since := worn.weigh(self.track)) is not None:
            folded.changed, folded.since = True, min(folded.since, since)
        folded.recall |= folded.since < self.settled or self.track.torn
        return folded

    def _fold(self, boot: Boot, seq: int, event: Event | None, received_at: Ms, folded: Folded, memory: Memory) -> None:
        """One number of an envelope: new, a repeat, refused, or too far ahead to be believed yet."""
        sequence = boot.sequence
        if event is None:
            folded.recall |= seq in sequence.received  # refused once, it is a hole for good (Presence 3)
            sequence.refuse(seq, seq)
            folded.renumbered = True
        elif sequence.refused and seq in sequence.refused:
            return
        elif seq <= (last := sequence.received.last()) and seq in sequence.received:
            folded.recall |= memory.original(self.unit, boot.boot, seq) != event
        elif self._too_early(boot, seq, event, received_at):
            sequence.refuse(seq, seq)
            folded.renumbered = True
            folded.refused.append(Refusal(seq, "impossible_time", "more than 5 min in the future"))
        else:
            folded.new += 1
            folded.renumbered |= (
                seq != last + 1
                or event["type"] in ("boot", "lost")
                or seq <= sequence.declared_last
                or (bool(sequence.lost) and seq in sequence.lost)
            )
            self._add(boot, seq, event, folded)

    def _add(self, boot: Boot, seq: int, event: Event, folded: Folded) -> None:
        top = boot.top
        since = self.track.add(boot, seq, event)
        if since is not None:
            folded.changed = True
            folded.since = min(folded.since, since)
        elif top is not None:
            folded.lengthened = min(folded.lengthened, top)

    def _too_early(self, boot: Boot, seq: int, event: Event, received_at: Ms) -> bool:
        """Whether an event is dated more than 5 min after its receipt (protocol.md, Clocks)."""
        at = event["at"] - self.track.correction(boot, seq, event)
        return at > received_at + self.own.then(received_at).ms("clock.future_max_s")

    def rebuild(self, told: Sequence[Told], new_track: Callable[[], Track]) -> None:
        """Fold all that was ever told anew, by boot and number; one number with two contents is no fact."""
        refused, conflicting = unusable(told)
        for _ in range(_TRIES):
            tags = [known.tag for known in self.track.worn]
            limits, self.track = self.track.know_limits(), new_track()
            self.track.limits = limits
            worn.expect(self.track, tags)
            self._refold(told, refused | conflicting.keys())
            self.track.torn = False
            self.track.know_limits()
            if not self.track.torn and len(tags) == len(self.track.worn):
                break
        self.track.torn = False
        worn.settle_all(self.track)
        self.conflicts = tuple(
            self._conflict(boot, seq, at - self.track.boots[boot].correction(seq))
            for (boot, seq), at in sorted(conflicting.items())
        )

    def _conflict(self, boot: BootId, seq: int, at: Ms) -> Finding:
        return evidence.conflict(self.unit, boot, seq, at=at, policy=self.own.at(at))

    def _refold(self, told: Sequence[Told], unusable: Iterable[tuple[BootId, int]]) -> None:
        self.settled = self.folded_before = -FOREVER
        for boot_id, seq in unusable:
            self.track.boot(boot_id).sequence.refuse(seq, seq)
        shown = Shown(told)
        for boot_id, seq, event, received_at in retold(told):
            boot = self.track.boot(boot_id)
            if seq in boot.sequence.refused:
                continue
            if self._too_early(boot, seq, event, received_at):
                boot.sequence.refuse(seq, seq)
            else:
                self.track.add(boot, seq, event)
                shown.declares(event, received_at)
        self.holes = holes_of(self.track.boots.values(), self.holes, shown)

    @property
    def firmware(self) -> str:
        """What its newest boot said that it runs; empty where it did not say."""
        return "" if self.track.newest is None else self.track.newest.firmware

    def knows(self, boot_id: BootId, first_seq: int, count: int) -> bool:
        """Whether every number of an envelope has come before, so that it brings nothing new."""
        boot = self.track.boots.get(boot_id)
        return boot is not None and boot.sequence.received.covers(first_seq, first_seq + count - 1)

    def hears_all(self) -> bool:
        """Whether every tag that its newest boot spoke of is in range."""
        newest = self.track.newest
        return newest is not None and all(present for present, _, _ in newest.current.values())

    # --- silence ------------------------------------------------------------------------------------------

    def heartbeat_allowance_ms(self, since: Ms) -> Ms:
        """How long it may say nothing from an instant on: 2.2 heartbeats of its latest boot."""
        boot = self.track.boots.get(self.latest_boot) if self.latest_boot is not None else None
        return self.track.vouch_ms(boot or Boot(BootId("")), since)

    def silence_due(self, now: Ms, down: Sequence[Span]) -> Ms:
        """When it counts as silent if nothing more is received; FOREVER while it is not installed or is silent."""
        if self.silent_at is not None:
            return FOREVER
        installed = next((i for i in self.installations if i.installed_at <= now < (i.removed_at or FOREVER)), None)
        if installed is None:
            later = [i.installed_at for i in self.installations if i.installed_at > now]
            return min(later) + self.heartbeat_allowance_ms(min(later)) if later else FOREVER
        since = max(self.last_received_at or 0, installed.installed_at)
        return unit_silent.silent_from(since, self.heartbeat_allowance_ms(since), down)

    def was_silent(self, at: Ms) -> bool:
        """Whether it counted as silent just before an instant."""
        if self.silent_at is not None and self.silent_at < at:
            return True
        return any(f.start < at and (f.end is None or at <= f.end) for f in self.silences)

    def silence(self, end: Ms | None, now: Ms, windows: Sequence[Span], incidents: Incidents) -> Finding:
        """Its silence, until `end` or still going on; `windows` are the curfew windows at its address."""
        return self._silence(self.silent_at or 0, end, now, self.last_received_at, windows, incidents)

    def _silence(
        self, start: Ms, end: Ms | None, now: Ms, heard_at: Ms | None, windows: Sequence[Span], incidents: Incidents
    ) -> Finding:
        until = now if end is None else end
        return unit_silent.find(
            self.unit, start, end, now=now, last_heard_at=heard_at,
            windows=[window for window in windows if window.end > start and window.start < until],
            earlier=[f.start for f in self.silences if f.start < start and f.incident is None],
            policy=self.own.then(start),
            explained=None if heard_at is None else incidents.explained(unit_silent.RULE, self.unit, start),
        )  # fmt: skip

    def explained(self, incidents: Incidents) -> unit_silent.Explained | None:
        """What accounts for the silence that goes on."""
        if self.silent_at is None or self.last_received_at is None:
            return None
        return incidents.explained(unit_silent.RULE, self.unit, self.silent_at)

    def explain(self, windows: Sequence[Span], incidents: Incidents) -> None:
        """Incidents changed: see the silences that are over anew."""
        self.silences = tuple(
            self._silence(f.start, f.end, f.end or 0, unit_silent.last_heard_at(f), windows, incidents)
            if incidents.explained(unit_silent.RULE, self.unit, f.start) is not None
            else f
            for f in self.silences
        )

    def silence_steps(self, windows: Sequence[Span], explained: unit_silent.Explained | None) -> list[Ms]:
        """Instants at which its silence may rise in priority."""
        policy = self.own.then(self.silent_at or 0)
        start = self.silent_at or 0 if explained is None else max(self.silent_at or 0, explained.until)
        last = (self.silent_at or 0) + policy.ms("unit.silent.long_after_s")
        steps = [last]
        for window in windows:
            if window.end > start and window.start < last:
                at = max(window.start, start)
                steps += [at + 1, at + policy.ms("unit.silent.curfew_long_after_s")]
        return [*steps, FOREVER]

    def gaps(self, now: Ms) -> list[Finding]:
        """evidence.gap: holes open too long, and numbers declared lost."""
        found: list[Finding | None] = []
        for hole in self.holes:
            if now >= (open_at := self.open_at(hole)):
                boot = self.track.boots[hole.boot]
                found.append(self._gap(boot, (hole.first, hole.last), "open", open_at))
        for boot in self.track.boots.values():
            lost = few(boot.sequence.missing_for_good())
            found += [self._gap(boot, numbers, "lost", None) for numbers in lost]
        return [gap for gap in found if gap is not None]

    def open_at(self, hole: Hole) -> Ms:
        """When a hole that is not filled becomes a gap."""
        return hole.noticed_at + self.own.then(hole.noticed_at).ms("evidence.gap.open_after_s")

    def _gap(self, boot: Boot, numbers: tuple[int, int], kind: str, raised_at: Ms | None) -> Finding | None:
        """A gap between its neighbours, or up to the next boot; None where both are folded, and so it is settled."""
        if boot.began_at is not None and numbers[1] < boot.entries[0].first:
            return None
        place = bisect_left(boot.entries, numbers[0], key=lambda entry: entry.first)
        before = [
            at
            for entry in boot.entries[max(0, place - _LOOK_BACK) : place]
            if (at := entry.end - boot.correction(entry.first)) <= boot.limit
        ]
        after = boot.entries[place] if place < len(boot.entries) else None
        end = self._next_boot_at(boot) if after is None else after.start - boot.correction(after.first)
        start = max(before) if before else (end or raised_at or 0)
        return evidence.gap(
            self.unit, boot.boot, numbers, kind=kind, start=start, end=end,
            raised_at=raised_at if raised_at is not None else (end or start),
            periodic_only=boot.sequence.bridged(*numbers), policy=self.own.at(start),
        )  # fmt: skip

    def _next_boot_at(self, boot: Boot) -> Ms | None:
        order = self.track.in_order()
        place = order.index(boot) + 1 if boot in order else len(order)
        return order[place].first_at() if place < len(order) else None

    # --- equipment ----------------------------------------------------------------------------------------

    def is_remarkable(self) -> bool:
        """Whether its facts say more than presence; nearly never."""
        track = self.track
        return channels.speaks(track) or (len(track.boots) > 1 and any(evidence.overtaken(track)))

    def equipment(self, now: Ms) -> list[Finding]:
        """What its facts say of the unit itself and of its record, each with when it was first seen."""
        if not self.raised and not self.is_remarkable():
            return []
        found = [*self.own.judged(partial(evidence.older_boots, self.unit, self.track, now))]
        found += equipment.findings(self.unit, self.track, self._installed(), now, self.own)
        if found or self.raised:
            self.raised = {f.key: self.raised.get(f.key, now) for f in found}
        return [replace(finding, raised_at=self.raised[finding.key]) for finding in found]

    def equipment_steps(self, now: Ms) -> Iterable[Ms]:
        """Instants at which that may change though nothing more is told."""
        if not self.is_remarkable():
            return []
        steps = [*equipment.steps(self.unit, self.track, self._installed(), now, self.own)]
        for boot, beyond in evidence.overtaken(self.track):
            steps += [at for entry in beyond if (at := entry.start - boot.correction(entry.first)) > now]
        return steps

    def _installed(self) -> list[Span]:
        return [Span(i.installed_at, i.removed_at or FOREVER) for i in self.installations]

    # --- findings that run in receive time ----------------------------------------------------------------

    def refuse(self, reason: str, what: str, at: Ms) -> evidence.Refusals:
        """Count refused input; less than `quiet_s` apart it is one run."""
        quiet_ms = self.own.then(at).ms("evidence.rejected.quiet_s")
        for run in reversed(self.refusals):
            if run.reason == reason and at - run.last_at < quiet_ms:
                run.count, run.last_at = run.count + 1, at
                return run
        self.refusals += (evidence.Refusals(reason, at, at, what=what),)
        return self.refusals[-1]

    def refused(self) -> list[Finding]:
        """Each run of refused input, by the version in force when it began."""
        return [
            evidence.refused(evidence.REJECTED, self.unit, run, self.own.then(run.first_at)) for run in self.refusals
        ]

    def fold(self, before: Ms, settled: Ms, fitted: FittedSpans) -> None:
        """Fold its track before `before`; let go of findings that ended then, save silences that still count."""
        deeper, self.folded_before, self.settled = before > self.folded_before, before, settled
        within_ms = self.own.most_ms("unit.silent.repeat_within_s")
        self.silences = tuple(f for f in self.silences if f.end is None or f.end > before - within_ms)
        self.conflicts = tuple(f for f in self.conflicts if not is_settled(f, before))
        self.refusals = tuple(run for run in self.refusals if run.last_at > before)
        if deeper:
            fold(self.track, before, fitted)

    def remember(self, standing: Iterable[Finding]) -> None:
        """Take back findings in receive time that were let go; facts do not tell them again."""
        silent, refused = {f.start for f in self.silences}, {(run.reason, run.first_at) for run in self.refusals}
        for finding in standing:
            from_facts = finding.rule in equipment.RULES or finding.class_ == evidence.OLDER_BOOT
            if from_facts and finding.raised_at is not None:
                self.raised = {**self.raised, finding.key: finding.raised_at}
            elif finding.end is None:
                self.silent_at = finding.start if finding.rule == unit_silent.RULE else self.silent_at
            elif finding.rule == unit_silent.RULE and finding.start not in silent:
                self.silences += (finding,)
            elif finding.rule == evidence.CONFLICT and finding not in self.conflicts:
                self.conflicts += (finding,)
            elif finding.rule == evidence.REJECTED and (finding.class_, finding.start) not in refused:
                self.refusals += (evidence.remembered(finding, finding.end),)
        self.silences = tuple(sorted(self.silences, key=lambda f: f.start))
        self.refusals = tuple(sorted(self.refusals, key=lambda run: run.first_at))
