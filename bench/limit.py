"""(a) The limit: what this machine and these libraries give when nothing is judged and nobody is answered.

A bare aiomqtt consumer that validates every envelope and inserts batches of 500 messages, or of what came in
50 ms, into SQLite with the service's own durability.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import aiomqtt

from emcheck.wire import topics
from emcheck.wire.codec import decode

BATCH = 500
LINGER_S = 0.05


async def consume(
    host: str, port: int, database: Path, *, ready: asyncio.Event, committed: Callable[[int], None]
) -> None:
    """Consume until cancelled."""
    connection = sqlite3.connect(database, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE inbox (row_id INTEGER PRIMARY KEY, unit TEXT, payload BLOB)")
    waiting: list[tuple[str, bytes]] = []
    some, enough = asyncio.Event(), asyncio.Event()
    async with aiomqtt.Client(host, port, identifier="limit") as client, asyncio.TaskGroup() as group:
        await client.subscribe(topics.UP_FILTER, qos=1)
        ready.set()
        group.create_task(_insert(connection, waiting, some, enough, committed), name="insert")
        async for message in client.messages:
            if isinstance(message.payload, bytes):
                decode(message.payload)
                waiting.append((message.topic.value, message.payload))
                some.set()
                if len(waiting) >= BATCH:
                    enough.set()


async def _insert(
    connection: sqlite3.Connection,
    waiting: list[tuple[str, bytes]],
    some: asyncio.Event,
    enough: asyncio.Event,
    committed: Callable[[int], None],
) -> None:
    def insert(rows: list[tuple[str, bytes]]) -> None:
        with connection:
            connection.executemany("INSERT INTO inbox (unit, payload) VALUES (?, ?)", rows)

    while True:
        await some.wait()
        if len(waiting) < BATCH:
            enough.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await enough.wait()
        rows = waiting[:BATCH]
        del waiting[:BATCH]
        if not waiting:
            some.clear()
        await asyncio.to_thread(insert, rows)
        committed(len(rows))
