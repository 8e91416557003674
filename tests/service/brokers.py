"""Brokers to run the service on: our embedded one, and Debian's Mosquitto with nothing set but its port."""

import asyncio
import getpass
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, Self

from emcheck.ingest.embedded import EmbeddedBroker, free_port
from tests.programs import program
from tests.support import die_with_parent

READY_WITHIN_S = 20.0


class Broker(Protocol):
    """As a test sees one."""

    host: str
    port: int

    async def restart(self) -> None:
        """Kill it and start it again on the same port."""
        ...

    async def stop(self, *, kill: bool = False) -> None:
        """End it."""
        ...


class Mosquitto:
    """`async with Mosquitto(folder=...)`: on a free port of the loopback, open to all."""

    host = "127.0.0.1"

    def __init__(self, *, folder: Path) -> None:
        self._binary = program("mosquitto")
        self._config = folder / "mosquitto.conf"
        self.port = free_port()
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _start(self) -> None:
        text = (
            f"listener {self.port} {self.host}\nallow_anonymous true\nuser {getpass.getuser()}\nset_tcp_nodelay true\n"
        )
        await asyncio.to_thread(self._config.write_text, text)
        self._process = await asyncio.create_subprocess_exec(
            self._binary, "-c", str(self._config), stderr=asyncio.subprocess.DEVNULL, preexec_fn=die_with_parent
        )
        async with asyncio.timeout(READY_WITHIN_S):
            while not _listening(self.host, self.port):
                await asyncio.sleep(0.02)

    async def restart(self) -> None:
        """Kill it and start it again on the same port; nothing it held survives."""
        await self.stop(kill=True)
        await self._start()

    async def stop(self, *, kill: bool = False) -> None:
        """End it and wait for it."""
        if self._process.returncode is None:
            (self._process.kill if kill else self._process.terminate)()
            await self._process.wait()


def _listening(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


@dataclass(frozen=True, slots=True)
class Way:
    """A broker, and the version of MQTT that the service and its peers speak with it."""

    broker: Broker
    protocol: Literal["3.1.1", "5"]


WAYS: list[tuple[str, Literal["3.1.1", "5"]]] = [("embedded", "3.1.1"), ("mosquitto", "3.1.1"), ("mosquitto", "5")]


@asynccontextmanager
async def opened(name: str, folder: Path) -> AsyncIterator[Broker]:
    """A broker of that name, for the length of a block."""
    async with Mosquitto(folder=folder) if name == "mosquitto" else EmbeddedBroker(store_dir=folder / "nats") as broker:
        yield broker
