"""The watch over the base units: who is silent, what is missing, what its equipment says, what many have in common."""

from collections.abc import Iterable

from emcheck.domain.bursts import REMEMBERED, Group
from emcheck.domain.deadlines import Deadlines
from emcheck.domain.findings import Decided, Finding, Span, is_settled
from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.incidents import Incidents
from emcheck.domain.instants import FOREVER
from emcheck.domain.policies import Line
from emcheck.domain.receiving import Receiving
from emcheck.domain.register import Register
from emcheck.domain.roster import Roster
from emcheck.domain.rules import unit_silent
from emcheck.domain.unit import Unit

INCIDENTS = "~ incidents"
"""Their deadline: it comes after all others of the same instant, so that what began by then is known."""


class Watch:
    """Judges units, each at its own instant; `decided` is called with what was found."""

    def __init__(self, roster: Roster, own: Line, deadlines: Deadlines, receiving: Receiving, decided: Decided) -> None:
        self._roster, self._deadlines, self._receiving, self._decided = roster, deadlines, receiving, decided
        self.incidents = Incidents(own, roster.register.installations, roster.units)
        self._explained_anew: set[UnitId] = set()
        self._holey: set[UnitId] = set()

    def wake(self, unit: Unit, now: Ms) -> None:
        """Its instant has come."""
        changed = False
        due = unit.silence_due(now, self._receiving.down)
        if due <= now and self._receiving.stopped_at is None:
            unit.silent_at, changed = due, True
            if unit.last_received_at is not None:
                self.incidents.began(unit_silent.RULE, unit.unit, due, due, now)
                self._arm_incidents()
        if unit.unit in self._explained_anew:
            self._explained_anew.discard(unit.unit)
            unit.explain(self._windows_at(unit), self.incidents)
            changed = True
        self.arm(unit, now)
        if changed or unit.holes or unit.silent_at is not None or unit.is_remarkable():
            self.decide(unit, now)

    def arm(self, unit: Unit, now: Ms) -> None:
        """Look at it when something next changes though nothing comes."""
        due = unit.silence_due(now, self._receiving.down)
        due = min(due, *(at for at in map(unit.open_at, unit.holes) if at > now), FOREVER)
        if unit.silent_at is not None:
            explained = unit.explained(self.incidents)
            due = min(due, *(at for at in unit.silence_steps(self._windows_at(unit), explained) if at > now), FOREVER)
        due = min(due, *unit.equipment_steps(now), FOREVER)
        self._deadlines.arm(unit.woken_as, max(due, now + 1))

    def tell_gaps(self, unit: Unit, now: Ms) -> None:
        """What is missing of it, or what its facts say, may have changed."""
        (self._holey.add if unit.holes else self._holey.discard)(unit.unit)
        self.arm(unit, now)
        self.decide(unit, now)

    def heard(self, unit: Unit, received_at: Ms) -> None:
        """Something came of the unit: a silence ends in receive time."""
        was_silent, never = unit.silent_at is not None, unit.last_received_at is None
        if was_silent:
            unit.silences += (unit.silence(received_at, received_at, self._windows_at(unit), self.incidents),)
            self.incidents.ended(unit_silent.RULE, unit.unit, unit.silent_at or 0, received_at, received_at)
            self._arm_incidents()
            unit.silent_at = None
        unit.last_received_at = received_at
        if was_silent or never:
            self.arm(unit, received_at)
        if was_silent:
            self.decide(unit, received_at)

    def _windows_at(self, unit: Unit) -> list[Span]:
        """Curfew windows of the wearers at the unit's address, as far as they are at hand."""
        addresses = {i.address_id for i in unit.installations}
        return [
            Span(w.start, w.end)
            for case in self._roster.cases_of.get(unit.unit, ())
            for state in case.orders
            for w in state.windows
            if w.address_id in addresses
        ]

    def decide(self, unit: Unit, now: Ms) -> None:
        """Say what holds of it."""
        found = self.findings(unit, now)
        if self.incidents.cuts(unit.unit, found, now):
            self._arm_incidents()
        self._decided(unit.unit, self.incidents.marked(found, now), now, unit.folded_before)

    def judge_incidents(self, now: Ms) -> None:
        """Incidents; units whose troubles are seen otherwise now are looked at this very instant, a few at a time."""
        groups, units = self.incidents.judge(now)
        self.tell_incidents(groups, now)
        self._explained_anew |= units & self._roster.units.keys()
        for name in units & self._roster.units.keys():
            unit = self._roster.units[name]
            self._deadlines.arm(unit.woken_as, max(now, unit.last_received_at or now))
        self._arm_incidents()

    def _arm_incidents(self) -> None:
        self._deadlines.arm(INCIDENTS, self.incidents.due())

    def findings(self, unit: Unit, now: Ms) -> list[Finding]:
        """Everything that holds of one unit and is not settled."""
        found = [*unit.silences, *unit.conflicts, *unit.equipment(now), *unit.gaps(now)]
        if unit.silent_at is not None:
            found.append(unit.silence(None, now, self._windows_at(unit), self.incidents))
        found += unit.refused()
        return [finding for finding in found if not is_settled(finding, unit.folded_before)]

    def with_holes(self) -> list[Unit]:
        """Units of which something is missing that may still come."""
        return [self._roster.units[name] for name in sorted(self._holey)]

    def tell_incidents(self, groups: Iterable[Group], now: Ms) -> None:
        """Say what holds of groups of units."""
        for group in sorted(groups):
            self._decided(str(group), self.incidents.findings(group), now, now - REMEMBERED)

    def amend(self, names: set[UnitId], before: Register, after: Register) -> None:
        """Some units are installed otherwise than before."""
        if names:
            self.incidents.count((i for i in before.installations if i.unit in names), by=-1)
            self.incidents.count(i for i in after.installations if i.unit in names)

    def resume(self, at: Ms) -> None:
        """Units and what was said of them are restored as of `at`."""
        for unit in self._roster.units.values():
            over = [f for f in unit.silences if unit_silent.last_heard_at(f) is not None]
            lasts = unit.silent_at if unit.last_received_at is not None else None
            if over or lasts is not None:
                self.incidents.retell(unit_silent.RULE, unit.unit, lasts, over, at)
        self._arm_incidents()
        self._holey = {name for name, unit in self._roster.units.items() if unit.holes}
