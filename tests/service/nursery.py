"""A nursery: a process that has everything imported and forks one service for each life, so that a life is cheap.

`python -m tests.service.nursery` reads orders as JSON lines: `{"born": {...}}` answers with the new process's
number, `{"buried": number}` waits for its end and answers with its exit code (-9: killed). It ends with who
started it, however that went, and every life with it.

A life may have a *mine*: the process sends itself SIGKILL just before or after its n-th commit, acknowledgement,
delivery or note of a delivery. From outside one hits these instants, which matter most, only by luck.
"""

import asyncio
import json
import mmap
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from emcheck.domain.ids import Ms
from emcheck.ingest.mqtt import MqttTransport
from emcheck.service.app import Options
from emcheck.service.running import configure_logging, serve
from emcheck.settings import Settings
from emcheck.store.sql import SqlStore
from tests.support import die_with_parent, england

ROOT = Path(__file__).resolve().parents[2]
_LOOK_EVERY_S = 0.004
_IN_STEP = Options(linger_s=0.002, ack_every_s=0.0, alive_every_ms=300_000, retry_first_s=0.05, retry_most_s=0.5)


class SharedClock:
    """One instant in a file, moved by one process and read by others: `emcheck.clock.Clock` between processes."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), 8)

    @classmethod
    def begin(cls, folder: Path, at: Ms) -> Self:
        """A new clock in a new folder, `folder/clock`, that stands at an instant."""
        folder.mkdir()
        path = folder / "clock"
        path.write_bytes(at.to_bytes(8))
        return cls(path)

    def now(self) -> Ms:
        """The instant to which the clock was last moved."""
        return int.from_bytes(self._page[:8])

    def advance(self, to: Ms) -> None:
        """Move it forward, for everybody."""
        self._page[:8] = to.to_bytes(8)

    async def sleep_until(self, at: Ms) -> None:
        """Wait until somebody moved it to `at` or beyond."""
        while self.now() < at:
            await asyncio.sleep(_LOOK_EVERY_S)


MINED: dict[str, type] = {
    "commit": SqlStore,
    "send": MqttTransport,
    "publish_alert": MqttTransport,
    "outbox_delivered": SqlStore,
}
"""Where a mine may lie: a method and whose it is."""


def _lay(mine: dict[str, Any]) -> None:
    """The process ends `when` (before or after) the method was called for the `count`-th time."""
    owner, left = MINED[mine["method"]], mine["count"]
    whole: Callable[..., Awaitable[Any]] = getattr(owner, mine["method"])

    async def mined(*given: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and mine["when"] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await whole(*given, **named)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, mine["method"], mined)


def _live(order: dict[str, Any]) -> None:
    """One life of the service, as `emcheck serve` leads it, by a shared clock."""
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 2)
    if order["mine"] is not None:
        _lay(order["mine"])
    settings = Settings.model_validate(order["settings"])
    configure_logging(settings)
    asyncio.run(serve(settings, england(), None, clock=SharedClock(Path(order["clock"])), options=_IN_STEP))


def _give_birth(order: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        die_with_parent()
        os.close(0)
        os.close(1)
        _live(order)
        code = 0
    finally:
        os._exit(code)


def main() -> None:
    """Do what is ordered, line by line."""
    die_with_parent()
    for line in sys.stdin:
        order = json.loads(line)
        if "born" in order:
            answer = _give_birth(order["born"])
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["buried"], 0)[1])
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


class Nursery:
    """The test's side: `async with Nursery() as nursery`, then `await nursery.born(order)`."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process
        self._alive: set[int] = set()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        for number in self._alive:  # a failing test left them, and perhaps somebody waits for their end
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def _ask(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return int(await self._process.stdout.readline())

    async def born(self, order: dict[str, Any]) -> int:
        """The number of a new process that lives by `order`."""
        number = await self._ask({"born": order})
        self._alive.add(number)
        return number

    async def buried(self, number: int) -> int:
        """Wait for its end; its exit code. Nothing else can be asked meanwhile."""
        code = await self._ask({"buried": number})
        self._alive.discard(number)
        return code


if __name__ == "__main__":
    main()
