"""Who should be monitored is compared with who is, at whole hours (rules/monitoring_not_producing).

Nothing is done for an event and nothing kept for a wearer of whom all is well: a case's deadline falls on the hours
that ask about one of its windows, and a look at the newest word of its units is then the whole check. While a finding
stands its case is judged at each message, so that it ends at the receipt of the first usable fact.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from emcheck.domain.case import Case
from emcheck.domain.findings import Decided, Finding
from emcheck.domain.ids import AddressId, Ms, UnitId, WearerId
from emcheck.domain.instants import FOREVER
from emcheck.domain.policies import Line
from emcheck.domain.receiving import Receiving
from emcheck.domain.register import Order
from emcheck.domain.rules import monitoring_not_producing as rule
from emcheck.domain.rules.monitoring_not_producing import Equipment
from emcheck.domain.unit import Unit
from emcheck.domain.windows import Window


class Reconciling:
    """The findings that stand, and who is to be asked about when."""

    def __init__(self, own: Line, units: Mapping[UnitId, Unit], receiving: Receiving, decided: Decided) -> None:
        self._own = own
        self._units = units
        self._receiving = receiving
        self._decided = decided
        self._standing: dict[WearerId, tuple[Finding, ...]] = {}

    def remember(self, finding: Finding) -> None:
        """Know again what stands, after a start."""
        if finding.wearer_id is not None and finding.end is None:
            self._standing[finding.wearer_id] = (*self._standing.get(finding.wearer_id, ()), finding)

    # --- when ---------------------------------------------------------------------------------------------

    def due(self, case: Case, now: Ms) -> Ms:
        """The next check after `now` that asks about the case; FOREVER where none is known."""
        every_ms = self._every_ms(now)
        following = now - now % every_ms + every_ms
        if case.wearer_id in self._standing:
            return following
        return min((_asked_at(state.windows, following, every_ms) for state in case.orders), default=FOREVER)

    def _every_ms(self, at: Ms) -> Ms:
        return self._own.then(at).ms("monitoring.not_producing.every_s")

    # --- what ---------------------------------------------------------------------------------------------

    def is_well(self, case: Case, now: Ms) -> bool:
        """Whether a look at what its units told last shows that a check finds nothing, as it nearly always does."""
        at = now - now % self._every_ms(now)
        return case.wearer_id not in self._standing and all(
            self._is_named(case, window.address_id, at) for _, window in self._asked(case, at)
        )

    def _is_named(self, case: Case, address: AddressId, at: Ms) -> bool:
        """Whether a unit there that goes on telling has a word in force about a tag."""
        after_ms = self._own.then(at).ms("monitoring.not_producing.after_s")
        for source in case.sources(address):
            newest = self._units[source.unit].track.newest
            if newest is None or newest.top is None or newest.broken or newest.top <= at - after_ms:
                continue
            known = newest.current.get(source.tag)
            if known is not None and source.counts.start <= newest.top < source.counts.end:
                return True
        return False

    def _asked(self, case: Case, at: Ms) -> Iterator[tuple[Order, Window]]:
        for state in case.orders:
            for window in rule.asked(state.windows, at, self._every_ms(at)):
                yield state.order, window

    def check(self, case: Case, now: Ms) -> None:
        """Tell what stands or has just ended as of the last whole hour, where that is not as it was."""
        before = self._standing.get(case.wearer_id, ())
        if self._receiving.stopped_at is not None or (not before and self.is_well(case, now)):
            return
        at = now - now % self._every_ms(now)
        orders = {state.order.order_id: state.order for state in case.orders}
        found = [
            self._continued(finding, None if finding.order_id is None else orders.get(finding.order_id), case, at, now)
            for finding in before
        ]
        told = {(finding.order_id, rule.address_of(finding)) for finding in before}
        for order, window in self._asked(case, at):
            known = (order.order_id, window.address_id) in told
            if not known and rule.is_wanted(order, window.address_id, at):
                equipment = self._equipment(case, window.address_id)
                if not rule.produces(equipment, now, self._own.then(now)):
                    fresh = rule.find(order, window.address_id, equipment, at=at, now=now, policy=self._own.then(at))
                    found += [] if fresh is None else [fresh]
        self._tell(case.wearer_id, before, tuple(found), now)
        case.watching |= case.wearer_id in self._standing

    def leave(self, wearer: WearerId, now: Ms) -> None:
        """No order of a wearer is in the register any more."""
        before = self._standing.get(wearer, ())
        self._tell(wearer, before, tuple(replace(finding, end=now) for finding in before), now)

    def _tell(self, wearer: WearerId, before: tuple[Finding, ...], found: tuple[Finding, ...], now: Ms) -> None:
        """What has ended is settled at once: it runs in receive time, and no fact tells of it again."""
        standing = tuple(finding for finding in found if finding.end is None)
        if standing:
            self._standing[wearer] = standing
        else:
            self._standing.pop(wearer, None)
        if found != before:
            self._decided(rule.subject(wearer), list(found), now, now)

    def _continued(self, finding: Finding, order: Order | None, case: Case, at: Ms, now: Ms) -> Finding:
        """A finding that stood: as it is, for another reason, or ended."""
        address = rule.address_of(finding)
        if order is None or not rule.is_wanted(order, address, at):
            ended_at = now if order is None else min(at, order.ends_at)
            return replace(finding, end=max(ended_at, finding.start))
        equipment = self._equipment(case, address)
        if rule.produces(equipment, now, self._own.then(now)):
            return replace(finding, end=now)
        return finding if at < now else rule.revised(finding, order, equipment, at=at, policy=self._own.then(at))

    def _equipment(self, case: Case, address: AddressId) -> Equipment:
        return Equipment(case.fittings, case.sources(address), self._units, self._receiving.down)


def _asked_at(windows: tuple[Window, ...], following: Ms, every_ms: Ms) -> Ms:
    """The first check from `following` on that asks about any of them."""
    for window in windows:
        first = _check_from(min(window.start + every_ms, window.end), every_ms)
        if (at := max(first, following)) <= _check_from(window.end, every_ms):
            return at
    return FOREVER


def _check_from(at: Ms, every_ms: Ms) -> Ms:
    return -(-at // every_ms) * every_ms
