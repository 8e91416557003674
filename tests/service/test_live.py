"""The service over a real broker and a real database: acknowledged, alerted, killed and back. On every broker."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from emcheck.clock import VirtualClock
from emcheck.domain.instants import MINUTE, format_ms
from emcheck.service.app import Service
from tests.service.brokers import WAYS, Way, opened
from tests.service.living import living
from tests.support import BOOT, at

UNIT = "BU-0001"


def running(
    way: Way, database: Path, clock: VirtualClock, *, orderly: bool = True
) -> contextlib.AbstractAsyncContextManager[Service]:
    return living(way.broker, database, clock, protocol=way.protocol, orderly=orderly)


@contextlib.asynccontextmanager
async def unit(way: Way) -> AsyncIterator["Peer"]:
    version = aiomqtt.ProtocolVersion.V5 if way.protocol == "5" else aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client(way.broker.host, way.broker.port, identifier=UNIT, protocol=version) as client:
        await client.subscribe([(f"em/v1/{UNIT}/down", 0), ("em/v1/alerts/+", 1), ("em/v1/host", 1)])
        peer = Peer(client)
        listening = asyncio.create_task(peer.listen())
        try:
            yield peer
        finally:
            listening.cancel()


class Peer:
    """A unit that no one here wrote: it publishes envelopes and notes what it is told."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.heard: list[tuple[str, dict[str, Any]]] = []

    async def listen(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            self.heard.append((message.topic.value, json.loads(message.payload)))

    async def says(self, first_seq: int, *events: dict[str, Any], boot: str = BOOT) -> None:
        envelope = {
            "v": 1,
            "boot": boot,
            "first_seq": first_seq,
            "sent_at": "2026-03-24T19:00:00.000Z",
            "events": events,
        }
        await self.client.publish(f"em/v1/{UNIT}/up", json.dumps(envelope), qos=1)

    async def hears(self, topic: str, key: str) -> dict[str, Any]:
        """The first message on a topic that has `key`; taken off the list."""
        async with asyncio.timeout(10):
            while True:
                for index, (where, body) in enumerate(self.heard):
                    if where.startswith(topic) and key in body:
                        return self.heard.pop(index)[1]
                await asyncio.sleep(0.01)


def event(when: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "at": format_ms(when), **fields}


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0]}-{way[1]}")
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Way]:
    name, protocol = request.param
    async with opened(name, tmp_path) as broker:
        yield Way(broker, protocol)


DOWN = f"em/v1/{UNIT}/down"


async def test_acknowledged_after_the_commit_and_alerted_at_the_very_instant(way: Way, tmp_path: Path) -> None:
    clock = VirtualClock(at("18:55"))
    async with unit(way) as peer, running(way, tmp_path / "em.db", clock):
        assert (await peer.hears("em/v1/host", "store"))["online"] is True
        now = clock.now()
        await peer.says(
            1, event(now, "boot", reason="power_on", firmware="1"), event(now, "presence", tag="T-1", in_range=False)
        )
        ack = await peer.hears(DOWN, "ack")
        assert ack["ack"] == {"boot": BOOT, "seq": 2}
        for seq, minute in enumerate(range(56, 66), start=3):
            clock.advance(at("18:00") + minute * MINUTE)
            await peer.says(seq, event(clock.now(), "unit_status", power="mains"))
            assert (await peer.hears(DOWN, "ack"))["n"] > ack["n"]
        clock.advance(at("19:05:01"))
        alert = await peer.hears("em/v1/alerts/P2", "data")
        assert alert["type"] == "emcheck.alert.raised"
        assert alert["data"]["raised_at"] == "2026-03-24T19:05:00.000Z"
        assert alert["data"]["rule"] == "curfew.absence"


