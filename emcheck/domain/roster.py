"""What a register means to the engine: cases, units, and when each tag is on whose limb."""

from collections.abc import Iterable, Iterator

from emcheck.domain.case import Case
from emcheck.domain.findings import Span
from emcheck.domain.ids import Ms, TagId, UnitId, WearerId
from emcheck.domain.instants import FOREVER
from emcheck.domain.policy import Policy
from emcheck.domain.register import Fitting, Installation, Order, Register, public_key_of
from emcheck.domain.track import Track
from emcheck.domain.unit import Unit


class Roster:
    """One register under one policy; makes empty units and cases."""

    def __init__(self, register: Register, policy: Policy) -> None:
        self.register = register
        self.policy = policy
        self.register_sha256 = register.sha256()
        self.under = f"{self.register_sha256} {policy.sha256}"
        """Names what facts are folded and judged under."""
        self.signatures_required = policy.flag("wire.signature.required")
        self._asked = self.tag_span, self.fitted
        """What every track asks, made once: a method that is looked up is an object each time."""
        self._fitted: dict[TagId, tuple[Span, ...]] = {}
        for fitting in register.fittings:
            span = Span(fitting.fitted_at, fitting.removed_at or FOREVER)
            self._fitted[fitting.tag] = (*self._fitted.get(fitting.tag, ()), span)

    def fitted(self, tag: TagId) -> Iterable[Span]:
        """The fittings of a tag."""
        return self._fitted.get(tag, ())

    def tag_span(self, tag: TagId, at: Ms) -> tuple[Ms, Ms]:
        """The stretch between two edges of the tag's fittings that `at` lies in."""
        edges = [edge for span in self._fitted.get(tag, ()) for edge in span]
        low = max((edge for edge in edges if edge <= at), default=-FOREVER)
        high = min((edge for edge in edges if edge > at), default=FOREVER)
        return low, high

    def track(self) -> Track:
        """An empty track."""
        tag_span, fitted = self._asked
        return Track(
            tag_span=tag_span,
            fitted=fitted,
            vouch_factor=self.policy.number("presence.vouch_factor"),
            heartbeat_default_ms=self.policy.ms("presence.heartbeat_default_s"),
            offset_max_ms=self.policy.ms("clock.offset_max_s"),
        )

    def units(self) -> Iterator[Unit]:
        """A unit for each that is installed, by name."""
        installed: dict[UnitId, list[Installation]] = {}
        for installation in self.register.installations:
            installed.setdefault(installation.unit, []).append(installation)
        for name in sorted(installed):
            yield Unit(
                name,
                tuple(installed[name]),
                self.track(),
                self.policy,
                public_key=public_key_of(installed[name]),
            )

    def cases(self) -> Iterator[Case]:
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
            wanted = {r.address_id for o in made for c in (o.curfew, *(v.curfew for v in o.variations)) for r in c}
            here = [installation for address in sorted(wanted) for installation in installed.get(address, [])]
            yield Case(wearer, made, fitted.get(wearer, ()), here, self.policy)


def tied(cases: Iterable[Case], units: Iterable[UnitId]) -> dict[UnitId, tuple[str, ...]]:
    """For each unit the deadlines of everybody its facts may touch: cases on it, units beside it, and so on."""
    groups: dict[UnitId, list[str]] = {unit: [f"unit {unit}"] for unit in units}
    for case in cases:
        members = [f"case {case.wearer_id}"]
        for group in {id(groups[unit]): groups[unit] for unit in sorted(case.units)}.values():
            members += group
        for name in members:
            if name.startswith("unit "):
                groups[UnitId(name.removeprefix("unit "))] = members
    return {unit: tuple(group) for unit, group in groups.items()}
