"""The decision: facts, instructions and instants in; findings and the next waking instant out.

Pure and synchronous. A replay drives it as the live service does: before a message received at `t`, what was
due before `t` is decided at its own instant; so the same inbox gives the same decisions (P2).

Old nights are folded (`folding`, `Case.fold`): the engine's memory is bounded by people, not by time. A fact that
reaches behind that is noted in `wanting`; whoever feeds the engine then hands it all that the units concerned
ever told (`recall`), and the decision is the same as if nothing had been folded.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from emcheck.domain import incidents, nights
from emcheck.domain.amending import Touched, amended, name_after, touched_by
from emcheck.domain.case import Case
from emcheck.domain.deadlines import Deadlines
from emcheck.domain.facts import Event
from emcheck.domain.findings import Decided, Finding, Span, is_settled
from emcheck.domain.fleet import Fleet
from emcheck.domain.ids import BootId, Ms, UnitId, WearerId
from emcheck.domain.instants import FOREVER, HOUR
from emcheck.domain.instructions import PutPolicy, parse_instruction
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy
from emcheck.domain.publishing import naming_published, new_policy, touched_by_policy
from emcheck.domain.receipt import Receipt, Told
from emcheck.domain.receiving import Receiving
from emcheck.domain.reconciling import Reconciling
from emcheck.domain.register import Register
from emcheck.domain.roster import Roster
from emcheck.domain.rules import fleet_batch, monitoring_not_producing, service_clock, service_undecided
from emcheck.domain.strangers import Strangers
from emcheck.domain.unit import Memory, Unit
from emcheck.domain.watch import INCIDENTS, Watch

FLEET = "~ fleet"
"""Its deadline: like that of incidents it comes after those of cases and units of the same instant."""
_RETRY_MS: Ms = 60_000
"""A case that a rule failed on is tried again after so long, and at its next fact."""


class Engine:
    """All cases and units of one register, `name` its hash where that is known.

    `decided` is called with each subject that was judged anew.
    """

    def __init__(
        self, register: Register, policies: Policies, *, memory: Memory, decided: Decided, name: str | None = None
    ) -> None:
        self.roster = roster = Roster(register, policies, register_sha256=name)
        self._memory = memory
        self._decided = decided
        self.units, self.cases = roster.units, roster.cases
        self._cases_of, self._tied = roster.cases_of, roster.tied
        self._strangers = Strangers(policies.own)
        self.undecided: dict[WearerId, Finding] = {}
        self.wanting: dict[UnitId, Ms] = {}
        """Units whose facts are wanted together, and since when."""
        self.receiving = Receiving()
        self._reconciling = Reconciling(policies.own, self.units, self.receiving, decided)
        self.catching_up: Span | None = None
        """The time the service was down, while what fell due in it is decided."""
        self._deadlines = Deadlines()
        self._watch = Watch(roster, policies.own, self._deadlines, self.receiving, decided)
        self._fleet = Fleet(policies.own, register.fittings)
        self._fleet_anew: set[WearerId] = set()
        self._look_at_all(0)

    def _look_at_all(self, at: Ms) -> None:
        """Every case and unit has a deadline from the beginning, so none is never checked."""
        for subjects in self._tied.values():
            for subject in subjects:
                self._deadlines.arm(subject, at)
        for case in self.cases.values():
            self._deadlines.arm(case.woken_as, at)

    # --- time ---------------------------------------------------------------------------------------------

    def wake_at(self) -> Ms:
        """The next instant at which something could change with no new fact; early is possible, late is not."""
        return self._deadlines.next()

    def look_at(self, wearer: WearerId) -> Ms:
        """When a case is to be judged next though nothing arrives; the whole hours between are derived."""
        return self.cases[wearer].wake_at

    def tick(self, upto: Ms, *, most: int = 1 << 60) -> int:
        """Decide what is due at or before `upto`, each at its own instant, at most `most`; how many were."""
        done = 0
        while done < most and (due := self._deadlines.next()) <= upto:
            _, subject = self._deadlines.pop()
            self._wake(subject, due)
            done += 1
        return done

    def _wake(self, subject: str, now: Ms) -> None:
        kind, name = subject.split(" ", 1)
        if kind == "case":
            self._wake_case(self.cases[WearerId(name)], now)
        elif kind == "unit":
            self._watch.wake(self.units[UnitId(name)], now)
        elif subject == INCIDENTS:
            self._watch.judge_incidents(now)
        else:
            self._judge_fleet(now)

    def _wake_case(self, case: Case, now: Ms) -> None:
        anew = case.wearer_id in self._fleet_anew
        self._fleet_anew.discard(case.wearer_id)
        if not anew and now < case.wake_at and self._reconciling.is_well(case, now):
            self._arm_case(case, now)
        else:
            self._judge(case, now, now)

    def _arm_case(self, case: Case, now: Ms) -> None:
        self._deadlines.arm(case.woken_as, min(case.wake_at, self._reconciling.due(case, now)))

    def service(self, what: str, at: Ms) -> None:
        """The service started, stopped or was alive; at a start, what fell due meanwhile is decided and says so."""
        if what != "started":
            self.tick(at)
            self.receiving.sign(what, at)
            return
        if (stopped_at := self.receiving.stopped_at or self.receiving.last_at) is not None:
            self.tick(min(stopped_at, at))
        outage = self.receiving.sign(what, at)
        if outage is None:
            return
        self.catching_up = outage
        while self._deadlines.next() <= at:
            _, subject = self._deadlines.pop()
            self._wake(subject, at)
        self.catching_up = None

    def tell_clock(self, said: Mapping[str, Any], at: Ms) -> None:
        """The service's own clock was found to be in doubt, or well again; whoever was absent is judged anew."""
        self.tick(at)
        self.receiving.tell_clock(said, at)
        found = [*self.roster.policies.own.judged(partial(service_clock.find, self.receiving.clock))]
        self._decided(service_clock.SUBJECT, found, at, -FOREVER)
        for case in self.cases.values():
            if case.has_absences():
                case.forget_judgement()
                case.wake_at = at + 1
                self._arm_case(case, at)

    # --- facts --------------------------------------------------------------------------------------------

    def receive(
        self, name: UnitId, boot: BootId, first_seq: int, events: Sequence[Event | None], received_at: Ms
    ) -> Receipt:
        """Take in an envelope of an enrolled unit (`None` stands for an event that was refused alone)."""
        self._catch_up(name, received_at)
        unit = self.units[name]
        self._watch.heard(unit, received_at)
        folded = unit.absorb(Told(received_at, boot, first_seq, events), self._memory)
        if folded.recall:
            self.wanting[name] = received_at
        else:
            if folded.renumbered or (folded.changed and unit.is_remarkable()):
                self._watch.tell_gaps(unit, received_at)
            for case in self._cases_of.get(name, ()):
                if folded.changed or case.wearer_id in self.undecided or self._lengthens(case, unit, folded.lengthened):
                    self._judge(case, received_at, min(folded.since, folded.lengthened))
        return Receipt(boot, tuple(folded.refused), folded.new, folded.recall)

    def _lengthens(self, case: Case, unit: Unit, since: Ms) -> bool:
        """Whether time that was only made longer may matter: an absence, of which the last judgement did not know."""
        if case.watching:
            return True
        return since < case.judged_at and (len(case.units) > 1 or not unit.hears_all())

    def recall(
        self, name: UnitId, told: Mapping[UnitId, Sequence[Told]], standing: Mapping[str, Iterable[Finding]]
    ) -> None:
        """Judge a wanting unit on all that it and the units beside it ever told; `standing` are settled findings."""
        now = self.wanting[name]
        self.reopen(name, told, standing)
        units, wearers = self.roster.around(name)
        for wearer in sorted(wearers):
            self._judge(self.cases[wearer], now, -FOREVER)
        for other in sorted(units):  # after the cases: how grave a silence is hangs on their windows
            self._watch.tell_gaps(self.units[other], now)

    def reopen(
        self, name: UnitId, told: Mapping[UnitId, Sequence[Told]], standing: Mapping[str, Iterable[Finding]]
    ) -> None:
        """Unfold a wanting unit, the cases that rest on it and the units beside it; judge nothing yet."""
        now = self.wanting.pop(name)
        units, wearers = self.roster.around(name)
        for case in map(self.cases.__getitem__, wearers):
            case.unfold(f for f in standing.get(case.wearer_id, ()) if is_settled(f, case.settled))
            case.open_until = now + HOUR
        for unit in map(self.units.__getitem__, units):
            unit.remember(f for f in standing.get(unit.unit, ()) if is_settled(f, unit.folded_before))
            unit.rebuild(told[unit.unit], self.roster.track)
            unit.settled = self.roster.asks_before(unit.unit)  # another case on it may still be folded

    # --- a start ------------------------------------------------------------------------------------------

    def absorb(self, name: UnitId, told: Told) -> None:
        """Fold in what was received and decided before a start, and decide nothing."""
        if name in self.units:
            unit = self.units[name]
            unit.last_received_at = told.received_at
            if unit.absorb(told, self._memory).recall:
                self.wanting[name] = told.received_at

    def resume(self, at: Ms, standing: Mapping[str, Iterable[Finding]], due: Iterable[tuple[str, Ms]] = ()) -> None:
        """Facts are as of `at`, the last sign of life, `standing` was said, `due` not decided: look at all anew."""
        for subject, found in standing.items():
            self._remember(subject, list(found))
        self._deadlines.begin(due)
        self._look_at_all(at + 1)
        self._watch.resume(at)
        if self._fleet.is_due:
            self._deadlines.arm(FLEET, at + 1)

    def remember_straps(self, reported: Iterable[Finding]) -> None:
        """Every strap that was ever reported, settled or not: a batch is judged by all of them."""
        for finding in reported:
            if finding.wearer_id in self.cases:
                self._fleet.remember(finding, self.cases[finding.wearer_id].fittings)

    def _remember(self, subject: str, found: list[Finding]) -> None:
        if subject in self.cases:
            self.cases[WearerId(subject)].remember(found)
        elif subject in self.units:
            self.units[UnitId(subject)].remember(found)
        for finding in found:
            if subject not in self.units and finding.rule in Strangers.RULES and finding.end is not None:
                self._strangers.remember(UnitId(subject), finding, finding.end)
            elif finding.rule == monitoring_not_producing.RULE:
                self._reconciling.remember(finding)
            elif finding.rule == service_undecided.RULE and finding.wearer_id is not None:
                self.undecided[finding.wearer_id] = finding
            elif finding.rule == fleet_batch.RULE:
                self._fleet.remember(finding, ())
            elif finding.rule in incidents.RULES.values():
                self._watch.incidents.remember(finding)

    def _catch_up(self, name: UnitId, received_at: Ms) -> None:
        """Before a message of a unit, what was due of whom it may touch is decided, each at its own instant.

        Whom the message does not touch can wait for `tick`: it is judged at its own instant then, on the same facts.
        """
        self.receiving.last_at = received_at
        if self._deadlines.next() >= received_at:
            return
        subjects = self._tied.get(name, ())
        while (due := min(map(self._deadlines.due, subjects), default=FOREVER)) < received_at:
            subject = next(s for s in subjects if self._deadlines.due(s) == due)
            self._deadlines.disarm(subject)
            self._wake(subject, due)

    def acknowledged(self, name: UnitId, boot_id: BootId) -> int:
        """Up to which number a boot is accounted for; 0 where nothing is known of it."""
        boot = self.units[name].track.boots.get(boot_id)
        return 0 if boot is None else boot.sequence.acknowledged()

    def heard(self, name: UnitId, received_at: Ms) -> None:
        """Something came of a unit that brought no fact."""
        self._catch_up(name, received_at)
        if name in self.units:
            self._watch.heard(self.units[name], received_at)

    def refuse(self, name: UnitId, reason: str, what: str, received_at: Ms) -> None:
        """Input was put in quarantine for `what` is wrong with it; count it for its unit, enrolled or not."""
        self._catch_up(name, received_at)
        unit = self.units.get(name)
        if unit is not None:
            if reason != "bad_signature":  # whoever forged it, it is no sign of the unit's life
                self._watch.heard(unit, received_at)
            unit.refuse(reason, what, received_at)
            self._watch.decide(unit, received_at)
            return
        if (begun := self._strangers.refuse(name, reason, what, received_at)) is not None:
            self._decided(begun[0], self._strangers.findings(begun[0]), received_at, begun[1])

    # --- instructions -------------------------------------------------------------------------------------

    def instruct(self, raw: Any, at: Ms, made: Register | None = None) -> Touched:
        """Carry out an instruction that is known from `at`; whom it touched. InstructionError, and nothing is done.

        What was due of them before is decided before, by the register of that time. Where facts must be folded anew,
        a unit is `wanting` after it. `made` is the register that it makes, where that is at hand.
        """
        act, before = parse_instruction(raw), self.roster.register
        if isinstance(act, PutPolicy):
            policy = new_policy(act, self.roster.policies, at)
            return Touched(set(), set()) if policy is None else self._publish(policy, at)
        naming_published(act, self.roster.policies)
        visits, register = self.roster.visits_after(act, at), made or amended(before, act, at)
        touched = touched_by(act, before, register)
        self.receiving.last_at = at
        self._catch_up_with(touched, at)
        self.roster.visits = visits
        self.roster.amend(register, name_after(self.roster.register_sha256, raw, register), touched)
        self._watch.amend(touched.units, before, register)
        if touched.equipment:
            self._fleet.count((f for f in before.fittings if f.wearer_id in touched.wearers), by=-1)
            self._fleet.count(f for f in register.fittings if f.wearer_id in touched.wearers)
        self._cases_of, self._tied = self.roster.cases_of, self.roster.tied
        for name in sorted(touched.units):
            self._deadlines.disarm(f"unit {name}")
            if name in self.units:
                self._deadlines.arm(f"unit {name}", at)
        for wearer in sorted(touched.wearers):
            self._deadlines.disarm(f"case {wearer}")
            case = self.cases.get(wearer)
            if case is not None and case.units and (touched.equipment or case.settled > -FOREVER):
                self.wanting[min(case.units)] = at
            elif case is not None:
                self._judge(case, at, -FOREVER)
                for name in case.units:
                    self._watch.tell_gaps(self.units[name], at)
            else:
                self._reconciling.leave(wearer, at)
        return touched

    def _publish(self, policy: Policy, at: Ms) -> Touched:
        """A policy's new version; whom it touches is judged again at `at`, some of them by the next `tick`."""
        touched = touched_by_policy(policy, self.roster.policies, self.roster.register, at)
        self.receiving.last_at = at
        self._catch_up_with(touched, at, absences=False)
        self.wanting |= dict.fromkeys(sorted(self.roster.publish(policy, touched, at)), at)
        for subject in (*touched.subjects(), *([FLEET] if touched.units else ())):
            self._deadlines.arm(subject, at)
        return touched

    def _catch_up_with(self, touched: Touched, at: Ms, *, absences: bool = True) -> None:
        cases = [self.cases[wearer] for wearer in sorted(touched.wearers) if wearer in self.cases]
        for name in sorted(touched.units.union(*(case.units for case in cases))):
            self._catch_up(name, at)
        for case in cases:
            if (due := self._deadlines.due(case.woken_as)) < at:
                self._deadlines.disarm(case.woken_as)
                self._wake(case.woken_as, due)
            if absences and case.judged_at < at - 1 and case.has_absences(going_on=True):  # what time ended, time ends
                self._judge(case, at - 1, at - 1)

    # --- judging ------------------------------------------------------------------------------------------

    def _judge(self, case: Case, now: Ms, since: Ms) -> None:
        """One case; if a rule fails on it, what was said of it stands, it is alarmed and tried again."""
        wearer = case.wearer_id
        try:
            tracks = {name: self.units[name].track for name in case.units}
            found = case.judge(tracks, now, since, service_clock.doubts(self.receiving.clock))
            found = self._fleet.look(case, found)
            settled = case.settled
            self._reconciling.check(case, now)
            nights.let_go(case, self.roster, now)
        except Exception as error:  # noqa: BLE001 - whatever a rule raises, other cases go on (docs/adr/0004)
            case.forget_judgement()
            self.undecided[wearer] = service_undecided.find(
                wearer, self.undecided.get(wearer), error, now=now, policy=self.roster.policies.own.then(now)
            )
            case.wake_at = now + _RETRY_MS
            self._arm_case(case, now)
            self._decided(service_undecided.subject(wearer), [self.undecided[wearer]], now, -FOREVER)
            return
        if self.undecided.pop(wearer, None) is not None:
            self._decided(service_undecided.subject(wearer), [], now, -FOREVER)
        self._arm_case(case, now)
        self._decided(wearer, found, now, settled)
        if self._fleet.is_due:
            self._deadlines.arm(FLEET, now)

    def _judge_fleet(self, now: Ms) -> None:
        """Straps by batch; whose reports are seen otherwise now is judged anew at this very instant."""
        found, wearers = self._fleet.judge()
        self._tell_fleet(found, now)
        for wearer in wearers & self.cases.keys():
            self._fleet_anew.add(wearer)
            self._deadlines.arm(self.cases[wearer].woken_as, max(now, self.cases[wearer].judged_at))

    def _tell_fleet(self, found: dict[str, list[Finding]], now: Ms) -> None:
        for subject in sorted(found):
            self._decided(subject, found[subject], now, -FOREVER)

    def units_with_holes(self) -> list[Unit]:
        """Units of which something is missing that may still come."""
        return self._watch.with_holes()

    def judge_all(self, now: Ms) -> None:
        """Decide every subject at `now`, which must not lie before what was received."""
        self.tick(now)
        for case in self.cases.values():
            self._judge(case, now, now)
        for unit in self.units.values():
            self._watch.decide(unit, now)
        for name in self._strangers.names():
            self._decided(name, self._strangers.findings(name), now, -FOREVER)
        self._watch.tell_incidents(self._watch.incidents.groups(), now)
        self._tell_fleet(self._fleet.findings(), now)
