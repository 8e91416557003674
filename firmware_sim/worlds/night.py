"""A night in step: the clock moves on only when every unit's events are acknowledged and what was due is committed.

So a slow machine is never taken for a late person, and the same seed gives the same night.
"""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emcheck.alerting.publishers import MqttPublisher
from emcheck.clock import VirtualClock
from emcheck.domain.engine import Engine
from emcheck.domain.findings import Finding
from emcheck.domain.ids import Ms
from emcheck.domain.instants import SECOND
from emcheck.domain.policy import Policy
from emcheck.domain.register import Register, parse_register
from emcheck.ingest.embedded import BrokerError, EmbeddedBroker
from emcheck.ingest.mqtt import MqttTransport
from emcheck.service.app import Beside, Options, Service
from emcheck.service.enrolment import load_register
from emcheck.store.sql import SqlStore
from emcheck.wire.signing import seal
from firmware_sim.mqtt import MqttTown
from firmware_sim.run import World
from firmware_sim.scenario import Scenario
from firmware_sim.town import service_key

STEP_MS: Ms = 30 * SECOND
"""Virtual time between two looks at the town: what is told is half a minute late at most."""
_ANSWER_WITHIN_S = 20.0
_TRIES = 5
"""A step that takes longer in real time than this is a fault of the program, not of a slow machine."""


class OutOfStepError(RuntimeError):
    """An acknowledgement or a decision did not come; the message names what was waited for."""


@dataclass(frozen=True, slots=True)
class Night:
    """What a night ended with."""

    register: Register
    engine: Engine
    findings: list[Finding]
    until: Ms
    alerts: list[dict[str, Any]]
    events: int
    service_troubles: list[str]


async def _nothing(_night: Night) -> None:
    return None


@dataclass(slots=True)
class Watcher:
    """What the caller wants to be told while the night goes on."""

    opened: Callable[[str, int, int], None] = lambda broker, units, wearers: None
    alert: Callable[[dict[str, Any]], None] = lambda event: None
    moved: Callable[[Ms, int], None] = lambda now, events: None
    ended: Callable[[Night], Awaitable[None]] = _nothing


async def run_night(
    scenario: Scenario,
    policy: Policy,
    folder: Path,
    *,
    watcher: Watcher,
    seed: int | None = None,
    console: Callable[[SqlStore, VirtualClock], Awaitable[Beside]] | None = None,
    stays: bool = False,
    officer: str | None = None,
) -> Night:
    """The whole scenario over a real broker and a new database in `folder`.

    A `console` runs beside it. What `stays` serves on when the night is over, until it is cancelled: the clock stands,
    nothing more comes. Every other wearer is a case of `officer`, where one is named.
    """
    world = World(scenario, seed, live=True)
    register = parse_register(json.dumps(_with(officer, world.register())))
    clock = VirtualClock(scenario.start_ms)
    key = service_key(world.town)
    alerts: list[dict[str, Any]] = []

    def heard(event: dict[str, Any]) -> None:
        alerts.append(event)
        watcher.alert(event)

    async with EmbeddedBroker(store_dir=folder / "broker") as broker, _store(folder, register, clock) as store:
        transport = MqttTransport(host=broker.host, port=broker.port, clock=clock, store_id=store.database_id)
        service = Service(
            store=store,
            transport=transport,
            publishers=[MqttPublisher(transport)],
            policy=policy,
            clock=clock,
            beside={} if console is None else {"console": await console(store, clock)},
            options=_options(key),
        )
        async with _queue_watched(broker, heard), _running(service, transport):
            town = MqttTown(world, host=broker.host, port=broker.port, clock=clock)
            await town.connect()
            watcher.opened(f"{broker.host}:{broker.port}", len(world.units), len(register.wearers))
            try:
                await _through_the_night(scenario, service, transport, town, clock, watcher)
                await _told(service, alerts)
            finally:
                await town.close()
            async with service.pipeline.turn:
                found = await service.pipeline.judge_all(clock.now())
            night = Night(
                register, service.pipeline.engine, found, clock.now(), alerts, service.pipeline.events_total,
                service.troubles(),
            )  # fmt: skip
            await watcher.ended(night)
            if stays:
                await asyncio.Event().wait()
            return night


def _with(officer: str | None, register: dict[str, Any]) -> dict[str, Any]:
    """The register with an officer's cases: every other wearer's orders name them."""
    wearers = sorted({order["wearer_id"] for order in register["orders"]})[::2] if officer is not None else []
    named = [order | ({"officer": officer} if order["wearer_id"] in wearers else {}) for order in register["orders"]]
    return register | {"orders": named}


def _options(key: Ed25519PrivateKey | None) -> Options:
    return Options(
        linger_s=0.001,
        ack_every_s=0.0,
        alive_every_ms=600 * SECOND,
        seal=None if key is None else functools.partial(seal, key=key),
    )


async def _through_the_night(
    scenario: Scenario,
    service: Service,
    transport: MqttTransport,
    town: MqttTown,
    clock: VirtualClock,
    watcher: Watcher,
) -> None:
    while clock.now() < scenario.end_ms:
        clock.advance(min(clock.now() + STEP_MS, scenario.end_ms))
        await _settled(service, transport, town, clock.now())
        watcher.moved(clock.now(), service.pipeline.events_total)


async def _settled(service: Service, transport: MqttTransport, town: MqttTown, now: Ms) -> None:
    """Every event acknowledged, everything due before now committed."""
    await town.publish_due(now)
    for _ in range(_TRIES):
        if await town.acknowledged(within_s=_ANSWER_WITHIN_S / _TRIES):
            break
        await town.resend_unacked()  # an answer at QoS 0 may have been lost
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not (
        town.all_acknowledged()
        and not transport.waiting()
        and not service.pipeline.turn.locked()
        and service.pipeline.engine.wake_at() >= now
    ):
        if loop.time() - began > _ANSWER_WITHIN_S:
            troubles = "; ".join(service.troubles()) or "units wait"
            raise OutOfStepError(f"no answer within {_ANSWER_WITHIN_S:.0f} s: {troubles}")
        await asyncio.sleep(0.0005)


async def _told(service: Service, alerts: list[dict[str, Any]]) -> None:
    """Until the queue has brought every alert that was committed."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            while len({event["id"] for event in alerts}) < service.pipeline.alerts_total:
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def _store(folder: Path, register: Register, clock: VirtualClock) -> AsyncIterator[Any]:
    store = SqlStore(f"sqlite+aiosqlite:///{folder / 'emcheck.db'}", clock=clock)
    await store.open()
    try:
        await load_register(store, register, clock.now())
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def _running(service: Service, transport: MqttTransport) -> AsyncIterator[Any]:
    task = asyncio.create_task(service.run(), name="service")
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            while not transport.connected:
                if task.done():
                    task.result()
                await asyncio.sleep(0.01)
        yield
    finally:
        service.stop()
        await task


@contextlib.asynccontextmanager
async def _queue_watched(broker: EmbeddedBroker, heard: Callable[[dict[str, Any]], None]) -> AsyncIterator[Any]:
    """A consumer of the monitoring queue like any other."""

    async def listen(client: aiomqtt.Client) -> None:
        try:
            async for message in client.messages:
                heard(json.loads(bytes(message.payload)))
        except aiomqtt.MqttError as error:
            raise BrokerError(f"the broker went away: {error}") from None

    async with aiomqtt.Client(broker.host, broker.port, identifier="demo-operator") as client:
        await client.subscribe("em/v1/alerts/+", qos=1)
        listening = asyncio.create_task(listen(client), name="operator")
        try:
            yield
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
