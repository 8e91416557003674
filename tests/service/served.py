"""`emcheck serve` as a process of its own, as an installation runs it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from emcheck.ingest.embedded import free_port
from tests.support import die_with_parent

PATIENCE_S = 30.0
_COMMAND = (sys.executable, "-W", "error", "-c", "from emcheck.cli import main; main()", "serve")


@dataclass(frozen=True, slots=True)
class Served:
    """A running service: its process, where it answers, and its log."""

    process: asyncio.subprocess.Process
    http: str
    log: Path

    async def ready(self) -> dict[str, Any]:
        """Wait until it says that it is ready; the answer."""
        return await self.says(ready=True)

    async def says(self, *words: str, ready: bool = False) -> dict[str, Any]:
        """Wait until `/readyz` says so, with all of these words among its troubles; the answer."""
        answer: dict[str, Any] = {}
        try:
            async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient() as client:
                while True:
                    answer = await self._asked(client) or answer
                    told = " ".join(answer.get("troubles", []))
                    if answer.get("ready") is ready and all(word in told for word in words):
                        return answer
                    assert self.process.returncode is None, self.log.read_text()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(
                f"ready={ready} {words} was not said; last: {answer}\n{self.log.read_text()}"
            ) from None

    async def _asked(self, client: httpx.AsyncClient) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = (await client.get(f"{self.http}/readyz")).json()
        except httpx.TransportError:
            return None
        return answer

    async def metrics(self) -> dict[str, float]:
        """The figures of `/metrics` by name."""
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"{self.http}/metrics")).text
        pairs = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
        return {name: float(value) for name, value in pairs}

    async def end(self, how: signal.Signals = signal.SIGTERM, *, within_s: float = PATIENCE_S) -> int:
        """Send a signal; the exit code."""
        self.process.send_signal(how)
        async with asyncio.timeout(within_s):
            return await self.process.wait()


def toml(settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Settings as a configuration file; JSON's numbers, strings and truth values are TOML's."""
    lines = []
    for section, values in settings.items():
        lines += [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def environment() -> dict[str, str]:
    """Ours, without settings of emcheck and without what pytest or a terminal would change."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("EMCHECK_")}
    return kept | {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}


async def started(
    folder: Path, settings: Mapping[str, Mapping[str, Any]], register: Mapping[str, Any] | None = None
) -> Served:
    """Start it in `folder` with these settings, by default on a free HTTP port and with its database there."""
    port = free_port()
    whole: dict[str, dict[str, Any]] = {
        "store": {"url": f"sqlite:///{folder}/emcheck.db"},
        "http": {"port": port},
        "web": {"enabled": False},
        "logging": {"format": "json"},
    }
    for section, values in settings.items():
        whole[section] = {**whole.get(section, {}), **values}
    (folder / "emcheck.toml").write_text(toml(whole))
    command = [*_COMMAND, "--config", str(folder / "emcheck.toml")]
    if register is not None:
        (folder / "register.json").write_text(json.dumps(register))
        command += ["--register", str(folder / "register.json")]
    log = folder / "log"
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=environment(),
            preexec_fn=die_with_parent,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
        )
    return Served(process, f"http://127.0.0.1:{whole['http']['port']}", log)


@asynccontextmanager
async def serving(
    folder: Path, settings: Mapping[str, Mapping[str, Any]], register: Mapping[str, Any] | None = None
) -> AsyncIterator[Served]:
    """It runs for the length of a block, and is killed at its end if the block did not end it."""
    served = await started(folder, settings, register)
    try:
        yield served
    finally:
        if served.process.returncode is None:
            await served.end(signal.SIGKILL)


async def refused(
    folder: Path, settings: Mapping[str, Mapping[str, Any]], register: Mapping[str, Any] | None = None
) -> str:
    """It does not start: exit code 2 and one line, which is the answer."""
    (folder / "log").unlink(missing_ok=True)
    served = await started(folder, settings, register)
    async with asyncio.timeout(PATIENCE_S):
        code = await served.process.wait()
    said = served.log.read_text()
    assert code == 2, said
    lines = [line for line in said.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, said
    return lines[0]
