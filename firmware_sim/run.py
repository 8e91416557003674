"""The world: all homes, people, units and faults of a scenario in one order of events, and runs of it into a file.

`World` has no I/O and no clock: `step(until_ms)` plays everything up to an instant and gives the messages that
reach the service by then; `deliver` brings answers back. Same scenario, seed and answers: same bytes.
"""

import gzip
import heapq
import io
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import BinaryIO, NamedTuple

from emcheck.domain.ids import Ms, UnitId
from emcheck.domain.instants import MINUTE, SECOND, format_ms
from emcheck.wire.signing import public_text
from firmware_sim.base_unit import BaseUnit, Flash
from firmware_sim.event_log import EventLog
from firmware_sim.faults import ClockFault, Fault, PowerCut, Reboot, UplinkOutage
from firmware_sim.home import Home, Member, Receiver
from firmware_sim.loopback import Loopback
from firmware_sim.network import Network
from firmware_sim.people import Move
from firmware_sim.scenario import Scenario
from firmware_sim.tag import Tag
from firmware_sim.town import Dwelling, build_town, instructions, register, service_key, unit_key
from firmware_sim.truth import truth_lines
from firmware_sim.unit_config import UnitConfig
from firmware_sim.uplink import Outgoing

BOOT_SPREAD_MS = 20_000
"""Units do not all boot in the instant the scenario starts."""


