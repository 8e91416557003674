"""(c) emcheck itself: the real service on SQLite and a real broker, as `emcheck serve` puts it together."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from bench import town
from emcheck.alerting.publishers import MqttPublisher
from emcheck.domain.ids import Ms
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.ingest.mqtt import MqttTransport
from emcheck.ports import Commit, StoredRegister
from emcheck.service.app import Options, Service
from emcheck.service.running import quiet_logging
from emcheck.store.sql import SqlStore


class WatchedStore(SqlStore):
    """The service's store; tells how many messages each commit made durable and how long the oldest had waited."""

    committed: Callable[[int], None] = staticmethod(lambda messages: None)
    waited_most_ms: Ms = 0

    async def commit(self, commit: Commit) -> None:
        """As the store does, then tell."""
        await super().commit(commit)
        received = [row.received_at for row in commit.inbox if row.kind == "up"]
        if received:
            self.waited_most_ms = max(self.waited_most_ms, self._clock.now() - received[0])
            self.committed(len(received))


class SceneClock:
    """The machine's clock, moved to the hour at which a scene plays; it stands still until `go`."""

    def __init__(self, hour: float = 21.0) -> None:
        self._ahead_ms: Ms = 0
        self._standing: Ms | None = None
        self._standing = town.evening(self.now(), hour)

    def now(self) -> Ms:
        """The present instant of the scene."""
        return time.time_ns() // 1_000_000 + self._ahead_ms if self._standing is None else self._standing

    def go(self) -> None:
        """The scene begins: how long it took to start plays no part."""
        if self._standing is not None:
            self._ahead_ms, self._standing = self._standing - time.time_ns() // 1_000_000, None

    def forward_to(self, at: Ms) -> None:
        """Leap to an instant that is still to come; ValueError where it is not."""
        if at < self.now():
            raise ValueError("this machine was too slow for the scene: its hour has passed")
        self._ahead_ms += at - self.now()

    async def sleep_until(self, at: Ms) -> None:
        """Sleep in short slices: the clock may leap meanwhile."""
        while (left_ms := at - self.now()) > 0:
            await asyncio.sleep(min(left_ms / 1000, 0.5))


@dataclass(frozen=True, slots=True)
class Running:
    """The service at work."""

    service: Service
    store: WatchedStore
    task: asyncio.Task[None]

    async def settled(self) -> None:
        """Wait until what was committed is acknowledged too, as far as it is due."""
        async with self.service.pipeline.turn:
            pass

    def answered(self) -> int:
        """Acknowledgements sent so far."""
        return round(self.service.readings()["acknowledgements_total"][1])

    def check(self) -> None:
        """RuntimeError where the load was not taken whole: then nothing of it is worth a figure."""
        bad = {name: self.service.readings()[name][1] for name in ("dropped_total", "quarantined_total")}
        if any(bad.values()):
            raise RuntimeError(f"messages were dropped or refused: {bad}")


@contextlib.asynccontextmanager
async def running(broker: EmbeddedBroker, folder: Path, known: bytes, clock: SceneClock) -> AsyncIterator[Running]:
    """The service with a register (its JSON, as the store keeps it) in force, connected; stopped at the end."""
    quiet_logging()
    store = WatchedStore(f"sqlite+aiosqlite:///{folder / 'emcheck.db'}", clock=clock)
    await store.open()
    await store.save_register(StoredRegister(hashlib.sha256(known).hexdigest(), clock.now(), known), [])
    del known  # `emcheck register load` is another process: its hundred megabytes are not the service's
    transport = MqttTransport(host=broker.host, port=broker.port, clock=clock, store_id=store.database_id)
    service = Service(
        store=store,
        transport=transport,
        publishers=[MqttPublisher(transport)],
        policy=town.policy(),
        clock=clock,
        options=Options(stop_within_s=60.0),
    )
    task = asyncio.create_task(service.run(), name="service")
    try:
        while not transport.connected:
            if task.done():
                task.result()
            await asyncio.sleep(0.02)
        clock.go()
        yield Running(service, store, task)
    finally:
        service.stop()
        await task
        await store.close()
