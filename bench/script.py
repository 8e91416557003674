"""(b) The script that somebody would write instead: everything by hand, one message at a time.

It keeps every message and tells who is out during a curfew. It does not validate, notices neither silence nor gaps
nor repeats, is wrong about late data, acknowledges nothing and forgets its state when it is restarted.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path

import aiomqtt

CURFEW = (time(19, 0), time(7, 0))


def in_curfew(at: datetime) -> bool:
    """Whether a time of day is within the night's curfew."""
    start, end = CURFEW
    return at.time() >= start or at.time() < end


class Checker:
    """One table, one dictionary."""

    def __init__(self, database: Path) -> None:
        self.database = sqlite3.connect(database)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = FULL")
        self.database.execute("CREATE TABLE events (unit TEXT, at TEXT, type TEXT, body TEXT)")
        self.database.execute("CREATE TABLE alerts (unit TEXT, tag TEXT, at TEXT)")
        self.at_home: dict[str, bool] = {}

    def take(self, unit: str, payload: bytes) -> None:
        """Store one message and look at each of its events."""
        events = json.loads(payload)["events"]
        for event in events:
            row = (unit, event["at"], event["type"], json.dumps(event))
            self.database.execute("INSERT INTO events VALUES (?, ?, ?, ?)", row)
            self.look(unit, event)
        self.database.commit()

    def look(self, unit: str, event: dict[str, object]) -> None:
        """Alert who has left during a curfew."""
        if event["type"] not in ("presence", "report"):
            return
        tag, at_home = str(event["tag"]), bool(event.get("in_range", event.get("heard")))
        at = datetime.fromisoformat(str(event["at"]))
        if self.at_home.get(tag, True) and not at_home and in_curfew(at):
            self.database.execute("INSERT INTO alerts VALUES (?, ?, ?)", (unit, tag, at.isoformat()))
        self.at_home[tag] = at_home


async def consume(
    host: str, port: int, database: Path, *, ready: asyncio.Event, committed: Callable[[int], None]
) -> None:
    """Consume until cancelled."""
    checker = Checker(database)
    async with aiomqtt.Client(host, port, identifier="script") as client:
        await client.subscribe("em/v1/+/up", qos=1)
        ready.set()
        async for message in client.messages:
            if isinstance(message.payload, bytes):
                checker.take(message.topic.value.split("/")[2], message.payload)
                committed(1)
