"""Good units over real MQTT: they speak, send again what is not acknowledged, and wait until it is."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiomqtt

PATIENCE_S = 60.0
_AGAIN_S = 2.0


class GoodUnit:
    """One of them. Its boot is made of its name, so that it is the same after a restart of the test's service."""

    def __init__(self, unit: str, client: aiomqtt.Client) -> None:
        self.unit = unit
        self.boot = f"01HN{unit.replace('-', '').replace('U', 'V'):0>22}"
        self.seq = self.acknowledged = 0
        self.config: dict[str, Any] = {}
        """What it was last told to hold."""
        self._client = client
        self._kept: list[tuple[int, bytes]] = []
        self._answered = asyncio.Event()

    async def says(self, *events: dict[str, Any]) -> None:
        """Publish them as one envelope."""
        body = {"v": 1, "boot": self.boot, "first_seq": self.seq + 1, "events": list(events)}
        self.seq += len(events)
        self._kept.append((self.seq, json.dumps(body).encode()))
        await self._publish(self._kept[-1][1])

    async def _publish(self, payload: bytes) -> None:
        await self._client.publish(f"em/v1/{self.unit}/up", payload, qos=1, timeout=PATIENCE_S)

    async def is_acknowledged(self) -> None:
        """Until all of it is, sending again from time to time."""
        async with asyncio.timeout(PATIENCE_S):
            while self.acknowledged < self.seq:
                self._answered.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_AGAIN_S):
                        await self._answered.wait()
                    continue
                for _, payload in self._kept:
                    await self._publish(payload)

    def hears(self, payload: bytes) -> None:
        """A message on its `down` topic."""
        told = json.loads(payload)
        self.config = told.get("config", self.config)
        if "ack" in told and told["ack"]["boot"] == self.boot:
            self.acknowledged = max(self.acknowledged, told["ack"]["seq"])
            self._kept = [(last, kept) for last, kept in self._kept if last > self.acknowledged]
            self._answered.set()


@asynccontextmanager
async def good_units(host: str, port: int, names: Sequence[str]) -> AsyncIterator[list[GoodUnit]]:
    """They share one connection."""
    async with aiomqtt.Client(host, port, identifier="good-units") as client:
        good = {name: GoodUnit(name, client) for name in names}
        await client.subscribe([(f"em/v1/{name}/down", 0) for name in good])

        async def listen() -> None:
            async for message in client.messages:
                good[message.topic.value.split("/")[2]].hears(bytes(message.payload))

        listening = asyncio.create_task(listen())
        try:
            yield list(good.values())
        finally:
            listening.cancel()
