"""A night in step over a service that is killed again and again, and a broker that goes and comes back.

The clock moves on only when every unit that has a connection is acknowledged in full, or while the service is
meant to be away. So what the night ends with does not hang on how fast the machine is.
"""

import asyncio
import json
import os
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import aiomqtt

from emcheck.domain.alerts import Alert
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE
from emcheck.domain.register import Register, parse_register
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.ports import InboxRow
from emcheck.service.enrolment import load_register
from emcheck.store.sql import SqlStore
from firmware_sim.mqtt import MqttTown
from firmware_sim.run import World
from firmware_sim.scenario import Scenario
from firmware_sim.uplink import Outgoing
from tests.service.nursery import Nursery, SharedClock

STEP_MS = MINUTE
_NUDGE_MS = 2_000
"""A unit that is back waits up to two seconds before it repeats: time that must pass where nothing else moves it."""
_IN_FLIGHT_S = 0.02
"""What a killed service had sent before has arrived by then."""
PATIENCE_S = 30.0
"""How long a good service may be waited for; it answers in milliseconds."""


class Blow(NamedTuple):
    """What befalls the service in one step of the night: `kind` and how long after the units spoke, in real seconds."""

    kind: str
    after_s: float = 0.0
    away_steps: int = 0


def blows(seed: int, steps: int, counts: Mapping[str, int]) -> dict[int, Blow]:
    """So many blows of each kind, each in a step of its own; no step while the service is away is hit again."""
    chance = random.Random(seed)
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    chance.shuffle(kinds)
    slot = (steps - 20) // len(kinds)
    found = {}
    for index, kind in enumerate(kinds):
        away = chance.randrange(2, max(3, slot - 1)) if kind == "away" else 0
        step = 10 + index * slot + chance.randrange(max(1, slot - away))
        after_s = chance.random() * (0.25 if kind == "starting" else 0.03)
        found[step] = Blow(kind, after_s, away)
    return found


def mines(seed: int) -> Iterator[dict[str, Any]]:
    """A mine for each life. Frequent acts are counted further, so that a life lasts some minutes of the night."""
    chance = random.Random(f"{seed}/mines")
    while True:
        method = chance.choice(["commit", "commit", "send", "publish_alert", "outbox_delivered"])
        count = chance.randrange(1, 25) if method in ("commit", "send") else 1
        yield {"method": method, "count": count, "when": chance.choice(["before", "after"])}


class RecordedWorld(World):
    """A world that notes every number its units ever sent."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario, live=True)
        self.sent: dict[tuple[str, str], set[int]] = {}

    def step(self, until_ms: Ms) -> list[Outgoing]:
        messages = super().step(until_ms)
        for message in messages:
            if message.envelope is not None:
                boot, first, last = message.envelope
                self.sent.setdefault((message.unit, boot), set()).update(range(first, last + 1))
        return messages

    def acknowledged(self) -> dict[tuple[str, str], int]:
        """Up to which number of each boot the units were told that all is safe."""
        return {
            (name, boot): log.acked_seq
            for name, receiver in self._receivers.items()
            for boot, log in receiver.flash.log.boots.items()
        }

    def waiting(self) -> list[str]:
        """Units that could be answered and have something that nobody acknowledged."""
        return [
            f"{name}{'' if receiver.connected else ' (not connected)'} {list(receiver.flash.log.unacknowledged())[:9]}"
            for name, receiver in self._receivers.items()
            if receiver.unit is not None
            and not receiver.faults
            and (not receiver.connected or receiver.flash.log.unacknowledged_count())
        ]


class _Ledger:
    """What is committed, read past our own code: all that was ever acknowledged must be there at any moment."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._last_row = 0
        self._held: dict[tuple[str, str], set[int]] = {}

    def check(self, acknowledged: Mapping[tuple[str, str], int]) -> None:
        """Every number that a unit was told is safe is committed, or declared lost."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as reader:
            rows = reader.execute(
                "SELECT row_id, name, payload FROM inbox JOIN unit USING (unit_no)"
                " WHERE row_id > ? AND kind = 0 ORDER BY row_id",
                (self._last_row,),
            ).fetchall()
        for self._last_row, unit, payload in rows:
            body = json.loads(payload)
            numbers = range(body["first_seq"], body["first_seq"] + len(body["events"]))
            self._held.setdefault((unit, body["boot"]), set()).update(numbers)
            for event in body["events"]:
                if event["type"] == "lost":
                    lost = range(event["from"], event["to"] + 1)
                    self._held.setdefault((unit, event["boot"]), set()).update(lost)
        for name, seq in acknowledged.items():
            missing = set(range(1, seq + 1)) - self._held.get(name, set())
            assert not missing, f"{name} was acknowledged up to {seq}, but {missing} was not committed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What is left of a night: in the database, with the units, and with whoever watched the queue."""

    register: Register
    sent: Mapping[tuple[str, str], set[int]]
    inbox: Sequence[InboxRow]
    findings: Sequence[Finding]
    alerts: Sequence[Alert]
    actions: Mapping[str, list[str]]
    owed: Mapping[str, bytes]
    heard: Mapping[str, set[bytes]]
    deliveries: int
    exits: Mapping[int, int]
    """How often the service ended with which exit code; -9: killed, 0: an orderly stop."""


