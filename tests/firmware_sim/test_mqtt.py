"""A town over a real broker: in step, on one connection a unit or one for all, with an uplink that goes and comes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from emcheck.clock import VirtualClock
from emcheck.domain.ids import BootId, UnitId
from emcheck.domain.instants import MINUTE, SECOND
from emcheck.ingest.embedded import EmbeddedBroker, free_port
from emcheck.wire.codec import decode
from firmware_sim.loopback import COMMIT_MS, Loopback
from firmware_sim.mqtt import MqttTown
from firmware_sim.run import World
from firmware_sim.scenario import Scenario, parse_scenario
from firmware_sim.uplink import Outgoing


def scenario() -> Scenario:
    raw = {
        "name": "live",
        "starts_at": "2026-03-24T18:58",
        "ends_at": "2026-03-24T19:12",
        "town": {"wearers": 3},
        "fault": [
            {"kind": "uplink_outage", "wearers": [2], "at": "2026-03-24T19:02", "minutes": 4},
            {"kind": "reboot", "wearers": [3], "at": "2026-03-24T19:05"},
        ],
    }
    return parse_scenario(raw, source="live")


class Answering:
    """Answers units over the broker as the loopback would, at once, and notes what it received.

    The loopback owes a unit one answer a second at most, and here time stands still until every answer is in: so
    the loopback has a time of its own, in which a second passes with each message.
    """

    def __init__(self, client: aiomqtt.Client, clock: VirtualClock) -> None:
        self.client, self.clock = client, clock
        self.now = clock.now()
        self.loopback = Loopback()
        self.numbers: set[tuple[UnitId, BootId, int]] = set()
        self.links: list[tuple[str, bytes]] = []

    async def listen(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            unit = UnitId(message.topic.value.split("/")[2])
            if message.topic.matches("em/v1/+/link"):
                self.links.append((unit, message.payload))
                continue
            envelope = decode(message.payload)
            span = (envelope.boot, envelope.first_seq, envelope.first_seq + len(envelope.events) - 1)
            self.numbers |= {(unit, envelope.boot, seq) for seq in range(span[1], span[2] + 1)}
            self.now = max(self.now + SECOND, self.clock.now())
            self.loopback.receive(
                Outgoing(self.now, unit, message.topic.value, message.payload, envelope=span), self.now
            )
            self.now += COMMIT_MS
            for name, payload in self.loopback.due(self.now):
                await self.client.publish(f"em/v1/{name}/down", payload)


@contextlib.asynccontextmanager
async def answering(broker: EmbeddedBroker, clock: VirtualClock) -> AsyncIterator[Answering]:
    async with aiomqtt.Client(broker.host, broker.port, identifier="service") as client:
        await client.subscribe([("em/v1/+/up", 1), ("em/v1/+/link", 1)])
        service = Answering(client, clock)
        listening = asyncio.create_task(service.listen())
        try:
            yield service
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening


@pytest.mark.parametrize("shared", [False, True], ids=["a connection each", "one for all"])
async def test_a_night_in_step_loses_nothing(tmp_path: Path, shared: bool) -> None:
    world = World(scenario(), live=True)
    clock = VirtualClock(world.scenario.start_ms)
    async with EmbeddedBroker(store_dir=tmp_path / "nats") as broker, answering(broker, clock) as service:
        town = MqttTown(world, host=broker.host, port=broker.port, clock=clock, shared_connection=shared)
        async with town:
            while clock.now() < world.scenario.end_ms:
                clock.advance(clock.now() + 20 * SECOND)
                await town.publish_due(clock.now())
                while not await town.acknowledged(within_s=5):
                    await town.resend_unacked()
            assert world.unacked() == {}
            assert town.published_total > 0
        flashes = {receiver.name: receiver.flash for receiver in world._receivers.values()}
        for name, flash in flashes.items():
            for boot, log in flash.log.boots.items():
                assert {(name, boot, seq) for seq in range(1, log.last_seq + 1)} <= service.numbers
        assert ("BU-0002", b'{"online":false}') in service.links
        assert len(flashes[UnitId("BU-0003")].log.boots) == 2


async def test_an_unreachable_broker_is_said_so() -> None:
    world = World(scenario(), live=True)
    town = MqttTown(world, host="127.0.0.1", port=free_port(), clock=VirtualClock(world.scenario.start_ms + MINUTE))
    with pytest.raises(ConnectionError, match="127"):
        await town.connect(within_s=0.5)
    await town.close()


async def test_real_time_ends_when_told(tmp_path: Path) -> None:
    world = World(scenario(), live=True)
    clock = VirtualClock(world.scenario.start_ms)
    async with EmbeddedBroker(store_dir=tmp_path / "nats") as broker, answering(broker, clock) as service:
        async with MqttTown(world, host=broker.host, port=broker.port, clock=clock) as town:
            running = asyncio.create_task(town.run_realtime(clock.now() + MINUTE))
            while not running.done():
                clock.advance(clock.now() + SECOND)
                await asyncio.sleep(0.02)
            await running
        assert {unit for unit, _, _ in service.numbers} == set(world.units)
