"""The MQTT side, in one file: the only room that knows aiomqtt and paho beneath it.

The session is clean and the queue bounded: what is dropped here was never acknowledged end to end and comes
again, so a drop is counted and harmless. MQTT 3.1.1 is enough; 5 works the same.
"""

import asyncio
import json
import random
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import aiomqtt
import structlog
from paho.mqtt.client import MQTTMessageInfo
from paho.mqtt.enums import MessageType

from emcheck.clock import Clock
from emcheck.domain.escalation import PRIORITIES
from emcheck.domain.ids import Ms
from emcheck.ingest.packets import published
from emcheck.ports import Downlink, Message
from emcheck.wire import topics

log = structlog.get_logger("emcheck.ingest")

_AT_ONCE = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
"""Small packets go out at once: Nagle's algorithm with a delayed ACK held an acknowledgement for 40 ms."""
_NO_MID = 0
"""At QoS 0 a packet has no number."""
_SENDS_UNDER_WAY_MAX = 64
"""A broker that has not taken so many is not waited for: units ask again, and memory stays bounded."""
_BURST_MESSAGES_MAX = 64
"""Then it is the turn of others: a burst takes 2 ms or so."""
_QUEUE_BYTES_MAX = 256 << 20
"""Held in memory at most: a broker may let through messages far beyond the 64 KiB of an envelope."""
_V311_DEFAULT: Literal[3] = 3
"""What paho wants said of a clean start where MQTT 3.1.1 has none."""