@dataclass(slots=True)
class _Night:
    nursery: Nursery
    broker: EmbeddedBroker
    order: dict[str, Any]
    clock: SharedClock
    world: RecordedWorld
    town: MqttTown
    ledger: "_Ledger"
    mines: Iterator[dict[str, Any]] | None
    service: int = 0
    ended: asyncio.Task[int] | None = None
    exits: Counter[int] = field(default_factory=Counter)

    async def start(self) -> None:
        mine = next(self.mines) if self.mines is not None else None
        self.service = await self.nursery.born({**self.order, "mine": mine})
        self.ended = asyncio.create_task(self.nursery.buried(self.service))

    async def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send it a signal, unless a mine was first, and wait for its end."""
        if self.ended is not None:
            if not self.ended.done():
                with suppress(ProcessLookupError):  # a mine went off this very instant
                    os.kill(self.service, how)
            self.exits[await self.ended] += 1
            self.ended = None
            await asyncio.sleep(_IN_FLIGHT_S)
            self.ledger.check(self.world.acknowledged())

    async def through(self, until: Ms, planned: Mapping[int, Blow]) -> None:
        step, back_at = 0, 0
        while self.clock.now() < until:
            self.clock.advance(min(self.clock.now() + STEP_MS, until))
            step += 1
            telling = asyncio.create_task(self.town.publish_due(self.clock.now()))
            if (blow := planned.get(step)) is not None:
                await self._strike(blow)
                back_at = step + blow.away_steps
            if self.ended is None and step >= back_at:
                await self.start()
            await telling
            if self.ended is not None:
                await self._settled()

    async def _strike(self, blow: Blow) -> None:
        await asyncio.sleep(blow.after_s)
        if blow.kind != "broker":
            await self.end()
        if blow.kind in ("broker", "both"):
            await self.broker.restart()
        if blow.kind == "starting":
            await self.start()
            await asyncio.sleep(blow.after_s)
            await self.end()

    async def _settled(self) -> None:
        """Until every unit that has, or could have, a connection is acknowledged in full."""
        loop = asyncio.get_running_loop()
        began = again = loop.time()
        while waiting := self.world.waiting():
            if self.ended is not None and self.ended.done():
                await self.end()
                await self.start()
            if loop.time() - began > PATIENCE_S:
                log = await asyncio.to_thread(Path(self.order["log"]).read_text)
                raise AssertionError(f"not answered within {PATIENCE_S:.0f} s: {waiting}\n{log[-3000:]}")
            if loop.time() - again > 0.5:
                again = loop.time()
                self.clock.advance(self.clock.now() + _NUDGE_MS)
                await self.town.publish_due(self.clock.now())
                await self.town.resend_unacked()
            await asyncio.sleep(0.002)


async def run(
    scenario: Scenario, folder: Path, planned: Mapping[int, Blow], mined: Iterator[dict[str, Any]] | None = None
) -> Aftermath:
    """The whole scenario, with the blows by step and a mine for each life; `folder` is new."""
    world = RecordedWorld(scenario)
    register = parse_register(json.dumps(world.register()))
    clock = SharedClock.begin(folder, scenario.start_ms)
    url = f"sqlite:///{folder / 'emcheck.db'}"
    store = SqlStore(url)
    await store.open()
    await load_register(store, register, clock.now())
    await store.close()
    queue = _Queue()
    async with EmbeddedBroker(store_dir=folder / "broker") as broker, Nursery() as nursery:
        order = {
            "clock": str(folder / "clock"),
            "log": str(folder / "log"),
            "settings": {
                "mqtt": {"port": broker.port, "reconnect_first_s": 0.05, "reconnect_most_s": 0.5},
                "store": {"url": url},
                "http": {"enabled": False},
                "alerting": {"log": {"enabled": False}},
                "logging": {"format": "json"},
            },
        }
        town = MqttTown(world, host=broker.host, port=broker.port, clock=clock)
        night = _Night(nursery, broker, order, clock, world, town, _Ledger(folder / "emcheck.db"), mined)
        async with _operator(broker, queue):
            await night.start()
            async with town:
                await night.through(scenario.end_ms, planned)
                night.mines = None
                await night.end()
                said = len(queue.host)
                await night.start()
                await queue.until_online(said, folder / "log")
                await _delivered(url)
            await night.end(signal.SIGTERM)
    return await _aftermath(url, register, world, queue, night.exits)


@dataclass(slots=True)
class _Queue:
    """What came on the monitoring queue: each event's bodies, and how many deliveries; and all that the host said."""

    heard: dict[str, set[bytes]] = field(default_factory=dict)
    deliveries: int = 0
    host: list[dict[str, Any]] = field(default_factory=lambda: [{"online": False}])

    async def until_online(self, said: int, log: Path) -> None:
        """Until the host says, after the first `said` words, that it is there.

        Not that it was away before: a broker may swallow the last will of a session that another one takes over.
        """
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(self.host) == said or not self.host[-1]["online"]:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            text = await asyncio.to_thread(log.read_text)
            raise AssertionError(f"the host does not say that it is there: {self.host[-9:]}\n{text[-3000:]}") from None


