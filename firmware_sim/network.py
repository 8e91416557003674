"""The way from a unit to the service: delay, copies, overtaking, loss. What is lost is remembered until it comes."""

from random import Random
from typing import NamedTuple

from emcheck.domain.ids import BootId, Ms, UnitId
from emcheck.domain.instants import MINUTE
from firmware_sim.faults import Duplicates, EventLoss, Reordered
from firmware_sim.town import TownPlan
from firmware_sim.uplink import Outgoing

_Event = tuple[UnitId, BootId, int]


class _Span(NamedTuple):
    start: Ms
    end: Ms
    share: float
    delay_ms: int


class Network:
    """Decides, for each message sent, when and how often it arrives. `delays` off: at once, but for faults."""

    def __init__(self, town: TownPlan, *, delays: bool) -> None:
        self.in_doubt: dict[UnitId, set[tuple[BootId, int]]] = {}
        self._rng = Random(f"{town.seed}/network")
        self._spec = town.scenario.network
        self._delays = delays
        self._last_arrival: dict[UnitId, Ms] = {}
        self._copies: dict[UnitId, list[_Span]] = {}
        self._overtaken: dict[UnitId, list[_Span]] = {}
        self._losses: dict[UnitId, list[EventLossSpan]] = {}
        for fault in town.scenario.faults:
            at = town.scenario.instant(fault.at)
            for unit in town.units_of(fault.wearers):
                if isinstance(fault, Duplicates | Reordered):
                    spans = self._copies if isinstance(fault, Duplicates) else self._overtaken
                    end = at + round(fault.minutes * MINUTE)
                    spans.setdefault(unit, []).append(_Span(at, end, fault.share, round(fault.delay_s * 1000)))
                elif isinstance(fault, EventLoss):
                    span = EventLossSpan(at, at + round(fault.minutes * MINUTE))
                    self._losses.setdefault(unit, []).append(span)

    def carry(self, message: Outgoing) -> list[Ms]:
        """The instants at which the message arrives; none if it is lost."""
        if message.envelope is not None and self._lost(message):
            return []
        unit, at = message.unit, message.at
        delay_ms = round(self._rng.lognormvariate(0, 0.5) * self._spec.delay_ms) if self._delays else 0
        arrival = max(at + delay_ms, self._last_arrival.get(unit, 0))
        late = self._drawn(self._overtaken, unit, at)
        if late is not None:
            arrivals = [arrival + self._rng.randrange(1, late + 1)]
        else:
            self._last_arrival[unit] = arrival
            arrivals = [arrival]
        copy_ms = self._drawn(self._copies, unit, at)
        if copy_ms is None and self._rng.random() < self._spec.duplicate_share:
            copy_ms = 1_000
        if copy_ms is not None:
            arrivals.append(arrivals[0] + self._rng.randrange(1, copy_ms + 1))
        return arrivals

    def _drawn(self, spans: dict[UnitId, list[_Span]], unit: UnitId, at: Ms) -> int | None:
        for span in spans.get(unit, ()):
            if span.start <= at < span.end and self._rng.random() < span.share:
                return span.delay_ms
        return None

    def _lost(self, message: Outgoing) -> bool:
        """Whether a fault takes this envelope; its events stay doomed until the fault is over."""
        if message.envelope is None:
            return False
        boot, first, last = message.envelope
        for span in self._losses.get(message.unit, ()):
            if not span.start <= message.at < span.end:
                continue
            if span.doomed is None:
                span.doomed = (boot, first, last)
            doomed_boot, low, high = span.doomed
            if boot == doomed_boot and first <= high and low <= last:
                self.in_doubt.setdefault(message.unit, set()).add((boot, first))
                return True
        self.in_doubt.get(message.unit, set()).discard((boot, first))
        return False


class EventLossSpan:
    """One loss fault: from `start` to `end`, and which events it took once it took any."""

    def __init__(self, start: Ms, end: Ms) -> None:
        self.start = start
        self.end = end
        self.doomed: tuple[BootId, int, int] | None = None
