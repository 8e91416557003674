"""(a) The limit: what this machine and these libraries give when nothing is judged and nobody is answered.

A bare aiomqtt consumer that validates every envelope and inserts batches of 500 messages, or of what came in
50 ms, into SQLite with the service's own durability.
"""

import asyncio
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
    async with aiomqtt.Client(host, port, identifier="limit") as client:
        await client.subscribe(topics.UP_FILTER, qos=1)
        ready.set()
        queue: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(_validate(client, queue))
            group.create_task(_insert(connection, queue, committed))


async def _validate(client: aiomqtt.Client, queue: asyncio.Queue[tuple[str, bytes]]) -> None:
    async for message in client.messages:
        if isinstance(message.payload, bytes):
            decode(message.payload)
            queue.put_nowait((message.topic.value, message.payload))


async def _insert(
    connection: sqlite3.Connection, queue: asyncio.Queue[tuple[str, bytes]], committed: Callable[[int], None]
) -> None:
    def insert(rows: list[tuple[str, bytes]]) -> None:
        with connection:
            connection.executemany("INSERT INTO inbox (unit, payload) VALUES (?, ?)", rows)

    while True:
        rows = [await queue.get()]
        if queue.qsize() < BATCH:
            await asyncio.sleep(LINGER_S)
        rows += [queue.get_nowait() for _ in range(min(queue.qsize(), BATCH - 1))]
        await asyncio.to_thread(insert, rows)
        committed(len(rows))
