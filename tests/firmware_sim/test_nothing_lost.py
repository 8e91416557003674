"""Whatever happens to a unit, each number it ever gave out is kept, acknowledged, or said to be lost."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from emcheck.domain.ids import BootId, UnitId
from firmware_sim.loopback import Loopback
from firmware_sim.uplink import Outgoing
from tests.firmware_sim.bench_unit import Bench

CAPACITY = 600
_act = st.one_of(
    st.tuples(st.just("home"), st.integers(1, 2_000)),
    st.tuples(st.just("out"), st.integers(1, 2_000)),
    st.tuples(st.just("online"), st.just(0)),
    st.tuples(st.just("offline"), st.just(0)),
    st.tuples(st.just("reboot"), st.just(0)),
    st.tuples(st.just("mains"), st.integers(0, 1)),
    st.tuples(st.just("ack"), st.integers(-3, 3)),
)


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


@settings(max_examples=25, deadline=None)
@given(st.lists(_act, max_size=12))
def test_every_number_is_kept_acknowledged_or_said_to_be_lost(acts: list[tuple[str, int]]) -> None:
    chaos = Chaos()
    for kind, value in acts:
        chaos.act(kind, value)
        chaos.check()


@settings(max_examples=20, deadline=None)
@given(st.lists(_act.filter(lambda act: act[0] != "ack"), max_size=8), st.randoms(use_true_random=False))
def test_in_the_end_the_service_knows_of_every_number(acts: list[tuple[str, int]], rng: Any) -> None:
    """Against a service that answers, over a line that loses a fifth of what is sent, everything is settled."""
    chaos = Chaos()
    for kind, value in acts:
        chaos.act(kind, value)
    chaos.check()
    chaos.wire.clear()
    service = Loopback()
    chaos.connects()
    for _ in range(1_500):
        wire, chaos.wire = chaos.wire, []
        for message in wire:
            if rng.random() > 0.2:
                service.receive(message, chaos.now)
        for unit, payload in service.due(chaos.now):
            assert unit == UnitId("BU-0001")
            if rng.random() > 0.2:
                chaos.unit.downlink(payload, chaos.now)
                chaos.says()
        chaos.waits(2)
        if chaos.flash.log.unacknowledged_count() <= 1 and not chaos.flash.log.gaps:
            break
    assert chaos.flash.log.unacknowledged_count() <= 1
    assert chaos.flash.log.gaps == []
