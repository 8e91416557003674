"""The decision: facts, instructions and instants in; findings and the next waking instant out.

Pure and synchronous. A replay drives it as the live service does: before a message received at `t`, what was
due before `t` is decided at its own instant; so the same inbox gives the same decisions (P2).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from emcheck.domain.case import Case
from emcheck.domain.deadlines import Deadlines
from emcheck.domain.facts import Event
from emcheck.domain.findings import Finding, Span
from emcheck.domain.ids import BootId, Ms, TagId, UnitId, WearerId
from emcheck.domain.policy import Policy
from emcheck.domain.receipt import Folded, Receipt, Refusal
from emcheck.domain.register import AuthorisedAbsence, Fitting, Installation, Order, Register
from emcheck.domain.rules import evidence, unit_silent
from emcheck.domain.timeline import FOREVER
from emcheck.domain.track import Boot, Track
from emcheck.domain.unit import Memory, Unit

_UNKNOWN_UNITS_MAX = 1000
"""So many unenrolled senders are told apart; what comes from more is counted together."""
OTHERS = UnitId("(others)")


class Engine:
    """All cases and units of one register. `decided` is called with each subject judged anew and its findings."""

    def __init__(
        self,
        register: Register,
        policy: Policy,
        *,
        memory: Memory,
        decided: Callable[[str, list[Finding], Ms], None] = lambda subject, findings, now: None,
    ) -> None:
        self.policy = policy
        self._memory = memory
        self._decided = decided
        self.units: dict[UnitId, Unit] = {}
        self.cases: dict[WearerId, Case] = {}
        self._cases_of: dict[UnitId, list[Case]] = {}
        self._holey: set[UnitId] = set()
        self.unknown: dict[UnitId, list[evidence.Refusals]] = {}
        self.down: list[Span] = []
        self.catching_up: Span | None = None
        """The time the service was down, while what fell due in it is decided."""
        self._stopped_at: Ms | None = None
        self._last_at: Ms | None = None
        self._deadlines = Deadlines()
        self.load(register)

    def load(self, register: Register) -> None:
        """Put a register in force; facts are kept by whoever calls, who plays them in again."""
        self.register = register
        self._register_sha256 = register.sha256()
        fittings: dict[TagId, list[Fitting]] = {}
        for fitting in register.fittings:
            fittings.setdefault(fitting.tag, []).append(fitting)
        self._tag_edges = {
            tag: sorted({e for f in fitted for e in (f.fitted_at, f.removed_at or FOREVER)})
            for tag, fitted in fittings.items()
        }
        self._installed: dict[UnitId, list[Installation]] = {}
        for installation in register.installations:
            self._installed.setdefault(installation.unit, []).append(installation)
        self.units = {unit: self._new_unit(unit) for unit in sorted(self._installed)}
        self._load_cases()

    def _new_unit(self, unit: UnitId) -> Unit:
        return Unit(unit, tuple(self._installed[unit]), self.new_track(), self.policy)

    def new_track(self) -> Track:
        """An empty track under this policy and register."""
        return Track(
            tag_span=self._tag_span,
            vouch_factor=self.policy.number("presence.vouch_factor"),
            heartbeat_default_ms=self.policy.ms("presence.heartbeat_default_s"),
            offset_max_ms=self.policy.ms("clock.offset_max_s"),
        )

    def _load_cases(self) -> None:
        self.cases, self._cases_of = {}, {}
        addresses: dict[str, list[Installation]] = {}
        for installation in self.register.installations:
            addresses.setdefault(installation.address_id, []).append(installation)
        orders: dict[WearerId, list[Order]] = {}
        fitted: dict[WearerId, list[Fitting]] = {}
        for order in self.register.orders:
            orders.setdefault(order.wearer_id, []).append(order)
        for fitting in self.register.fittings:
            fitted.setdefault(fitting.wearer_id, []).append(fitting)
        for wearer, made in orders.items():
            wanted = {r.address_id for o in made for c in (o.curfew, *(v.curfew for v in o.variations)) for r in c}
            here = [i for address in sorted(wanted) for i in addresses.get(address, [])]
            case = self.cases[wearer] = Case(wearer, made, fitted.get(wearer, ()), here, self.policy)
            for unit in case.units:
                self._cases_of.setdefault(unit, []).append(case)
            self._deadlines.arm(f"case {wearer}", 0)
        for name in self.units:
            self._deadlines.arm(f"unit {name}", 0)

    def _tag_span(self, tag: TagId, at: Ms) -> tuple[Ms, Ms]:
        low, high = -FOREVER, FOREVER
        for edge in self._tag_edges.get(tag, ()):
            if edge <= at:
                low = edge
            else:
                high = edge
                break
        return low, high

    def wake_at(self) -> Ms:
        """The next instant at which something could change with no new fact; early is possible, late is not."""
        return self._deadlines.next()

    def tick(self, upto: Ms, *, most: int = 1 << 60) -> int:
        """Decide what is due at or before `upto`, each at its own instant, at most `most`; how many were."""
        done = 0
        while done < most and (due := self.wake_at()) <= upto:
            _, subject = self._deadlines.pop()
            self._wake(subject, due)
            done += 1
        return done

    def _wake(self, subject: str, now: Ms) -> None:
        kind, name = subject.split(" ", 1)
        if kind == "case":
            self._judge(self.cases[WearerId(name)], now, now)
        else:
            self._wake_unit(self.units[UnitId(name)], now)

    def _judge(self, case: Case, now: Ms, since: Ms) -> None:
        tracks = {unit: self.units[unit].track for unit in case.units}
        found = case.judge(tracks, now, since)
        self._deadlines.arm(f"case {case.wearer_id}", case.wake_at)
        self._decided(case.wearer_id, [replace(f, register=self._register_sha256) for f in found], now)

    def _wake_unit(self, unit: Unit, now: Ms) -> None:
        changed = False
        due = unit.silence_due(now, self.down)
        if due <= now and self._stopped_at is None:
            unit.silent_at, changed = due, True
            for case in self._cases_of.get(unit.unit, ()):
                self._judge(case, now, now)
        self._arm_unit(unit, now)
        if changed or unit.holes:
            self._decided(unit.unit, self.unit_findings(unit, now), now)

    def _arm_unit(self, unit: Unit, now: Ms) -> None:
        due = unit.silence_due(now, self.down)
        open_ms = self.policy.ms("evidence.gap.open_after_s")
        for hole in unit.holes:
            if hole.noticed_at + open_ms > now:
                due = min(due, hole.noticed_at + open_ms)
        if unit.silent_at is not None:
            due = min(due, *(at for at in self._silence_steps(unit) if at > now), FOREVER)
        self._deadlines.arm(f"unit {unit.unit}", max(due, now + 1))

    def _silence_steps(self, unit: Unit) -> list[Ms]:
        """Instants at which an open silence may rise in priority."""
        start = unit.silent_at or 0
        steps = [start + self.policy.ms("unit.silent.long_after_s")]
        for window in self.windows_at(unit, start, start + self.policy.ms("unit.silent.long_after_s")):
            at = max(window.start, start)
            steps += [at + 1, at + self.policy.ms("unit.silent.curfew_long_after_s")]
        return [*steps, FOREVER]

    def receive(
        self, name: UnitId, boot_id: BootId, first_seq: int, events: Iterable[Event | None], received_at: Ms
    ) -> Receipt:
        """Take in an envelope of an enrolled unit (`None` stands for an event that was refused alone)."""
        self.tick(received_at - 1)
        self._last_at = received_at
        unit = self.units[name]
        self.heard(unit, received_at)
        boot = unit.track.boot(boot_id)
        if unit.latest_boot != boot_id and (not boot.entries or unit.latest_boot is None):
            unit.latest_boot = boot_id
        folded = Folded()
        for seq, event in enumerate(events, start=first_seq):
            self._fold(unit, boot, seq, event, received_at, folded)
        if unit.early and folded.changed:
            self._believe(unit)
        if not folded.in_order or unit.holes or (folded.changed and len(unit.track.boots) > 1):
            unit.find_holes(received_at)
            (self._holey.add if unit.holes else self._holey.discard)(name)
            self._arm_unit(unit, received_at)
            self._decided(name, self.unit_findings(unit, received_at), received_at)
        if folded.conflict:
            self._rebuild(unit)
        for case in self._cases_of.get(name, ()):
            if folded.changed or case.watching:
                self._judge(case, received_at, folded.since)
        acknowledged = unit.track.boots[boot_id].sequence.acknowledged()
        return Receipt(boot_id, acknowledged, tuple(folded.refused), folded.new, folded.conflict)

    def _fold(self, unit: Unit, boot: Boot, seq: int, event: Event | None, received_at: Ms, folded: Folded) -> None:
        """One number of an envelope: new, a repeat, refused, or too far ahead to be believed yet."""
        sequence = boot.sequence
        if event is None:
            sequence.refused.add(seq, seq)
            folded.in_order = False
        elif seq in sequence.refused:
            return
        elif seq <= sequence.received.last() and seq in sequence.received:
            if self._repeated(unit, boot, seq, event):
                folded.conflict = folded.changed = True
                folded.since = 0
        elif event["at"] - boot.correction(seq) > received_at + self.policy.ms("clock.future_max_s"):
            unit.early.append((boot.boot, seq, event, received_at))
            sequence.refused.add(seq, seq)
            folded.refused.append(Refusal(seq, "impossible_time", "more than 5 min in the future"))
        else:
            late = seq != sequence.received.last() + 1
            folded.new += 1
            folded.in_order &= not late
            if unit.track.add(boot, seq, event):
                folded.changed = True
                reaches_back = 0 if late or event["type"] == "lost" else _reaches_back(event, boot.correction(seq))
                folded.since = min(folded.since, reaches_back)

    def knows(self, name: UnitId, boot_id: BootId, first_seq: int, count: int) -> bool:
        """Whether every number of an envelope has come before, so that it brings nothing new."""
        boot = self.units[name].track.boots.get(boot_id)
        return boot is not None and boot.sequence.received.covers(first_seq, first_seq + count - 1)

    def heard(self, unit: Unit, received_at: Ms) -> None:
        """Something came of the unit: a silence ends in receive time."""
        if unit.silent_at is not None:
            ended = self._silence(unit, received_at, received_at)
            unit.silences.append(ended)
            unit.silent_at = None
            unit.last_received_at = received_at
            self._arm_unit(unit, received_at)
            self._decided(unit.unit, self.unit_findings(unit, received_at), received_at)
        elif unit.last_received_at is None:
            unit.last_received_at = received_at
            self._arm_unit(unit, received_at)
        unit.last_received_at = received_at

    def _repeated(self, unit: Unit, boot: Boot, seq: int, event: Event) -> bool:
        """A number came again: equal is harmless, different is a conflict and makes it a hole for good."""
        if self._memory.original(unit.unit, boot.boot, seq) == event:
            return False
        unit.track.forget(boot, seq)
        at = event["at"] - boot.correction(seq)
        unit.conflicts.append(evidence.conflict(unit.unit, boot.boot, seq, at=at, policy=self.policy))
        return True

    def _rebuild(self, unit: Unit) -> None:
        """Fold a unit's facts anew: a number inside a run has become a hole."""
        old, unit.track = unit.track, self.new_track()
        for boot in old.boots.values():
            fresh = unit.track.boot(boot.boot)
            for start, end in boot.sequence.refused:
                fresh.sequence.refused.add(start, end)
        for boot_id, seq, event in sorted(self._memory.facts(unit.unit), key=lambda fact: fact[:2]):
            boot = unit.track.boot(boot_id)
            if seq not in boot.sequence.refused and seq in old.boot(boot_id).sequence.received:
                unit.track.add(boot, seq, event)

    def _believe(self, unit: Unit) -> None:
        """Events dated too far ahead are judged again once a clock offset may explain them."""
        waiting, unit.early = unit.early, []
        for boot_id, seq, event, received_at in waiting:
            boot = unit.track.boots[boot_id]
            if event["at"] - boot.correction(seq) > received_at + self.policy.ms("clock.future_max_s"):
                unit.early.append((boot_id, seq, event, received_at))
            else:
                boot.sequence.refused.discard(seq)
                unit.track.add(boot, seq, event)

    def refuse(self, name: UnitId, reason: str, received_at: Ms) -> None:
        """Input was put in quarantine; count it for its unit, enrolled or not."""
        self.tick(received_at - 1)
        unit = self.units.get(name)
        if unit is not None:
            self.heard(unit, received_at)
            unit.refuse(reason, received_at)
            self._decided(name, self.unit_findings(unit, received_at), received_at)
            return
        if name not in self.unknown and len(self.unknown) >= _UNKNOWN_UNITS_MAX:
            name = OTHERS
        runs = self.unknown.setdefault(name, [])
        quiet_ms = self.policy.ms("evidence.unknown_device.quiet_s")
        if runs and received_at - runs[-1].last_at < quiet_ms:
            runs[-1].count, runs[-1].last_at = runs[-1].count + 1, received_at
        else:
            runs.append(evidence.Refusals("not_enrolled", received_at, received_at))
            self._decided(name, self._unknown_findings(name), received_at)

    def service(self, what: str, at: Ms) -> None:
        """The service started, stopped or was alive: silence counts only time in which it was receiving."""
        if what == "started":
            self._start(at)
        else:
            self.tick(at)
            self._stopped_at = at if what == "stopped" else None
        self._last_at = at

    def _start(self, at: Ms) -> None:
        """Catch up: what fell due while the service was down is decided now, and says so.

        A start without a stop is a crash; the last sign of life is then taken for the stop.
        """
        stopped_at = self._last_at if self._stopped_at is None else self._stopped_at
        self._stopped_at = None
        if stopped_at is None:
            self.down.append(Span(0, at))  # before its first start the service received nothing
            return
        if stopped_at >= at:
            return
        self.tick(stopped_at)
        self.down.append(Span(stopped_at, at))
        self.catching_up = Span(stopped_at, at)
        while self.wake_at() <= at:
            _, subject = self._deadlines.pop()
            self._wake(subject, at)
        self.catching_up = None

    def authorise(self, order_id: str, absence: AuthorisedAbsence, at: Ms) -> None:
        """An authorised absence is known from `at`; the totals are revised, the record of the absence stays."""
        self.tick(at - 1)
        for case in self.cases.values():
            for state in case.orders:
                if state.order.order_id == order_id:
                    known = (*state.order.authorised_absences, absence)
                    case.vary(state, state.order.model_copy(update={"authorised_absences": known}))
                    self._judge(case, at, 0)
                    return
        raise KeyError(order_id)

    def windows_at(self, unit: Unit, start: Ms, end: Ms) -> list[Span]:
        """Curfew windows of the wearers at the unit's address that touch `[start, end)`."""
        addresses = {i.address_id for i in unit.installations}
        return [
            Span(w.start, w.end)
            for case in self._cases_of.get(unit.unit, ())
            for state in case.orders
            for w in state.windows
            if w.address_id in addresses and w.end > start and w.start < end
        ]

    def _silence(self, unit: Unit, end: Ms | None, now: Ms) -> Finding:
        start = unit.silent_at or 0
        return unit_silent.find(
            unit.unit, start, end, now=now, windows=self.windows_at(unit, start, end or now),
            earlier=[f.start for f in unit.silences], policy=self.policy,
        )  # fmt: skip

    def unit_findings(self, unit: Unit, now: Ms) -> list[Finding]:
        """Everything that holds of one unit."""
        found = [*unit.silences, *unit.conflicts, *unit.gaps(now)]
        if unit.silent_at is not None:
            found.append(self._silence(unit, None, now))
        return found + [evidence.refused(evidence.REJECTED, unit.unit, run, self.policy) for run in unit.refusals]

    def _unknown_findings(self, name: UnitId) -> list[Finding]:
        return [evidence.refused(evidence.UNKNOWN_DEVICE, name, run, self.policy) for run in self.unknown[name]]

    def has_holes(self) -> bool:
        """Whether anything is missing that may still come."""
        return bool(self._holey)

    def units_with_holes(self) -> list[Unit]:
        """Units of which something is missing that may still come."""
        return [self.units[name] for name in sorted(self._holey)]

    def findings(self, now: Ms) -> list[Finding]:
        """Every finding, judged at `now`, which must not lie before what was received."""
        self.tick(now)
        return [finding for found in self.all_findings(now).values() for finding in found]

    def all_findings(self, now: Ms) -> dict[str, list[Finding]]:
        """Every finding by subject, judged at `now`; what falls due by then must have been decided."""
        found: dict[str, list[Finding]] = {}
        for case in self.cases.values():
            tracks = {unit: self.units[unit].track for unit in case.units}
            found[case.wearer_id] = case.judge(tracks, now, 0)
            self._deadlines.arm(f"case {case.wearer_id}", case.wake_at)
        found |= {unit.unit: self.unit_findings(unit, now) for unit in self.units.values()}
        found |= {name: self._unknown_findings(name) for name in self.unknown}
        return {
            subject: [replace(finding, register=self._register_sha256) for finding in held]
            for subject, held in found.items()
        }


def _reaches_back(event: Event, correction: Ms) -> Ms:
    """The earliest instant about which an event says something new."""
    heard_at = event.get("last_heard_at") if event["type"] == "presence" else None
    return (min(event["at"], heard_at) if isinstance(heard_at, int) else event["at"]) - correction
