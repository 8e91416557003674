"""A flat in which a fitter's visit is played: a simulated unit and tags on a real broker, beside a real service.

Time passes second by second: what the session says is done is done, and what the unit tells is acknowledged.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import aiomqtt

from emcheck.alerting.publishers import MqttPublisher
from emcheck.clock import VirtualClock
from emcheck.domain.fitting.acts import AnswerStep, MarkFitting
from emcheck.domain.ids import TagId, UnitId
from emcheck.domain.instants import SECOND
from emcheck.domain.policy import Policy
from emcheck.domain.register import Register
from emcheck.ending import end
from emcheck.ingest.embedded import EmbeddedBroker
from emcheck.ingest.mqtt import MqttTransport
from emcheck.service.app import Beside, Options, Service
from emcheck.service.enrolment import load_register
from emcheck.service.session import sessions_of
from emcheck.store.sql import SqlStore
from firmware_sim.visit import SimulatedVisit
from firmware_sim.worlds.night import OutOfStepError

_READY_WITHIN_S = 60.0
_TURNS = 20_000
"""Milliseconds of real time for an acknowledgement; more is a fault of the program, not of a slow machine."""


@contextlib.asynccontextmanager
async def flat(
    folder: Path, register: Register, policy: Policy, clock: VirtualClock, *, unit: UnitId, tag: TagId,
    fitter_tag: TagId, place: str, pace_s: float = 0.002,
    console: Callable[[SqlStore, VirtualClock], Awaitable[Beside]] | None = None,
) -> AsyncIterator[None]:  # fmt: skip
    """For the length of a block broker, service and unit run, and `clock` moves; `emcheck.db` is in `folder`.

    A second of it takes `pace_s`. A `console` runs beside the service.
    """
    visit = SimulatedVisit(
        unit=unit, tag=tag, fitter_tag=fitter_tag, place=place, seed=f"story/{place}", now=clock.now()
    )
    store = SqlStore(f"sqlite:///{folder / 'emcheck.db'}", clock=clock)
    await store.open()
    try:
        await load_register(store, register, clock.now())
        async with EmbeddedBroker(store_dir=folder / "broker") as broker:
            transport = MqttTransport(host=broker.host, port=broker.port, clock=clock, store_id=store.database_id)
            service = Service(
                store=store, transport=transport, publishers=[MqttPublisher(transport)], policy=policy, clock=clock,
                beside={} if console is None else {"console": await console(store, clock)},
                options=Options(linger_s=0.001, ack_every_s=0.0, alive_every_ms=60 * SECOND),
            )  # fmt: skip
            serving = asyncio.create_task(service.run(), name="service")
            async with aiomqtt.Client(broker.host, broker.port, identifier=unit) as client:
                await client.subscribe(f"em/v1/{unit}/down")
                passing = asyncio.create_task(_Passing(service, store, clock, visit, client, pace_s).run(), name="flat")
                with _heeding(passing):
                    try:
                        yield
                    finally:
                        await end([passing])
                        service.stop()
                        await serving
                        if not passing.cancelled():
                            passing.result()
    finally:
        await store.close()


@contextlib.contextmanager
def _heeding(passing: asyncio.Task[None]) -> Iterator[None]:
    """Whoever waits for time to pass in vain is called off."""
    waiting = asyncio.current_task()

    def ended(task: asyncio.Task[None]) -> None:
        if waiting is not None and not task.cancelled():
            waiting.cancel()

    passing.add_done_callback(ended)
    try:
        yield
    finally:
        passing.remove_done_callback(ended)


class _Passing:
    def __init__(
        self, service: Service, store: SqlStore, clock: VirtualClock, visit: SimulatedVisit, client: aiomqtt.Client,
        pace_s: float,
    ) -> None:  # fmt: skip
        self._pace_s = pace_s
        self._service, self._store, self._clock, self._visit, self._client = service, store, clock, visit, client
        self._done = self._rooms = 0

    async def run(self) -> None:
        """For as long as it is not cancelled."""
        async with asyncio.timeout(_READY_WITHIN_S):
            while self._service.troubles():
                await asyncio.sleep(0.01)
        listening = asyncio.create_task(self._listen(), name="downlink")
        try:
            self._visit.unit.connected(self._clock.now())
            while True:
                self._clock.advance(self._clock.now() + SECOND)
                await self._follow()
                await self._publish()
                await self._answered()
                await asyncio.sleep(self._pace_s)
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    async def _listen(self) -> None:
        async for message in self._client.messages:
            self._visit.unit.downlink(bytes(message.payload), self._clock.now())

    async def _publish(self) -> None:
        for message in self._visit.step(self._clock.now()):
            await self._client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)

    async def _answered(self) -> None:
        """Wait for the acknowledgement; one that is lost at QoS 0 is asked for again, though the clock stands still."""
        for turn in range(1, _TURNS):
            if not self._visit.unit.unacknowledged():
                return
            await asyncio.sleep(0.001)
            if turn % 1_000 == 0:
                self._visit.unit.again_now(self._clock.now())
                await self._publish()
        raise OutOfStepError("the service acknowledges no more")

    async def _follow(self) -> None:
        """Do what was said since."""
        acts = [act for one in (await sessions_of(self._store)).values() for _, act in one.acts]
        now = self._clock.now()
        for act in acts[self._done :]:
            if isinstance(act, AnswerStep) and act.step == "movement":
                self._visit.does("close", now)
            elif isinstance(act, MarkFitting) and act.what in ("lifted", "lowered"):
                self._visit.does("lift" if act.what == "lifted" else "lower", now)
            elif isinstance(act, MarkFitting) and act.what == "room":
                self._rooms += 1
                self._visit.does("room", now, room=self._rooms + 1)
        self._done = len(acts)