class World:
    """A simulated town. `live`: messages pass at once and units are offline until `link` says otherwise."""

    def __init__(self, scenario: Scenario, seed: int | None = None, *, live: bool = False) -> None:
        self.scenario = scenario
        self.seed = scenario.seed if seed is None else seed
        self.town = build_town(scenario, self.seed)
        self.now: Ms = scenario.start_ms
        self._live = live
        self._handed_out_at = self._playing_to = self.now
        self._network = Network(self.town, delays=not live)
        self._agenda: list[tuple[Ms, int, Callable[[Ms], None]]] = []
        self._transit: list[tuple[Ms, int, Outgoing]] = []
        self._held: dict[UnitId, int] = {}
        self._waiting: dict[UnitId, int] = {}
        self._serial = 0
        self._receivers: dict[UnitId, Receiver] = {}
        self._homes: dict[UnitId, Home] = {}
        for dwelling in self.town.dwellings:
            self._settle(dwelling, linked=not live)
        for fault in scenario.faults:
            for unit in self.town.units_of(fault.wearers):
                self._plan_fault(fault, self._receivers[unit])

    @property
    def units(self) -> list[UnitId]:
        """All base units of the town."""
        return list(self._receivers)

    def register(self) -> dict[str, object]:
        """The town's register.json."""
        return register(self.town)

    def next_due(self) -> Ms:
        """The next instant at which anything may happen, perhaps early, never late; the end where nothing may."""
        due = self._agenda[0][0] if self._agenda else self.scenario.end_ms
        return min(due, self._transit[0][0]) if self._transit else due

    def step(self, until_ms: Ms) -> list[Outgoing]:
        """Play everything up to and including `until_ms`; the messages that arrive by then, `at` their arrival."""
        self._play(until_ms)
        arrived = []
        while self._transit and self._transit[0][0] <= until_ms:
            at, _, message = heapq.heappop(self._transit)
            self._held[message.unit] -= 1
            arrived.append(message._replace(at=at))
        self._handed_out_at = until_ms
        return arrived

    def _play(self, until_ms: Ms) -> None:
        self._playing_to = until_ms
        while self._agenda and self._agenda[0][0] <= until_ms:
            at, _, act = heapq.heappop(self._agenda)
            self.now = max(self.now, at)
            act(self.now)
        self.now = max(self.now, until_ms)

    def deliver(self, unit: UnitId, payload: bytes, now_ms: Ms) -> None:
        """A message on a unit's `down` topic; lost where the unit is down or offline."""
        self._play(now_ms)
        receiver = self._receivers.get(unit)
        if receiver is not None and receiver.unit is not None and receiver.connected:
            receiver.unit.downlink(payload, receiver.clock.local(now_ms))
            self._after(receiver, now_ms)

    def host(self, payload: bytes, now_ms: Ms, *, unit: UnitId | None = None) -> None:
        """The service's word on `em/v1/host`, to one unit or to every one that is online."""
        self._play(now_ms)
        for receiver in self._receivers.values() if unit is None else [self._receivers[unit]]:
            if receiver.unit is not None and receiver.connected:
                receiver.unit.host(payload, receiver.clock.local(now_ms))
                self._after(receiver, now_ms)

    def link(self, unit: UnitId, *, up: bool, now_ms: Ms) -> None:
        """A live connection of a unit came or went."""
        self._play(now_ms)
        receiver = self._receivers[unit]
        receiver.linked = up
        self._relink(receiver, now_ms)

    def wants_link(self, unit: UnitId) -> bool:
        """Whether the unit is up and no fault keeps it from the broker."""
        receiver = self._receivers[unit]
        return receiver.unit is not None and not receiver.faults

    def last_will(self, unit: UnitId) -> Outgoing:
        """What the broker is to publish when the unit's connection dies."""
        return Outgoing(0, unit, f"em/v1/{unit}/link", b'{"online":false}', retain=True)

    def unacked(self) -> dict[UnitId, int]:
        """Units online whose sent events wait for an acknowledgement that can come, with how many envelopes.

        Left out are units that a fault keeps offline, and those of which a fault lost or holds a message:
        no answer can free them before time passes.
        """
        return {
            unit: count
            for unit, count in self._waiting.items()
            if self._receivers[unit].connected and not self._network.in_doubt.get(unit) and not self._held.get(unit)
        }

    def resend_unacked(self, now_ms: Ms) -> None:
        """Let every unit that waits send again now: an answer on QoS 0 may have been lost."""
        self._play(now_ms)
        for name in self.unacked():
            receiver = self._receivers[name]
            if receiver.unit is not None:
                receiver.unit.again_now(receiver.clock.local(now_ms))
                self._after(receiver, now_ms)

    def _settle(self, dwelling: Dwelling, *, linked: bool) -> None:
        """Put units and tags into a home and everything its people will do on the agenda."""
        spec, start = self.scenario.units, self.scenario.start_ms
        spoken = service_key(self.town)
        receivers = []
        for name, site in dwelling.units:
            config = UnitConfig(
                heartbeat_s=spec.heartbeat_s,
                report_s=spec.report_s,
                leave_time_s=spec.leave_time_s,
                range_dbm=site.range_dbm,
                tags=tuple(wearer.tag for wearer in dwelling.wearers),
            )
            flash = Flash(log=EventLog(spec.store_events), config=config, key=unit_key(self.town, name))
            flash.service_key = None if spoken is None else public_text(spoken)
            rng = Random(f"{self.seed}/unit/{name}")
            receivers.append(Receiver(name=name, site=site, flash=flash, rng=rng, linked=linked))
        members = [
            Member(wearer.number, Tag(tag=wearer.tag, rng=Random(f"{self.seed}/tag/{wearer.tag}"), now=start))
            for wearer in dwelling.wearers
        ]
        home = Home(receivers=receivers, members=members, rng=Random(f"{self.seed}/radio/{dwelling.address_id}"))
        for receiver in receivers:
            self._receivers[receiver.name] = receiver
            self._homes[receiver.name] = home
            self._at(start + receiver.rng.randrange(BOOT_SPREAD_MS), self._booting(receiver, "power_on"))
        for wearer in dwelling.wearers:
            for move in wearer.plan.moves:
                self._at(move.at, self._moving(home, move))

    def _at(self, at: Ms, act: Callable[[Ms], None]) -> None:
        self._serial += 1
        heapq.heappush(self._agenda, (at, self._serial, act))

    def _moving(self, home: Home, move: Move) -> Callable[[Ms], None]:
        def act(now: Ms) -> None:
            self._hear(home, now)
            home.move(move)
            self._watch_frames(home)

        return act

    def _booting(self, receiver: Receiver, reason: str) -> Callable[[Ms], None]:
        def act(now: Ms) -> None:
            if receiver.unit is not None:
                return
            self._hear(self._homes[receiver.name], now)
            local = receiver.clock.local(now)
            receiver.unit = BaseUnit(
                unit=receiver.name, flash=receiver.flash, rng=receiver.rng, now_ms=local, reason=reason
            )
            receiver.unit.power(local, mains=receiver.mains)
            self._relink(receiver, now)
            self._after(receiver, now)
            self._watch_frames(self._homes[receiver.name])

        return act

    def _failing(self, receiver: Receiver) -> Callable[[Ms], None]:
        def act(now: Ms) -> None:
            self._hear(self._homes[receiver.name], now)
            receiver.unit, receiver.connected = None, False
            self._network.in_doubt.pop(receiver.name, None)
            self._waiting.pop(receiver.name, None)

        return act

    def _plan_fault(self, fault: Fault, receiver: Receiver) -> None:
        start = self.scenario.instant(fault.at)
        match fault:
            case PowerCut(battery=True):
                self._at(start, self._powering(receiver, mains=False))
                self._at(start + round(fault.minutes * MINUTE), self._powering(receiver, mains=True))
            case PowerCut():
                self._at(start, self._failing(receiver))
                self._at(start + round(fault.minutes * MINUTE), self._booting(receiver, "power_on"))
            case Reboot():
                self._at(start, self._failing(receiver))
                self._at(start + fault.down_s * SECOND, self._booting(receiver, "watchdog"))
            case UplinkOutage():
                self._at(start, self._cutting_off(receiver, 1))
                self._at(start + round(fault.minutes * MINUTE), self._cutting_off(receiver, -1))
            case ClockFault():
                self._at(start, self._stepping(receiver, round(fault.offset_s * 1000), fault.drift_ppm))
            case _:
                return  # copies, overtaking and losses happen on the way: Network

    def _powering(self, receiver: Receiver, *, mains: bool) -> Callable[[Ms], None]:
        def act(now: Ms) -> None:
            receiver.mains = mains
            if receiver.unit is not None:
                self._hear(self._homes[receiver.name], now)
                receiver.unit.power(receiver.clock.local(now), mains=mains)
                self._after(receiver, now)

        return act

    def _cutting_off(self, receiver: Receiver, faults: int) -> Callable[[Ms], None]:
        def act(now: Ms) -> None:
            receiver.faults += faults
            self._relink(receiver, now)

        return act

    def _stepping(self, receiver: Receiver, step_ms: int, drift_ppm: float) -> Callable[[Ms], None]:
        def act(now: Ms) -> None:
            self._hear(self._homes[receiver.name], now)
            receiver.clock.fault(now, step_ms=step_ms, drift_ppm=drift_ppm)
            self._after(receiver, now)

        return act

    def _relink(self, receiver: Receiver, now: Ms) -> None:
        """Tell the unit if its connection came or went."""
        online = receiver.linked and not receiver.faults
        if receiver.unit is None or online == receiver.connected:
            return
        receiver.connected = online
        local = receiver.clock.local(now)
        self._hear(self._homes[receiver.name], now)
        if online:
            receiver.unit.connected(local)
        else:
            receiver.unit.disconnected(local)
        self._after(receiver, now)

    def _hear(self, home: Home, now: Ms) -> None:
        """Draw frames up to now; what units said of them goes out."""
        home.hear(now)
        for receiver in home.receivers:
            self._after(receiver, now)

    def _watch_frames(self, home: Home) -> None:
        """Look at the next frame when it comes, if it could change a unit's mind."""
        at = home.next_telling_frame()
        if at is not None:

            def act(now: Ms) -> None:
                self._hear(home, now)
                self._watch_frames(home)

            self._at(max(at, self.now), act)

    def _after(self, receiver: Receiver, now: Ms) -> None:
        """After a unit acted: send what it says, note what it waits for, and when it must be woken."""
        unit = receiver.unit
        if unit is None:
            return
        for message in unit.take_outgoing():
            self._send(message._replace(at=min(receiver.clock.true(message.at), now)))
        waiting = len(unit.unacknowledged())
        if waiting:
            self._waiting[receiver.name] = waiting
        elif self._waiting.pop(receiver.name, 0):
            self._network.in_doubt.pop(receiver.name, None)
        due = max(receiver.clock.true(unit.next_due()), now)
        if not now <= receiver.wake_at <= due:
            receiver.wake_at = due
            self._at(due, self._waking(receiver, due))

    def _waking(self, receiver: Receiver, due: Ms) -> Callable[[Ms], None]:
        def act(now: Ms) -> None:
            if receiver.unit is None or receiver.wake_at != due:
                return
            receiver.wake_at = -1
            if self._live:  # what was not yet handed out cannot have been answered, however long the step
                local = receiver.clock.local
                receiver.unit.hold_repeats(sent_after=local(self._handed_out_at), until=local(self._playing_to))
            if receiver.clock.true(receiver.unit.next_due()) > now:  # answered meanwhile: no repeat is due
                self._after(receiver, now)
                return
            home = self._homes[receiver.name]
            self._hear(home, now)
            receiver.unit.tick(receiver.clock.local(now))
            self._after(receiver, now)
            self._watch_frames(home)

        return act

    def _send(self, message: Outgoing) -> None:
        for at in self._network.carry(message):
            self._serial += 1
            self._held[message.unit] = self._held.get(message.unit, 0) + 1
            heapq.heappush(self._transit, (at, self._serial, message))