class MqttTransport:
    """Implements `emcheck.ports.Transport`. `run` is a task for as long as the service lives."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        clock: Clock,
        store_id: str,
        client_id: str = "emcheck",
        username: str | None = None,
        password: str | None = None,
        protocol: Literal["3.1.1", "5"] = "3.1.1",
        tls: ssl.SSLContext | None = None,
        queue_messages_max: int = 10_000,
        keepalive_s: int = 30,
        connect_timeout_s: float = 10.0,
        reconnect_first_s: float = 0.5,
        reconnect_most_s: float = 30.0,
    ) -> None:
        self._host, self._port = host, port
        self._clock = clock
        self._store_id = store_id
        self._client_id = client_id
        self._username, self._password = username, password
        self._protocol = aiomqtt.ProtocolVersion.V5 if protocol == "5" else aiomqtt.ProtocolVersion.V311
        self._tls = tls
        self._queue_max = queue_messages_max
        self._keepalive_s, self._connect_timeout_s = keepalive_s, connect_timeout_s
        self._reconnect_first_s, self._reconnect_most_s = reconnect_first_s, reconnect_most_s
        self._queue: deque[Message] = deque()
        self._arrived, self._enough = asyncio.Event(), asyncio.Event()
        self._enough_messages = 1
        self._queue_bytes = 0
        self._client: aiomqtt.Client | None = None
        self._under_way: deque[MQTTMessageInfo] = deque()
        self._taken_total = 0
        self.connected = False
        self.last_error: str | None = None
        self.sessions_total = 0
        self.dropped_total = 0
        self.unsent_total = 0

    async def run(self) -> None:
        """Hold a session, and get a new one when it breaks: exponential backoff with full jitter."""
        wait_s = self._reconnect_first_s
        while True:
            try:
                await self._session()
            except (aiomqtt.MqttError, OSError, TimeoutError, UnicodeError) as error:
                was_connected, self.connected, self._client = self.connected, False, None
                if was_connected:
                    wait_s = self._reconnect_first_s
                self.last_error = f"{self._host}:{self._port}: {error}"
                log.warning(
                    "mqtt.disconnected", broker=f"{self._host}:{self._port}", error=str(error), retry_within_s=wait_s
                )
            await asyncio.sleep(random.uniform(0.1, 1.0) * wait_s)
            wait_s = min(wait_s * 2, self._reconnect_most_s)

    async def _session(self) -> None:
        async with self._new_client() as client:
            await client.subscribe(
                [(topics.UP_FILTER, 1), (topics.LINK_FILTER, 1), (topics.HOST, 1), (topics.RECEIPT, 1)]
            )
            await client.publish(topics.HOST, self._host_word(online=True), qos=1, retain=True)
            self._under_way.clear()
            if self._tls is None:  # over TLS the library already reads on for as long as something is decoded
                _read_in_bursts(client, lambda: self._taken_total)
            self._client, self.connected, self.last_error = client, True, None
            self.sessions_total += 1
            log.info("mqtt.connected", broker=f"{self._host}:{self._port}")
            try:
                async for message in client.messages:  # all others are taken already; this ends when the session does
                    await self._still_here(client, message)
            finally:
                self._client, self.connected = None, False
                with suppress(aiomqtt.MqttError):
                    await client.publish(topics.HOST, self._host_word(online=False), qos=1, retain=True, timeout=1)

    async def _still_here(self, client: aiomqtt.Client, word: aiomqtt.Message) -> None:
        """Say again that the host is online where somebody says it is not.

        A broker may speak the last will of a session that was killed only after the new one has begun; units
        would then hold back what is not urgent for as long as this session lasts.
        """
        if not word.retain and bytes(word.payload) == self._host_word(online=False):
            log.warning("mqtt.said_offline", broker=f"{self._host}:{self._port}")
            await client.publish(topics.HOST, self._host_word(online=True), qos=1, retain=True)

    def _new_client(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._host,
            self._port,
            identifier=self._client_id,
            username=self._username,
            password=self._password,
            protocol=self._protocol,
            clean_session=None if self._protocol is aiomqtt.ProtocolVersion.V5 else True,
            clean_start=True if self._protocol is aiomqtt.ProtocolVersion.V5 else _V311_DEFAULT,
            keepalive=self._keepalive_s,
            timeout=self._connect_timeout_s,
            tls_context=self._tls,
            socket_options=[_AT_ONCE],
            will=aiomqtt.Will(topics.HOST, self._host_word(online=False), qos=1, retain=True),
            queue_type=_taken_by(self._take),
        )

    def _host_word(self, *, online: bool) -> bytes:
        return json.dumps({"online": True, "store": self._store_id} if online else {"online": False}).encode()

    def _take(self, message: aiomqtt.Message) -> bool:
        """One message off the network; False for the host's word, which the session answers itself.

        `link` is a hint for people and judges nothing.
        """
        self._taken_total += 1
        topic = message.topic.value
        if topic == topics.HOST:
            return False
        if topic.endswith("/link"):
            return True
        payload = bytes(message.payload)
        if len(self._queue) >= self._queue_max or self._queue_bytes + len(payload) > _QUEUE_BYTES_MAX:
            self.dropped_total += 1
            return True
        self._queue.append(Message(topic, payload, message.retain, self._clock.now()))
        self._queue_bytes += len(payload)
        self._arrived.set()
        if len(self._queue) >= self._enough_messages:
            self._enough.set()
        return True

    async def receive(self, *, most: int, linger_s: float) -> list[Message]:
        """Wait for a message, then take up to `most` of what comes within `linger_s`, in order."""
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()
        if len(self._queue) < most and linger_s > 0:
            self._enough_messages = most
            self._enough.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(linger_s):
                    await self._enough.wait()
        taken = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
        self._queue_bytes -= sum(len(message.payload) for message in taken)
        return taken

    def waiting(self) -> int:
        """How many messages are received and not yet taken."""
        return len(self._queue)

    def oldest_waiting(self) -> Ms | None:
        """When the oldest of them was received; None where there is none."""
        return self._queue[0].received_at if self._queue else None

    async def send(self, downlinks: Sequence[Downlink]) -> None:
        """Send at QoS 0 or drop; a unit that misses one asks again."""
        while self._under_way and self._under_way[0].is_published():
            self._under_way.popleft()
        if self._client is None or len(self._under_way) >= _SENDS_UNDER_WAY_MAX:
            self.unsent_total += len(downlinks)
            return
        messages = [(topics.down(unit), payload) for unit, payload in downlinks]
        is_v5 = self._protocol is aiomqtt.ProtocolVersion.V5
        self._under_way.append(_hand_over(self._client, published(messages, is_v5=is_v5)))

    async def publish_alert(self, *, priority: str, body: bytes) -> None:
        """Publish on the monitoring queue; ConnectionError if the broker did not take it."""
        client = self._client
        if client is None:
            raise ConnectionError(f"not connected to {self._host}:{self._port}")
        try:
            await client.publish(topics.ALERTS_PREFIX + priority, body, qos=1)
        except (aiomqtt.MqttError, OSError) as error:
            raise ConnectionError(str(error)) from error


async def watch_alerts(
    *,
    host: str,
    port: int,
    username: str | None = None,
    password: str | None = None,
    tls: ssl.SSLContext | None = None,
    receipt: Callable[[bytes], bytes | None] = lambda body: None,
) -> AsyncIterator[bytes]:
    """The monitoring queue as it comes, for whoever watches; ConnectionError where the broker cannot be reached.

    `receipt` makes the receipt of an event, or None; it is sent once the event was dealt with.
    """
    try:
        async with aiomqtt.Client(host, port, username=username, password=password, tls_context=tls) as client:
            await client.subscribe([(f"{topics.ALERTS_PREFIX}{priority}", 1) for priority in PRIORITIES])
            async for message in client.messages:
                yield (body := bytes(message.payload))
                if (word := receipt(body)) is not None:
                    await client.publish(topics.RECEIPT, word, qos=1)
    except (aiomqtt.MqttError, OSError) as error:
        raise ConnectionError(f"{host}:{port}: {error}") from error


def _hand_over(client: aiomqtt.Client, packets: bytes) -> MQTTMessageInfo:
    """QoS 0 packets that are written already, to be sent in one go among the session's own (docs/adr/0012).

    The public way takes one message at a time and waits for each: ten times the work for the same bytes.
    """
    handed = MQTTMessageInfo(_NO_MID)
    client._client._packet_queue(MessageType.PUBLISH, packets, _NO_MID, 0, handed)  # noqa: SLF001 - no public way: see above
    return handed


def _read_in_bursts(client: aiomqtt.Client, taken_total: Callable[[], int]) -> None:
    """Read on while messages come, where the library reads one and goes through the event loop for the next."""
    paho = client._client  # noqa: SLF001 - aiomqtt hands out neither its reader nor its socket

    def read() -> None:
        try:
            for _ in range(_BURST_MESSAGES_MAX):
                before = taken_total()
                paho.loop_read()
                if taken_total() == before:
                    return
        except Exception as error:  # noqa: BLE001 - as in the library: whatever goes wrong in reading ends the session
            log.error("mqtt.read_failed", error=str(error))
            paho.disconnect()

    sock = paho.socket()
    if sock is not None:
        asyncio.get_running_loop().add_reader(sock.fileno(), read)


def _taken_by(take: Callable[[aiomqtt.Message], bool]) -> type[asyncio.Queue[aiomqtt.Message]]:
    """A queue type that hands each message to `take` at once and keeps what that leaves: no task switch a message."""

    class Handing(asyncio.Queue[aiomqtt.Message]):
        def put_nowait(self, item: aiomqtt.Message) -> None:
            if not take(item):
                super().put_nowait(item)

    return Handing


def tls_context(ca_file: Path | None, certificate_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """TLS with the broker verified, and our own certificate where one is given."""
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    if certificate_file is not None:
        context.load_cert_chain(str(certificate_file), str(key_file) if key_file else None)
    return context
