"""Whatever happens to a unit, each number it ever gave out is kept, acknowledged, or said to be lost."""

from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from emcheck.domain.ids import BootId
from firmware_sim.loopback import Loopback
from firmware_sim.uplink import Outgoing
from tests.firmware_sim.bench_unit import Bench

CAPACITY = 600
_life = st.one_of(
    st.tuples(st.just("home"), st.integers(200, 1_500)),
    st.tuples(st.just("out"), st.integers(30, 1_500)),
    st.tuples(st.sampled_from(["online", "offline", "reboot"]), st.just(0)),
    st.tuples(st.just("mains"), st.integers(0, 1)),
)
_ack = st.tuples(st.just("ack"), st.integers(-3, 3))


class Chaos(Bench):
    """A unit with a small store, at the mercy of a list of acts."""

    def __init__(self) -> None:
        super().__init__(capacity_events=CAPACITY, report_s=5)
        self.last: dict[BootId, int] = {}
        self.acked: dict[BootId, int] = {}
        self.wire: list[Outgoing] = []

    def act(self, kind: str, value: int) -> None:
        if kind in ("home", "out"):
            self.waits(value, hearing=kind == "home")
        elif kind == "online":
            self.connects()
        elif kind == "offline":
            self.unit.disconnected(self.now)
        elif kind == "reboot":
            self.reboots()
        elif kind == "mains":
            self.unit.power(self.now, mains=bool(value))
        else:
            sent = self.flash.log.boots[self.unit.boot].sent_seq
            self.acknowledges(max(0, sent + value))
            if value <= 0:
                self.acked[self.unit.boot] = max(self.acked.get(self.unit.boot, 0), sent + value)
        self.says()

    def _published(self) -> list[Outgoing]:
        out = super()._published()
        self.wire += out
        return out

    def check(self) -> None:
        log = self.flash.log
        self.last |= {boot: state.last_seq for boot, state in log.boots.items()}
        assert log.count == sum(len(state.events) for state in log.boots.values()) <= CAPACITY
        assert len(self.unit.unacknowledged()) <= 8
        gone = [*log.gaps, *(gap for gap, name in log.declared.items() if self._safe(*name))]
        for boot, last in self.last.items():
            lost = {seq for gap in gone if gap.boot == boot for seq in range(gap.first, gap.last + 1)}
            assert all(self._safe(boot, seq) or seq in lost for seq in range(1, last + 1))

    def _safe(self, boot: BootId, seq: int) -> bool:
        return self.flash.log.holds(boot, seq) or seq <= self.acked.get(boot, 0)


@settings(max_examples=60)
@given(st.lists(_life | _ack, min_size=4, max_size=14))
def test_every_number_is_kept_acknowledged_or_said_to_be_lost(acts: list[tuple[str, int]]) -> None:
    chaos = Chaos()
    for kind, value in acts:
        chaos.act(kind, value)
        chaos.check()


OFFLINE_FOR_LONG = [("home", 200), ("out", 120), ("reboot", 0), ("home", 200), ("home", 200), ("home", 1_295)]
"""Of the first boot nothing was ever sent, and its newest numbers are let go: only `lost` tells of them."""


@settings(max_examples=100)
@given(st.lists(_life, min_size=3, max_size=10), st.integers(0, 999))
@example(OFFLINE_FOR_LONG, 0)
def test_in_the_end_the_service_knows_of_every_number(acts: list[tuple[str, int]], seed: int) -> None:
    """Against a service that answers, over a line that loses a fifth of what is sent, everything is settled."""
    chaos = Chaos()
    for kind, value in acts:
        chaos.act(kind, value)
    chaos.check()
    chaos.wire.clear()  # of what was sent before nothing arrived
    service, rng = Loopback(), Random(seed)
    chaos.connects()
    for _ in range(1_500):
        _exchange(chaos, service, rng)
        chaos.waits(2)
        if not _unknown(chaos, service) and chaos.flash.log.unacknowledged_count() <= 1:
            break
    assert _unknown(chaos, service) == {}
    assert chaos.flash.log.unacknowledged_count() <= 1
    assert chaos.flash.log.gaps == []


def _exchange(chaos: Chaos, service: Loopback, rng: Random) -> None:
    wire, chaos.wire = chaos.wire, []
    for message in wire:
        if rng.random() > 0.2:
            service.receive(message, chaos.now)
    for unit, payload in service.due(chaos.now):
        assert unit == chaos.unit.unit
        if rng.random() > 0.2:
            chaos.unit.downlink(payload, chaos.now)
            chaos.says()


def _unknown(chaos: Chaos, service: Loopback) -> dict[BootId, tuple[int, int]]:
    """How far the service knows each boot, and its last number, where more than the newest event is missing."""
    chaos.last |= {boot: state.last_seq for boot, state in chaos.flash.log.boots.items()}
    known = {boot: service.known_upto(chaos.unit.unit, boot) for boot in chaos.last}
    return {
        boot: (known[boot], last) for boot, last in chaos.last.items() if known[boot] < last - (boot == chaos.unit.boot)
    }
