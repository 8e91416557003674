"""The service inside the test's own process, on a clock that the test moves."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from emcheck.alerting.publishers import MqttPublisher
from emcheck.clock import VirtualClock
from emcheck.domain.instants import MINUTE
from emcheck.domain.register import Register
from emcheck.ingest.mqtt import MqttTransport
from emcheck.ports import Publisher
from emcheck.service.app import Options, Service
from emcheck.service.enrolment import load_register
from emcheck.store.sql import SqlStore
from tests.service.brokers import Broker
from tests.support import england, register

PATIENCE_S = 60.0


@contextlib.asynccontextmanager
async def living(
    broker: Broker,
    database: Path,
    clock: VirtualClock,
    *,
    known: Register | None = None,
    protocol: Literal["3.1.1", "5"] = "3.1.1",
    publishers: Callable[[MqttTransport], Sequence[Publisher]] = lambda transport: [MqttPublisher(transport)],
    orderly: bool = True,
    **options: Any,
) -> AsyncIterator[Service]:
    """The service for the length of a block; without `orderly` it is cut off as a kill would."""
    store = SqlStore(f"sqlite:///{database}", busy_timeout_ms=100)
    await store.open()
    if await store.register() is None:
        await load_register(store, known or register(), clock.now())
    transport = MqttTransport(
        host=broker.host,
        port=broker.port,
        protocol=protocol,
        clock=clock,
        store_id=store.database_id,
        reconnect_first_s=0.05,
    )
    service = Service(
        store=store,
        transport=transport,
        publishers=publishers(transport),
        policy=england(),
        clock=clock,
        options=Options(**{"linger_s": 0.005, "ack_every_s": 0.0, "alive_every_ms": MINUTE, **options}),
    )
    task = asyncio.create_task(service.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            while service.troubles() and not task.done():
                await asyncio.sleep(0.01)
        yield service
    finally:
        if orderly:
            service.stop()
        else:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await store.close()


@contextlib.asynccontextmanager
async def locked(database: Path) -> AsyncIterator[None]:
    """A shell that began to write and went to lunch; the service, in the same loop, may end its own writing first."""
    shell = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    try:
        await asyncio.to_thread(shell.execute, "BEGIN IMMEDIATE")
        yield
        shell.execute("ROLLBACK")
    finally:
        shell.close()
