"""Consoles in a process of their own: each holds one live line open and notes when it heard of each alert first.

In another process, that nothing holds up, pages of the queue are asked for meanwhile.

`python -m bench.watchers ARGUMENTS` is what `bench.console` starts. It says `ready` when all lines are live, and then
reads from standard input when each alert was committed, on the machine's monotonic clock, which processes share.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

_NAMED = re.compile(rb'"id":"(AL-[0-9]{6})"')
_QUIET_S = 2.0
"""How long nothing new must have come before it is counted."""
_PATIENCE_S = 60.0
_PAGE_EVERY_S = 0.25


class Console:
    """One line."""

    def __init__(self) -> None:
        self.heard: dict[bytes, float] = {}
        self.is_live = asyncio.Event()

    async def watch(self, host: str, port: int, token: str, name: str) -> None:
        """Read for ever; what is asked is what a browser asks."""
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 22)
        writer.write(
            f"GET /live?console={name} HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: emcheck={token}\r\n"
            "Accept: text/event-stream\r\n\r\n".encode()
        )
        try:
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    self._hear(line)
        finally:
            writer.close()

    def _hear(self, line: bytes) -> None:
        self.is_live.set()
        now = time.monotonic()
        for name in _NAMED.findall(line):
            self.heard.setdefault(name, now)


async def watched(address: str, token: str, consoles: int) -> dict[str, float]:
    """What so many consoles saw."""
    host, port = urlsplit(address).hostname or "", urlsplit(address).port or 0
    all_of = [Console() for _ in range(consoles)]
    lines = [asyncio.create_task(each.watch(host, port, token, f"console-{n:08}")) for n, each in enumerate(all_of)]
    async with asyncio.timeout(_PATIENCE_S):
        for each in all_of:
            await each.is_live.wait()
    committed = await committed_by_now()
    await _all_heard(all_of, len(committed))
    for line in lines:
        line.cancel()
    await asyncio.wait(lines)
    return _told(all_of, committed)


async def asked_for(address: str, token: str) -> dict[str, float]:
    """How long pages of the queue take, one after another, as somebody who works asks for them."""
    took_ms: list[float] = []
    asking = asyncio.create_task(_ask(address, token, took_ms))
    while not took_ms and not asking.done():
        await asyncio.sleep(0.01)
    waiting = asyncio.create_task(committed_by_now())
    await asyncio.wait({waiting, asking}, return_when=asyncio.FIRST_COMPLETED)
    if asking.done():
        asking.result()
    asking.cancel()
    took = sorted(took_ms)
    return {"pages": len(took), "page_p50_ms": quantile(took, 50), "page_p95_ms": quantile(took, 95)}


async def committed_by_now() -> dict[str, float]:
    """When each alert was committed, by the monotonic clock, once all were; says first that we are ready."""
    print("ready", flush=True)
    committed: dict[str, float] = json.loads(await asyncio.to_thread(sys.stdin.readline))
    return committed


async def _all_heard(consoles: Sequence[Console], number: int) -> None:
    """Wait until every console heard of every alert, or nothing comes any more."""
    before, since = -1, time.monotonic()
    while before < number * len(consoles) and time.monotonic() - since < _QUIET_S:
        heard = sum(len(each.heard) for each in consoles)
        if heard != before:
            before, since = heard, time.monotonic()
        await asyncio.sleep(0.05)


async def _ask(address: str, token: str, took_ms: list[float]) -> None:
    """A page of the queue, again and again, as somebody who works asks for it."""
    async with httpx.AsyncClient(base_url=address, cookies={"emcheck": token}, timeout=30) as client:
        while True:
            began = time.monotonic()
            answer = await client.get("/", headers={"HX-Request": "true"})
            took_ms.append((time.monotonic() - began) * 1000)
            if answer.status_code != 200 or "AL-" not in answer.text:
                raise RuntimeError(f"the queue was not answered: {answer.status_code}")
            await asyncio.sleep(_PAGE_EVERY_S)


def _told(consoles: Sequence[Console], committed: Mapping[str, float]) -> dict[str, float]:
    delays = sorted(
        (each.heard[name] - at) * 1000
        for spelt, at in committed.items()
        for name in (spelt.encode(),)
        for each in consoles
        if name in each.heard
    )
    share = len(delays) / (len(committed) * len(consoles))
    return {
        "arrived": share,
        "p50_ms": quantile(delays, 50),
        "p95_ms": quantile(delays, 95),
        "p99_ms": quantile(delays, 99),
    }


def quantile(ordered: Sequence[float], hundredths: int) -> float:
    """Of values in order, the one that so many of a hundred do not exceed."""
    return ordered[min(len(ordered) - 1, len(ordered) * hundredths // 100)]


if __name__ == "__main__":
    asked: dict[str, Any] = json.loads(sys.argv[1])
    seen = watched(**asked) if "consoles" in asked else asked_for(**asked)
    print(json.dumps(asyncio.run(seen)))