async def test_a_hole_is_asked_for_and_duplicates_are_answered(way: Way, tmp_path: Path) -> None:
    clock = VirtualClock(at("12:00"))
    async with unit(way) as peer, running(way, tmp_path / "em.db", clock):
        await peer.says(1, event(clock.now(), "boot", reason="power_on", firmware="1"))
        assert (await peer.hears(DOWN, "ack"))["ack"]["seq"] == 1
        await peer.says(4, event(clock.now(), "unit_status", power="mains"))
        assert (await peer.hears(DOWN, "resend"))["resend"] == {"boot": BOOT, "from": 2, "to": 3}
        await peer.says(
            2, event(clock.now(), "unit_status", power="mains"), event(clock.now(), "unit_status", power="mains")
        )
        while (ack := await peer.hears(DOWN, "ack"))["ack"]["seq"] != 4:
            assert ack["ack"]["seq"] == 1
        await peer.says(4, event(clock.now(), "unit_status", power="mains"))
        assert (await peer.hears(DOWN, "ack"))["ack"]["seq"] == 4


async def test_bad_input_is_kept_whole_and_answered_where_it_can_be_read(way: Way, tmp_path: Path) -> None:
    clock = VirtualClock(at("12:00"))
    async with unit(way) as peer, running(way, tmp_path / "em.db", clock) as service:
        await peer.client.publish(f"em/v1/{UNIT}/up", b"\xff{", qos=1)
        await peer.client.publish("em/v1/BU-9999/up", b"{}", qos=1)
        await peer.says(
            1,
            event(clock.now(), "boot", reason="power_on"),
            {"type": "dance", "at": "x"},
            event(clock.now(), "unit_status"),
        )
        ack = await peer.hears(DOWN, "ack")
        assert ack["ack"]["seq"] == 3
        assert [(r["from"], r["to"]) for r in ack["rejected"]] == [(2, 2)]
        assert service.pipeline.quarantined_total == 3


@pytest.mark.parametrize("orderly", [True, False])
async def test_killed_and_back_it_has_lost_nothing_and_alerts_once(way: Way, tmp_path: Path, orderly: bool) -> None:
    clock = VirtualClock(at("18:58"))
    async with unit(way) as peer:
        async with running(way, tmp_path / "em.db", clock, orderly=orderly):
            out = event(clock.now(), "presence", tag="T-1", in_range=False)
            await peer.says(1, event(clock.now(), "boot", reason="power_on", heartbeat_s=300), out)
            assert (await peer.hears(DOWN, "ack"))["ack"]["seq"] == 2
        clock.advance(at("19:08"))
        async with running(way, tmp_path / "em.db", clock):
            absence = await peer.hears("em/v1/alerts/P2", "data")
            assert (absence["data"]["rule"], absence["data"]["raised_at"]) == (
                "curfew.absence",
                "2026-03-24T19:08:00.000Z",
            )
            assert absence["data"]["late"].startswith(
                "detected late because the service was down from 2026-03-24T18:58:00"
            )
        async with running(way, tmp_path / "em.db", clock):
            await peer.says(3, event(clock.now(), "unit_status", power="mains"))
            assert (await peer.hears(DOWN, "ack"))["ack"]["seq"] == 3
        ids = [body["id"] for topic, body in peer.heard if "alerts" in topic] + [absence["id"]]
        assert len(ids) == len(set(ids))
        assert [body["type"] for topic, body in peer.heard if "alerts" in topic] == []


async def test_the_broker_may_go_and_come_back(way: Way, tmp_path: Path) -> None:
    clock = VirtualClock(at("12:00"))
    async with running(way, tmp_path / "em.db", clock) as service:
        await way.broker.restart()
        async with asyncio.timeout(15):
            while service.troubles():
                await asyncio.sleep(0.02)
        async with unit(way) as peer:
            await peer.says(1, event(clock.now(), "boot", reason="power_on"))
            assert (await peer.hears(DOWN, "ack"))["ack"]["seq"] == 1


async def test_it_says_that_it_is_there_whatever_others_say(way: Way, tmp_path: Path) -> None:
    """A killed session's last will may be spoken after the next session has begun."""
    clock = VirtualClock(at("12:00"))
    async with unit(way) as peer, running(way, tmp_path / "em.db", clock):
        assert (await peer.hears("em/v1/host", "store"))["online"] is True
        for _ in range(3):
            await peer.client.publish("em/v1/host", b'{"online": false}', qos=1, retain=True)
            assert (await peer.hears("em/v1/host", "store"))["online"] is True
    assert (await peer.hears("em/v1/host", "online"))["online"] is False
