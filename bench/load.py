"""The load: base units' messages over one plain MQTT 3.1.1 connection, QoS 1, from a process of its own.

Everything is encoded before the first byte is sent, so that the generator costs next to nothing while something is
measured. It sends as far as it was given credit and keeps a window of messages that the broker has not acknowledged.
Standard input tells it, a line each: `upto N`, credit for N messages in all; `pace N`, credit for N more a second.
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass

from bench import town
from emcheck.domain.ids import Ms

_CONNECT = bytes.fromhex("100e00044d515454040200000002626c")
"""Clean session, no keepalive, client id `bl`."""
_WINDOW = 1_000
_CHUNK = 100
_PACE_EVERY_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`messages` in all, going round the `units`, each with `per_message` events that are `apart_ms`."""

    host: str
    port: int
    units: int
    per_message: int
    messages: int
    start: Ms
    apart_ms: Ms


def packets(plan: Plan) -> list[bytes]:
    """Every PUBLISH of the plan, in order."""
    made = []
    for number in range(plan.messages):
        round_, unit = divmod(number, plan.units)
        payload = town.report(unit, round_, per_message=plan.per_message, at=plan.start, apart=plan.apart_ms)
        made.append(publish(f"em/v1/{town.unit_name(unit)}/up", payload, number % 0xFFFF + 1))
    return made


def publish(topic: str, payload: bytes, packet_id: int) -> bytes:
    """A PUBLISH at QoS 1."""
    name = topic.encode()
    rest = len(name).to_bytes(2, "big") + name + packet_id.to_bytes(2, "big") + payload
    return b"\x32" + _length(len(rest)) + rest


def _length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, low = divmod(size, 128)
        out.append(low | (0x80 if size else 0))
        if not size:
            return bytes(out)


class _Sender(asyncio.Protocol):
    """Sends what credit and window allow; acknowledgements are only counted, four bytes each."""

    def __init__(self, queue: list[bytes]) -> None:
        self._queue = queue
        self._sent = self.credit = self._heard_bytes = 0
        self.connected = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("TCP is a stream")
        self._transport = transport
        transport.write(_CONNECT)

    def data_received(self, data: bytes) -> None:
        self._heard_bytes += len(data)
        self.connected.set()  # CONNACK has four bytes too and comes first
        self.send()

    def allow(self, credit: int) -> None:
        self.credit = credit
        self.send()

    def send(self) -> None:
        acknowledged = self._heard_bytes // 4 - 1
        most = min(self.credit, acknowledged + _WINDOW, len(self._queue))
        while self._sent < most and (most - self._sent >= _CHUNK or most in (self.credit, len(self._queue))):
            upto = min(self._sent + _CHUNK, most)
            self._transport.write(b"".join(self._queue[self._sent : upto]))
            self._sent = upto


async def _run(plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    _, sender = await loop.create_connection(lambda: _Sender(packets(plan)), plan.host, plan.port)
    await sender.connected.wait()
    print("ready", flush=True)
    pacing = None
    while line := await told.readline():
        word, number = line.split()
        if word == b"upto":
            sender.allow(int(number))
        else:
            pacing = asyncio.create_task(_pace(sender, int(number)), name="pacing")
    if pacing is not None:
        pacing.cancel()


async def _pace(sender: _Sender, per_s: int) -> None:
    loop = asyncio.get_running_loop()
    began, before = loop.time(), sender.credit
    while True:
        await asyncio.sleep(_PACE_EVERY_S)
        sender.allow(before + int((loop.time() - began) * per_s))


class Generator:
    """The running generator as its user sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the generator is spoken to through pipes")
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout

    @classmethod
    async def start(cls, plan: Plan) -> "Generator":
        """Start one; it encodes while the caller does something else."""
        arguments = (sys.executable, "-m", "bench.load", json.dumps(asdict(plan)))
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*arguments, stdin=pipe, stdout=pipe))

    async def ready(self) -> None:
        """Wait until everything is encoded and the broker has answered."""
        if await self._stdout.readline() != b"ready\n":
            raise RuntimeError("the load generator did not start; what it says is above")

    def allow(self, messages: int) -> None:
        """Let it send up to so many messages in all."""
        self._stdin.write(b"upto %d\n" % messages)

    def pace(self, per_s: int) -> None:
        """Let it send so many more every second from now on."""
        self._stdin.write(b"pace %d\n" % per_s)

    async def stop(self) -> None:
        """End it."""
        self._stdin.close()
        await self._process.wait()


if __name__ == "__main__":
    asyncio.run(_run(Plan(**json.loads(sys.argv[1]))))
