"""Mosquitto with Debian's own clients, which no one here wrote: what they publish is taken, what they see is told."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from emcheck.domain.instants import format_ms
from tests.programs import program
from tests.service.brokers import Mosquitto
from tests.service.served import PATIENCE_S, serving
from tests.support import BOOT, nightly, order

UNIT = "BU-0001"
MARK = "test/mark"
"""Retained: whoever hears it has subscribed."""
VERSIONS: list[Literal["3.1.1", "5"]] = ["3.1.1", "5"]
REGISTER = {
    "version": 1,
    "wearers": [{"wearer_id": "W-1"}],
    "orders": [order(ends_at="2099-01-01T00:00:00Z", curfew=nightly())],
    "installations": [{"unit": UNIT, "address_id": "A-1", "installed_at": "2026-03-01T00:00:00Z"}],
    "fittings": [{"tag": "T-1", "wearer_id": "W-1", "fitted_at": "2026-03-01T00:00:00Z", "validation": "validated"}],
}


class Subscriber:
    """A `mosquitto_sub` that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._heard: list[tuple[str, dict[str, Any]]] = []

    async def _line(self) -> str:
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await self._process.stdout.readline()
        assert line, "mosquitto_sub ended"
        return line.decode().rstrip("\n")

    async def hears(self, topic: str, *keys: str) -> dict[str, Any]:
        """The first message on a topic that has these keys, and is not taken yet."""
        while True:
            for index, (where, body) in enumerate(self._heard):
                if where == topic and all(key in body for key in keys):
                    return self._heard.pop(index)[1]
            where, _, text = (await self._line()).partition(" ")
            self._heard.append((where, json.loads(text)))


class Clients:
    """Debian's clients at one broker, in one version of MQTT."""

    def __init__(self, broker: Mosquitto, protocol: Literal["3.1.1", "5"]) -> None:
        self._publisher = program("mosquitto_pub", package="mosquitto-clients")
        self._subscriber = program("mosquitto_sub", package="mosquitto-clients")
        version = "mqttv5" if protocol == "5" else "mqttv311"
        self._common = ["-h", broker.host, "-p", str(broker.port), "-V", version, "-q", "1"]

    async def publish(self, topic: str, payload: bytes, *more: str) -> None:
        process = await asyncio.create_subprocess_exec(
            self._publisher, *self._common, "-t", topic, "-s", *more, stdin=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE_S):
            await process.communicate(payload)
        assert process.returncode == 0

    @asynccontextmanager
    async def subscribe(self, *topics: str) -> AsyncIterator[Subscriber]:
        chosen = [word for topic in (*topics, MARK) for word in ("-t", topic)]
        process = await asyncio.create_subprocess_exec(
            self._subscriber, *self._common, "-v", *chosen, stdout=asyncio.subprocess.PIPE
        )
        subscriber = Subscriber(process)
        try:
            await subscriber.hears(MARK)
            yield subscriber
        finally:
            process.kill()
            await process.communicate()

    async def retained(self, topic: str) -> dict[str, Any]:
        """What the broker holds under a topic."""
        async with self.subscribe(topic) as subscriber:
            return await subscriber.hears(topic)


@asynccontextmanager
async def installation(folder: Path, protocol: Literal["3.1.1", "5"]) -> AsyncIterator[tuple[Clients, dict[str, Any]]]:
    async with Mosquitto(folder=folder) as broker:
        settings = {"mqtt": {"host": broker.host, "port": broker.port, "protocol": protocol}}
        clients = Clients(broker, protocol)
        await clients.publish(MARK, b"{}", "-r")
        yield clients, settings


def envelope(first_seq: int, *events: dict[str, Any]) -> bytes:
    return json.dumps({"v": 1, "boot": BOOT, "first_seq": first_seq, "events": list(events)}).encode()


def event(type_: str, **fields: Any) -> dict[str, Any]:
    return {"type": type_, "at": format_ms(time.time_ns() // 1_000_000), **fields}


async def acknowledged(subscriber: Subscriber) -> Sequence[object]:
    body = await subscriber.hears(f"em/v1/{UNIT}/down", "ack", "now", "store", "n")
    return [body["v"], body["ack"]["boot"], body["ack"]["seq"]]


@pytest.mark.parametrize("protocol", VERSIONS)
async def test_what_they_publish_is_acknowledged_and_alerted(tmp_path: Path, protocol: Literal["3.1.1", "5"]) -> None:
    async with (
        installation(tmp_path, protocol) as (clients, settings),
        serving(tmp_path, settings, REGISTER) as served,
        clients.subscribe(f"em/v1/{UNIT}/down", "em/v1/alerts/+") as subscriber,
    ):
        await served.ready()
        await clients.publish(f"em/v1/{UNIT}/up", envelope(1, event("boot", reason="power_on")))
        assert await acknowledged(subscriber) == [1, BOOT, 1]
        await clients.publish(f"em/v1/{UNIT}/up", b"no envelope at all")
        await clients.publish("em/v1/BU-9999/up", envelope(1, event("boot", reason="power_on")))
        for priority, rule, subject in (
            ("P3", "evidence.rejected", UNIT),
            ("P2", "evidence.unknown_device", "BU-9999"),
        ):
            alert = await subscriber.hears(f"em/v1/alerts/{priority}", "specversion", "data")
            assert (alert["type"], alert["data"]["rule"], alert["subject"]) == ("emcheck.alert.raised", rule, subject)
        assert await served.end() == 0


@pytest.mark.parametrize("protocol", VERSIONS)
async def test_the_host_s_word_is_retained_and_its_last_will_spoken(
    tmp_path: Path, protocol: Literal["3.1.1", "5"]
) -> None:
    async with installation(tmp_path, protocol) as (clients, settings):
        async with serving(tmp_path, settings, REGISTER) as served:
            await served.ready()
            online = await clients.retained("em/v1/host")
            assert online["online"] is True
            assert len(online["store"]) == 26
            async with clients.subscribe("em/v1/host") as subscriber:
                assert (await subscriber.hears("em/v1/host"))["online"] is True
                assert await served.end(signal.SIGKILL) == -signal.SIGKILL
                assert await subscriber.hears("em/v1/host") == {"online": False}
        assert await clients.retained("em/v1/host") == {"online": False}
        async with serving(tmp_path, settings) as served:
            await served.ready()
            assert await clients.retained("em/v1/host") == online
            assert await served.end() == 0
        assert await clients.retained("em/v1/host") == {"online": False}


@pytest.mark.parametrize("protocol", VERSIONS)
async def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path, protocol: Literal["3.1.1", "5"]) -> None:
    async with (
        installation(tmp_path, protocol) as (clients, settings),
        clients.subscribe(f"em/v1/{UNIT}/down") as subscriber,
    ):
        async with serving(tmp_path, settings, REGISTER) as served:
            await served.ready()
            boot = event("boot", reason="power_on")
            await clients.publish(f"em/v1/{UNIT}/up", envelope(1, boot, event("unit_status")))
            assert await acknowledged(subscriber) == [1, BOOT, 2]
            await served.end(signal.SIGKILL)
        async with serving(tmp_path, settings) as served:
            await served.ready()
            await clients.publish(f"em/v1/{UNIT}/up", envelope(4, event("unit_status")))
            asked = await subscriber.hears(f"em/v1/{UNIT}/down", "resend")
            assert asked["resend"] == {"boot": BOOT, "from": 3, "to": 3}
            await clients.publish(f"em/v1/{UNIT}/up", envelope(3, event("unit_status")))
            while (told := await acknowledged(subscriber)) != [1, BOOT, 4]:
                assert told == [1, BOOT, 2]
