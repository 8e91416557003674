"""Replay: a recorded stream judged as the live service would have judged it (P2)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from emcheck.domain.engine import Engine
from emcheck.domain.findings import Finding, is_settled
from emcheck.domain.fitting.acts import CloseFitting, OpenFitting
from emcheck.domain.fitting.settling import settled
from emcheck.domain.fitting.visits import begun
from emcheck.domain.ids import AddressId, Ms, UnitId, WearerId
from emcheck.domain.instants import FOREVER
from emcheck.domain.instructions import InstructionError, ReportAudit, parse_instruction
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy, PolicyError
from emcheck.domain.register import Register
from emcheck.domain.rules import service_audit
from emcheck.domain.timeline import Stretch
from emcheck.ports import InboxRow
from emcheck.service.history import Recent, Telling
from emcheck.service.intake import take
from emcheck.service.session import Session, plain_found, schedule_of, take_act
from emcheck.service.stream import Line, StreamError
from emcheck.store.spill import SpilledInbox


@dataclass(frozen=True, slots=True)
class Replayed:
    """The findings at `until`, and what the stream held."""

    findings: list[Finding]
    engine: Engine
    until: Ms
    lines: int
    events: int

    def timeline(self, wearer: WearerId, address: AddressId) -> list[Stretch]:
        """A wearer's known time at an address."""
        case = self.engine.cases[wearer]
        return case.timeline(address, {unit: self.engine.units[unit].track for unit in case.units})


class Replay:
    """One replay under way: an engine, and the inbox in a temporary file."""

    def __init__(self, register: Register, policies: Policies) -> None:
        self._inbox = SpilledInbox()
        self._recent = Recent()
        self._standing: dict[str, dict[str, Finding]] = {}
        self._newest: dict[UnitId, int] = {}
        self._row_id = 0
        self._sessions: dict[str, Session] = {}
        self.engine = Engine(register, policies, memory=self._recent, decided=self._decided)
        self.events = 0

    def close(self) -> None:
        """Let go of the inbox."""
        self._inbox.close()

    def _decided(self, subject: str, found: list[Finding], _now: Ms, settled: Ms) -> None:
        before = self._standing.get(subject, {})
        kept = {key: finding for key, finding in before.items() if is_settled(finding, settled)}
        self._standing[subject] = kept | {finding.key: finding for finding in found}

    def take(self, line: Line, where: str) -> None:
        """One line of the stream."""
        if line.kind == "up":
            self._take_message(line)
        elif line.kind == "heard":
            self.engine.heard(UnitId(line.payload), line.received_at)
        elif line.kind == "clock":
            self.engine.tell_clock(line.payload, line.received_at)
        elif line.kind == "service":
            self.engine.service(line.payload, line.received_at)
        else:
            self._instruct(line, f"{where}: instruction")
        if self.engine.wanting:
            self.recall()

    def _take_message(self, line: Line) -> None:
        taken = take(
            self.engine,
            line.topic,
            line.payload,
            line.received_at,
            retained=line.retained,
            remember=self._recent.remember,
        )
        receipt, unit = taken.receipt, taken.unit
        if receipt is None or unit is None:
            return
        self.events += receipt.new
        if receipt.new or receipt.recall or taken.refusals:
            self._row_id += 1
            previous, self._newest[unit] = self._newest.get(unit), self._row_id
            self._inbox.append(InboxRow(self._row_id, line.received_at, "up", unit, previous, line.payload))

    def _instruct(self, line: Line, where: str) -> None:
        try:
            said = self._visit(line)
            self.engine.instruct(said, line.received_at)
            take_act(self._sessions, parse_instruction(said), line.received_at, self._row_id)
            self._audit(line)
        except InstructionError as error:
            raise StreamError(f"{where}.{error}" if error.path else f"{where}: {error}") from None

    def _visit(self, line: Line) -> Any:
        """An act of a fitter's visit with what is found of it, where the stream does not say so."""
        act, roster, at = parse_instruction(line.payload), self.engine.roster, line.received_at
        if isinstance(act, OpenFitting) and act.found is None:
            return line.payload | {"found": begun(roster.visits_after(act, at)[act.session])}
        if not isinstance(act, CloseFitting) or act.found is not None or act.session not in roster.visits:
            return line.payload
        session = self._sessions[act.session]
        unit, opened_row = session.visit.unit, session.rows[0]
        newest = self._newest.get(unit, 0)
        told = self._inbox.history(newest=newest, after=opened_row) if newest > opened_row else []
        found = settled(
            act, session.visit, session.acts, Telling(told), now=at, schedule_of=schedule_of(roster, unit),
            policy=roster.policies.own.then(session.visit.opened_at),
        )  # fmt: skip
        return line.payload | {"found": plain_found(found)}

    def _audit(self, line: Line) -> None:
        """What the auditor found then."""
        act = parse_instruction(line.payload)
        if isinstance(act, ReportAudit):
            standing = self._standing.get(service_audit.SUBJECT, {}).values()
            found = service_audit.judged(
                act, standing, now=line.received_at, policy=self.engine.roster.policies.own.then(line.received_at)
            )
            self._decided(service_audit.SUBJECT, found, line.received_at, -FOREVER)

    def recall(self) -> None:
        """Hand the engine what it wants of the past."""
        for name in list(self.engine.wanting):
            units, wearers = self.engine.roster.around(name)
            standing = {subject: list(self._standing.get(subject, {}).values()) for subject in (*units, *wearers)}
            self.engine.recall(name, {unit: self._telling(unit) for unit in units}, standing)

    def _telling(self, unit: UnitId) -> Telling:
        newest = self._newest.get(unit)
        return Telling([] if newest is None else self._inbox.history(newest=newest, after=0))

    def unfold(self, now: Ms) -> None:
        """All of every wearer's time at hand again, to be drawn."""
        for case in self.engine.cases.values():
            if case.units:
                self.engine.wanting[min(case.units)] = now
                self.recall()

    def findings(self, now: Ms) -> list[Finding]:
        """Every finding, judged at `now`."""
        self.engine.judge_all(now)
        stamp = self.engine.roster.stamp
        return [stamp(finding) for held in self._standing.values() for finding in held.values()]


def replay(
    lines: Iterable[Line],
    register: Register,
    policy: Policy,
    *,
    others: Iterable[Policy] = (),
    until: Ms | None = None,
    name: str = "stream",
    on_line: Callable[[int], None] = lambda number: None,
    whole_timeline: bool = False,
) -> Replayed:
    """Judge the lines received up to `until` (the last line's instant where None). StreamError names a bad line.

    `policy` is the service's own, `others` are further versions of it, and those that orders name.
    """
    policies = Policies(policy, *others)
    if (fault := policies.unpublished(register.orders)) is not None:
        raise PolicyError(f"orders.{fault[0]}.policy: {fault[1]}")
    run = Replay(register, policies)
    try:
        last, count = 0, 0
        for line in lines:
            if until is not None and line.received_at > until:
                continue
            if line.received_at < last:
                raise StreamError(f"{name}: line {line.number}: received_at goes back in time; sort the stream by it")
            last, count = line.received_at, count + 1
            run.take(line, f"{name}: line {line.number}")
            on_line(line.number)
        judged_at = last if until is None else until
        found = run.findings(judged_at)
        if whole_timeline:
            run.unfold(judged_at)
        return Replayed(found, run.engine, judged_at, count, run.events)
    finally:
        run.close()