@asynccontextmanager
async def _operator(broker: EmbeddedBroker, queue: _Queue) -> AsyncIterator[None]:
    """Watches the queue, and comes back when the broker does, which keeps for it what comes meanwhile."""

    async def watch() -> None:
        while True:
            with suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(
                    broker.host, broker.port, identifier="operator", clean_session=False
                ) as client:
                    await client.subscribe([("em/v1/alerts/+", 1), ("em/v1/host", 1)])
                    async for message in client.messages:
                        body = bytes(message.payload)
                        told = json.loads(body)
                        if message.topic.value == "em/v1/host":
                            queue.host.append(told)
                            continue
                        queue.heard.setdefault(told["id"], set()).add(body)
                        queue.deliveries += 1
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch(), name="operator")
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _delivered(url: str) -> None:
    """Until nothing is owed to the queue."""
    store = SqlStore(url, read_only=True)
    await store.open()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await store.outbox_after("mqtt", limit=1):
                await asyncio.sleep(0.05)
    finally:
        await store.close()


async def _aftermath(
    url: str,
    register: Register,
    world: RecordedWorld,
    queue: _Queue,
    exits: Mapping[int, int],
) -> Aftermath:
    store = SqlStore(url, read_only=True)
    await store.open()
    try:
        alerts = await store.alerts(open_only=False)
        return Aftermath(
            register=register,
            sent=world.sent,
            inbox=[row async for row in store.inbox_after(0)],
            findings=await store.findings(),
            alerts=alerts,
            actions={a.alert_id: [c.action for c in await store.alert_history(a.alert_id)] for a in alerts},
            owed={item.event_id: item.body for item in await store.outbox_after("nobody", limit=1 << 30)},
            heard=queue.heard,
            deliveries=queue.deliveries,
            exits=exits,
        )
    finally:
        await store.close()
