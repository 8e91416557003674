"""What a register means to the engine: cases, units, and when each tag is on whose limb."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from emcheck.domain.amending import Touched, addresses
from emcheck.domain.case import Case
from emcheck.domain.findings import Finding, Span
from emcheck.domain.fitting.visits import NO_VISITS, Visits, visits_after
from emcheck.domain.ids import AddressId, Ms, TagId, UnitId, WearerId
from emcheck.domain.instants import FOREVER
from emcheck.domain.instructions import Instruction
from emcheck.domain.policies import Policies
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting, Installation, Order, Register, public_key_of
from emcheck.domain.terms import Terms
from emcheck.domain.track import Track
from emcheck.domain.unit import Unit


class Roster:
    """One register under a service's policies: its cases and units, and which rest on which."""

    def __init__(self, register: Register, policies: Policies, *, register_sha256: str | None = None) -> None:
        self.register = register
        self.policies = policies
        self.register_sha256 = register_sha256 or register.sha256()
        """What the register is called in findings."""
        self.visits = NO_VISITS
        """Fitters' visits that are open."""
        self.terms = Terms(policies, self.tag_span, self.fitted, self.bias_c)
        self._fitted: dict[TagId, tuple[Span, ...]] = {}
        self._bias_c: dict[tuple[TagId, Ms], float] = {}
        self._note_fittings(self.register.fittings)
        self.units: dict[UnitId, Unit] = {}
        self.cases: dict[WearerId, Case] = {}
        self._make_units()
        self._make_cases()
        self.cases_of: dict[UnitId, tuple[Case, ...]] = {}
        self.tied: dict[UnitId, tuple[str, ...]] = {}
        self._tie(self.cases.values(), self.units)

    def _note_fittings(self, fittings: Iterable[Fitting]) -> None:
        for fitting in fittings:
            if fitting.body_bias_c is not None:
                self._bias_c[fitting.tag, fitting.fitted_at] = fitting.body_bias_c
            span = Span(fitting.fitted_at, fitting.removed_at or FOREVER)
            self._fitted[fitting.tag] = (*self._fitted.get(fitting.tag, ()), span)

    def fitted(self, tag: TagId) -> Iterable[Span]:
        """The fittings of a tag."""
        return self._fitted.get(tag, ())

    def bias_c(self, tag: TagId, fitted_at: Ms) -> float | None:
        """What the tag's skin side reads above ambient when both are equally warm, as measured at a fitting."""
        return self._bias_c.get((tag, fitted_at))

    def tag_span(self, tag: TagId, at: Ms) -> tuple[Ms, Ms]:
        """The stretch between two edges of the tag's fittings that `at` lies in."""
        edges = [edge for span in self._fitted.get(tag, ()) for edge in span]
        low = max((edge for edge in edges if edge <= at), default=-FOREVER)
        high = min((edge for edge in edges if edge > at), default=FOREVER)
        return low, high

    def track(self) -> Track:
        """An empty track."""
        return Track(self.terms)

    def visits_after(self, act: Instruction, at: Ms) -> Visits:
        """The open visits after an act; InstructionError where it has no place in them."""
        most_ms = self.policies.own.then(at).ms("fitting.session.most_s")
        return visits_after(self.visits, act, self.register, at, most_ms=most_ms)

    def signatures_required(self, at: Ms) -> bool:
        """Whether what is received at an instant must be signed."""
        return self.policies.own.then(at).flag("wire.signature.required")

    def _unit(self, name: UnitId, installed: Iterable[Installation]) -> Unit:
        """An empty unit."""
        here = tuple(installed)
        return Unit(name, here, self.track(), self.policies.own, public_key=public_key_of(here))

    def _make_units(self) -> None:
        """A unit for each that is installed, by name."""
        installed: dict[UnitId, list[Installation]] = {}
        for installation in self.register.installations:
            installed.setdefault(installation.unit, []).append(installation)
        for name in sorted(installed):
            self.units[name] = self._unit(name, installed[name])

    def _make_cases(self) -> None:
        """A case for each wearer with an order."""
        installed: dict[str, list[Installation]] = {}
        for installation in self.register.installations:
            installed.setdefault(installation.address_id, []).append(installation)
        orders: dict[WearerId, list[Order]] = {}
        fitted: dict[WearerId, list[Fitting]] = {}
        for order in self.register.orders:
            orders.setdefault(order.wearer_id, []).append(order)
        for fitting in self.register.fittings:
            fitted.setdefault(fitting.wearer_id, []).append(fitting)
        for wearer, made in orders.items():
            wanted = set[AddressId]().union(*map(addresses, made))
            here = [i for address in sorted(wanted) for i in installed.get(address, [])]
            self.cases[wearer] = Case(wearer, made, fitted.get(wearer, ()), here, self.terms)

    def _tie(self, cases: Collection[Case], units: Mapping[UnitId, Unit]) -> None:
        """Know which of some cases rest on which of their units, and whom a unit's facts may touch."""
        for case in cases:
            for name in case.units:
                self.cases_of[name] = (*self.cases_of.get(name, ()), case)
        self.tied |= tied(cases, units)

    def _tie_anew(self, names: set[UnitId], wearers: set[WearerId]) -> None:
        """The same again for those units and wearers and whoever was tied to them; all others stay as they are."""
        names, wearers = set(names), set(wearers)
        for subject in {subject for name in names for subject in self.tied.get(name, ())}:
            kind, _, about = subject.partition(" ")
            if kind == "unit":
                names.add(UnitId(about))
            else:
                wearers.add(WearerId(about))
        for name in names:
            self.cases_of.pop(name, None)
            self.tied.pop(name, None)
        units = {name: self.units[name] for name in sorted(names & self.units.keys())}
        self._tie([case for wearer, case in self.cases.items() if wearer in wearers], units)

    def stamp(self, finding: Finding) -> Finding:
        """A finding with the hashes of what it was found under, as it is kept."""
        sha256 = self.policies.sha256(finding.policy)
        return replace(finding, register=self.register_sha256, policy_sha256=sha256)

    def around(self, name: UnitId) -> tuple[set[UnitId], set[WearerId]]:
        """The units and wearers whose facts and findings are needed to judge a unit's facts anew."""
        cases = self.cases_of.get(name, ())
        return {name}.union(*(case.units for case in cases)), {case.wearer_id for case in cases}

    def asks_before(self, name: UnitId) -> Ms:
        """What a unit tells of time before it is of nights that a case on it has folded: all is wanted together."""
        latest = max((case.settled for case in self.cases_of.get(name, ())), default=-FOREVER)
        return latest if latest == -FOREVER else latest + self.terms.leave_ms_most

    def publish(self, policy: Policy, touched: Touched, at: Ms) -> set[UnitId]:
        """A policy's new version is known from `at`; the units whose facts must be folded anew for whom it touches."""
        self.policies.publish(policy, at)
        reads_otherwise = self.terms.read_anew()
        wanted = {name for name in touched.units if reads_otherwise and name not in self.cases_of}
        for wearer in touched.wearers:
            case = self.cases[wearer]
            case.forget_judgement()
            if case.units and (reads_otherwise or case.settled > -FOREVER):
                wanted.add(min(case.units))
        return wanted

    def resting(self, touched: Touched) -> set[UnitId]:
        """The units that a touched wearer's case rests on, and those that are touched themselves."""
        cases = (self.cases[wearer] for wearer in touched.wearers if wearer in self.cases)
        return (touched.units & self.units.keys()).union(*(case.units for case in cases))

    def amend(self, register: Register, name: str, touched: Touched) -> None:
        """Another register is in force, called `name`: those whom it touches are made to rest on it.

        A wearer or unit that is gone is judged no more.
        """
        rested = {wearer: self.cases[wearer].units for wearer in touched.wearers if wearer in self.cases}
        if touched.equipment:
            before = (f.tag for f in self.register.fittings if f.wearer_id in touched.wearers)
            tags = {*before, *(f.tag for f in register.fittings if f.wearer_id in touched.wearers)}
            for tag in tags:
                self._fitted.pop(tag, None)
            self._bias_c = {fitted: bias for fitted, bias in self._bias_c.items() if fitted[0] not in tags}
            self._note_fittings(f for f in register.fittings if f.tag in tags)
        self.register, self.register_sha256 = register, name
        for unit in touched.units:
            self._amend_unit(unit)
        for wearer in touched.wearers:
            self._amend_case(wearer)
        rests = {wearer: self.cases[wearer].units for wearer in touched.wearers if wearer in self.cases}
        if touched.units or rests != rested:
            self._tie_anew(touched.units.union(*rested.values(), *rests.values()), touched.wearers)

    def _amend_unit(self, name: UnitId) -> None:
        installed = tuple(i for i in self.register.installations if i.unit == name)
        if not installed:
            self.units.pop(name, None)
        elif name in self.units:
            self.units[name].installations, self.units[name].public_key = installed, public_key_of(installed)
        else:
            self.units[name] = self._unit(name, installed)

    def _amend_case(self, wearer: WearerId) -> None:
        orders = [order for order in self.register.orders if order.wearer_id == wearer]
        if not orders:
            self.cases.pop(wearer, None)
            return
        fittings = [fitting for fitting in self.register.fittings if fitting.wearer_id == wearer]
        wanted = set[AddressId]().union(*map(addresses, orders))
        here = sorted((i for i in self.register.installations if i.address_id in wanted), key=lambda i: i.address_id)
        if wearer in self.cases:
            self.cases[wearer].amend(orders, fittings, here)
        else:
            self.cases[wearer] = Case(wearer, orders, fittings, here, self.terms)


def tied(cases: Iterable[Case], units: Mapping[UnitId, Unit]) -> dict[UnitId, tuple[str, ...]]:
    """For each unit the deadlines of everybody its facts may touch: cases on it, units beside it, and so on."""
    groups: dict[UnitId, list[str]] = {name: [unit.woken_as] for name, unit in units.items()}
    for case in cases:
        members = [case.woken_as]
        for group in {id(groups[unit]): groups[unit] for unit in sorted(case.units)}.values():
            members += group
        for name in members:
            if name.startswith("unit "):
                groups[UnitId(name.removeprefix("unit "))] = members
    return {unit: tuple(group) for unit, group in groups.items()}