class Simulated(NamedTuple):
    """What a run into files wrote."""

    stream: Path
    register: Path
    truth: Path
    messages: int


SIMULATED = ("stream.jsonl.gz", "register.json", "truth.jsonl")
"""The files that a simulation writes."""


def simulate_to_stream(
    scenario: Scenario,
    seed: int | None,
    out_path: Path,
    *,
    compress: bool = True,
    progress: Callable[[Ms], None] | None = None,
) -> Simulated:
    """Run a scenario without a broker: `stream.jsonl[.gz]`, `register.json` and `truth.jsonl` into a folder."""
    out_path.mkdir(parents=True, exist_ok=True)
    world = World(scenario, seed)
    packed_name, register_name, truth_name = SIMULATED
    stream = out_path / (packed_name if compress else packed_name.removesuffix(".gz"))
    with ExitStack() as stack:
        sink: BinaryIO = stack.enter_context(stream.open("wb"))
        if compress:
            packed = stack.enter_context(gzip.GzipFile("", "wb", 4, sink, mtime=0))
            sink = stack.enter_context(io.BufferedWriter(packed))
        messages = _write_stream(world, sink, progress)
    files = Simulated(stream, out_path / register_name, out_path / truth_name, messages)
    files.register.write_text(json.dumps(world.register(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    files.truth.write_text("".join(line + "\n" for line in truth_lines(world.town)), encoding="utf-8")
    return files


def _write_stream(world: World, sink: BinaryIO, progress: Callable[[Ms], None] | None) -> int:
    """Play the whole scenario against a loopback and write every received line; how many messages came."""
    service, end = Loopback(service_key(world.town)), world.scenario.end_ms
    entered = instructions(world.town)
    messages = 0
    while True:
        due = min(world.next_due(), service.next_due() or end, entered[0][0] if entered else end)
        if due >= end:
            return messages
        while entered and entered[0][0] <= due:
            at, instruction = entered.pop(0)
            line = {"received_at": format_ms(at), "instruction": instruction}
            sink.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        for message in world.step(due):
            if message.envelope is not None:
                sink.write(b'{"received_at":"%s","topic":"%s","payload":%s}\n' % _line(message))
                service.receive(message, message.at)
                messages += 1
        for unit, payload in service.due(due):
            world.deliver(unit, payload, due)
        if progress is not None:
            progress(due)


def _line(message: Outgoing) -> tuple[bytes, bytes, bytes]:
    return format_ms(message.at).encode(), message.topic.encode(), message.payload
