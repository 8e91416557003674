"""A simulated town over real MQTT: one connection a unit (client id, last will), or one for all of them.

For the demo in step: `publish_due(now)` plays the world up to an instant and publishes, `acknowledged` waits
until the service has answered for everything that can be answered. For real time: `run_realtime`.
An uplink fault takes a unit's connection away; what a broker would say of it (the last will) is said.
"""

import asyncio
import random
import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import Self

import aiomqtt

from emcheck.clock import Clock
from emcheck.domain.ids import Ms, UnitId
from emcheck.ending import end
from firmware_sim.run import World
from firmware_sim.uplink import Outgoing

HOST = "em/v1/host"
PUBLISHING_AT_ONCE = 10
"""Messages of one connection waiting for the broker's word; in the order in which they were handed over."""
RECONNECT_FIRST_S, RECONNECT_MOST_S = 0.1, 10.0
SLICE_MS = 100
"""In real time: how long a town sleeps at most before it looks again."""


class _Line:
    """One MQTT connection that serves some units, and gets a new session when one breaks."""

    def __init__(self, town: "MqttTown", units: tuple[UnitId, ...], *, client_id: str, shared: bool) -> None:
        self.units = units
        self.online = asyncio.Event()
        self.wanted = asyncio.Event()
        self._town = town
        self._client_id = client_id
        self._shared = shared
        self._client: aiomqtt.Client | None = None
        self._session: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Hold a session whenever one is wanted; exponential backoff with jitter after a failure."""
        wait_s = RECONNECT_FIRST_S
        while True:
            await self.wanted.wait()
            self._session = asyncio.create_task(self._hold(), name=f"session-{self._client_id}")
            try:
                await self._session
            except (aiomqtt.MqttError, OSError) as error:
                wait_s = RECONNECT_FIRST_S if self.online.is_set() else min(2 * wait_s, RECONNECT_MOST_S)
                self._town.last_error = str(error)
            except asyncio.CancelledError:
                if self.wanted.is_set():
                    raise
                wait_s = RECONNECT_FIRST_S
            finally:
                self._gone()
            if self.wanted.is_set():
                await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))

    async def _hold(self) -> None:
        down = "em/v1/+/down" if self._shared else f"em/v1/{self.units[0]}/down"
        async with self._new_client() as client:
            await client.subscribe([(down, 0), (HOST, 1)])
            self._client = client
            self._town.came(self.units)
            self.online.set()
            async for message in client.messages:
                if isinstance(message.payload, bytes):
                    self._town.heard(message.topic.value, message.payload, None if self._shared else self.units[0])

    def _new_client(self) -> aiomqtt.Client:
        will = None if self._shared else self._town.world.last_will(self.units[0])
        return aiomqtt.Client(
            self._town.host,
            self._town.port,
            identifier=self._client_id,
            username=self._town.username,
            password=self._town.password,
            clean_session=True,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, will.qos, will.retain),
        )

    def _gone(self) -> None:
        self._client = None
        if self.online.is_set():
            self.online.clear()
            self._town.went(self.units)

    async def send(self, messages: list[Outgoing]) -> None:
        """Publish in order; what the broker does not take is lost on the way and the unit sends it again."""
        for start in range(0, len(messages), PUBLISHING_AT_ONCE):
            client = self._client
            if client is None:
                return
            batch = messages[start : start + PUBLISHING_AT_ONCE]
            calls = [client.publish(m.topic, m.payload, qos=m.qos, retain=m.retain) for m in batch]
            for result in await asyncio.gather(*calls, return_exceptions=True):
                if isinstance(result, BaseException) and not isinstance(result, aiomqtt.MqttError):
                    raise result

    async def drop(self) -> None:
        """End the session; nobody wants it for now."""
        self.wanted.clear()
        session = self._session
        if session is not None and not session.done():
            with suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await end([session])
            self._gone()


class MqttTown:
    """`world` (made with `live=True`) on a broker. All of it runs in the caller's event loop."""

    def __init__(
        self,
        world: World,
        *,
        host: str,
        port: int,
        clock: Clock,
        shared_connection: bool = False,
        username: str | None = None,
        password: str | None = None,
    ) -> None:
        self.world = world
        self.host, self.port = host, port
        self.username, self.password = username, password
        self.last_error: str | None = None
        self.published_total = 0
        self._clock = clock
        self._shared = shared_connection
        self._linked: set[UnitId] = set()
        self._news = asyncio.Event()
        self._answers = asyncio.Event()
        self._publishing = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        if shared_connection:
            name = f"sim-{world.scenario.name}-{world.seed}"
            self._lines = [_Line(self, tuple(world.units), client_id=name, shared=True)]
        else:
            self._lines = [_Line(self, (unit,), client_id=unit, shared=False) for unit in world.units]
        self._line_of = {unit: line for line in self._lines for unit in line.units}

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self, *, within_s: float = 10.0) -> None:
        """Start, and connect the units that are up by now; ConnectionError if the broker cannot be reached."""
        self._tasks = [asyncio.create_task(line.run(), name="line") for line in self._lines]
        self._tasks.append(asyncio.create_task(self._pump(), name="pump"))
        if self._shared:
            self._lines[0].wanted.set()
            if not await self._online(self._lines, within_s):
                raise ConnectionError(f"{self.host}:{self.port}: {self.last_error or 'no answer'}")
        await self.publish_due(self._clock.now(), connect_within_s=within_s)
        if any(line.wanted.is_set() and not line.online.is_set() for line in self._lines):
            raise ConnectionError(f"{self.host}:{self.port}: {self.last_error or 'no answer'}")

    async def publish_due(self, now: Ms, *, connect_within_s: float = 5.0) -> int:
        """Play the world up to `now` and publish all that is due; how many messages that were.

        Connections come and go as the world wants; new ones are waited for, in real seconds.
        """
        before = self.published_total
        async with self._publishing:
            while True:
                await self._publish(self.world.step(now))
                changed = await self._follow(connect_within_s)
                if not changed and self.world.next_due() > now:
                    return self.published_total - before

    def all_acknowledged(self) -> bool:
        """Whether everything sent, by units that can be answered now, is acknowledged and nothing more is due."""
        due = self.world.next_due() <= self._clock.now()
        return not (due or self._publishing.locked() or self.world.unacked())

    async def acknowledged(self, *, within_s: float) -> bool:
        """Wait, in real seconds, until `all_acknowledged`; False if it takes longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not self.all_acknowledged():
                    self._answers.clear()
                    await self._answers.wait()
        return self.all_acknowledged()

    async def resend_unacked(self) -> None:
        """Let units that wait send again now: an answer at QoS 0 may have been lost."""
        self.world.resend_unacked(self._clock.now())
        await self.publish_due(self._clock.now())

    async def run_realtime(self, until: Ms) -> None:
        """Keep the world at the clock's time until `until`."""
        while (now := self._clock.now()) < until:
            await self.publish_due(now, connect_within_s=0)
            await self._clock.sleep_until(min(max(self.world.next_due(), now + 1), now + SLICE_MS, until))

    async def close(self) -> None:
        """Take every unit off the broker."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(line.drop() for line in self._lines))
        self._tasks = []

    def came(self, units: Iterable[UnitId]) -> None:
        """A connection of these units is up."""
        for unit in units:
            if self.world.wants_link(unit):
                self._linked.add(unit)
                self.world.link(unit, up=True, now_ms=self._clock.now())
        self._news.set()

    def went(self, units: Iterable[UnitId]) -> None:
        """A connection of these units is gone."""
        for unit in units:
            if unit in self._linked:
                self._linked.discard(unit)
                self.world.link(unit, up=False, now_ms=self._clock.now())
        self._news.set()

    def heard(self, topic: str, payload: bytes, unit: UnitId | None) -> None:
        """A message from the service."""
        now = self._clock.now()
        if topic == HOST:
            self.world.host(payload, now, unit=unit)
        else:
            self.world.deliver(UnitId(topic.split("/")[2]), payload, now)
        self._news.set()

    async def _pump(self) -> None:
        """Publish what answers set free, without waiting for time to pass."""
        while True:
            await self._news.wait()
            self._news.clear()
            if self.world.next_due() <= self._clock.now():
                await self.publish_due(self._clock.now())
            self._answers.set()

    async def _publish(self, messages: list[Outgoing]) -> None:
        by_line: dict[int, list[Outgoing]] = {}
        for message in messages:
            by_line.setdefault(id(self._line_of[message.unit]), []).append(message)
        await asyncio.gather(*(self._line_of[batch[0].unit].send(batch) for batch in by_line.values()))
        self.published_total += len(messages)

    async def _follow(self, connect_within_s: float) -> bool:
        """Bring connections in line with what the world wants; True if any changed."""
        changed = [unit for unit in self.world.units if self.world.wants_link(unit) != (unit in self._linked)]
        if self._shared:
            return await self._follow_shared(changed)
        lost = [self._line_of[unit] for unit in changed if not self.world.wants_link(unit)]
        for line in lost:
            await line.send([self.world.last_will(line.units[0])])
            await line.drop()
        wanted = [self._line_of[unit] for unit in changed if self.world.wants_link(unit)]
        for line in wanted:
            line.wanted.set()
        came = await self._online(wanted, connect_within_s)
        return bool(lost) or (bool(wanted) and came)

    async def _follow_shared(self, changed: list[UnitId]) -> bool:
        """On a shared connection the town speaks the last wills."""
        line = self._lines[0]
        if not line.online.is_set():
            return False
        await line.send([self.world.last_will(unit) for unit in changed if not self.world.wants_link(unit)])
        self.went([unit for unit in changed if not self.world.wants_link(unit)])
        self.came([unit for unit in changed if self.world.wants_link(unit)])
        return bool(changed)

    @staticmethod
    async def _online(lines: list[_Line], within_s: float) -> bool:
        """Whether all of these are connected within some real seconds."""
        if not within_s:
            return False
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                for line in lines:
                    await line.online.wait()
        return all(line.online.is_set() for line in lines)
