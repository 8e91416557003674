"""The live queue: what changed, once for all consoles, by server-sent events that go on where a browser left off.

1. One look at the store every quarter of a second serves all who watch; where nobody does, nobody looks.
2. Each change has the number that the store gave it. A browser that comes back names the last that it has
   (`Last-Event-ID`) and is told all after it; where that is too much, or another database, it is told to load anew.
3. A beat a second says that the line is alive, what time it is here, and what troubles the service. A browser that
   hears none says so in red, and since when.
4. Who comes to an alert that somebody has open, or leaves it, is told of in the same look (`together`).
5. Who does not keep up is told to load anew: one slow browser makes nobody wait and holds no memory.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any

import structlog

from emcheck.clock import Clock
from emcheck.desk import Desk, Told, rank
from emcheck.domain.alerts import Alert, waits
from emcheck.ports import StoreError
from emcheck.present.acted import did
from emcheck.web.alerts.together import Together

log = structlog.get_logger("emcheck.web")

_LOOK_EVERY_S = 0.25
_LOOKS_A_BEAT = 4
_AT_ONCE = 500
_DRAWN_MAX = 60
"""Of more alerts in one batch no rows are sent: the page loads what it shows."""
_HELD_MAX = 32
_TOLD_AT_ONCE = 8
"""Writing to a browser takes a third of a millisecond: to 200 at once nobody else would be answered for 60 ms."""
WATCHERS_MAX = 500
_ARRIVES = frozenset({"raised", "returned", "reinstated", "released"})
"""What puts an alert into the queue, though something else may have happened to it since."""

Drawing = Callable[[Sequence[Alert]], Awaitable[dict[str, str]]]
"""Alerts to the HTML of their rows, by id."""
_ANEW = b"event: anew\ndata: {}\n\n"


class Live:
    """What consoles watch. `draw` is set by who makes the pages."""

    def __init__(self, desk: Desk, clock: Clock, troubles: Callable[[], list[str]]) -> None:
        self._desk = desk
        self._clock = clock
        self._troubles = troubles
        self._watchers: set[asyncio.Queue[bytes]] = set()
        self._someone = asyncio.Event()
        self._closed = False
        self._number: int | None = None
        """What all who watch were told last; None while nobody does."""
        self._beginning = asyncio.Lock()
        self._counting = asyncio.Lock()
        self._counts: list[dict[str, Any]] = []
        self._counted_at = -_LOOK_EVERY_S
        self.still_every_s = 20.0
        """How often it is asked whether somebody may still watch."""
        self.draw: Drawing
        self.together = Together()

    @property
    def watchers(self) -> int:
        """How many consoles are open."""
        return len(self._watchers)

    @property
    def is_watching(self) -> bool:
        """Whether the store is being looked at."""
        return self._someone.is_set()

    async def run(self) -> None:
        """Look and tell, for ever."""
        while True:
            await self._someone.wait()
            try:
                await self._watch()
            except StoreError as error:
                log.error("live.store_failed", error=str(error))
                trouble = {"now": self._clock.now(), "troubles": [f"the database: {error}"]}
                await self.tell(_event("beat", trouble))
                await asyncio.sleep(1.0)

    async def _watch(self) -> None:
        looks = 0
        while self._watchers and self._number is not None:
            told = await self._desk.told_after(self._number, limit=_AT_ONCE)
            news = b""
            if told:
                self._number = told[-1].number
                news = await self._batch(told)
            if there := self.together.changed():
                news += _event("at", {"alerts": there})
            if looks % _LOOKS_A_BEAT == 0 or told:
                news += await self._beat()
            if news:
                await self.tell(news)
            looks += 1
            await asyncio.sleep(_LOOK_EVERY_S)
        self._number = None
        self._someone.clear()

    async def _begin(self) -> None:
        """What comes from now on is told: before anybody reads what was missed, so that nothing falls in between."""
        async with self._beginning:
            if self._number is None:
                self._number = await self._desk.last_told()
        self._someone.set()

    async def _batch(self, told: Sequence[Told]) -> bytes:
        """The newest state of each alert that changed, with its row where they are few."""
        newest = {each.change.alert.alert_id: each.change for each in told}
        alerts = [change.alert for change in newest.values()]
        came = {each.change.alert.alert_id for each in told if each.change.action in _ARRIVES}
        rows = await self.draw(alerts) if len(alerts) <= _DRAWN_MAX else {}
        lines = [
            {
                "id": a.alert_id, "rank": None if (place := rank(a)) is None else str(place), "priority": a.priority,
                "waits": waits(a), "action": newest[a.alert_id].action, "came": a.alert_id in came,
                "by": newest[a.alert_id].by, "revision": a.revision, "html": rows.get(a.alert_id),
                "did": did(newest[a.alert_id].action), "rule": a.rule, "holder": a.holder,
            }
            for a in alerts
        ]  # fmt: skip
        return _event("changes", {"alerts": lines}, number=told[-1].number)

    async def _beat(self, *, at_most_s: float = 0.0) -> bytes:
        """How things stand; by what was counted so lately, where many begin to watch at once."""
        loop = asyncio.get_running_loop()
        async with self._counting:
            if loop.time() - self._counted_at >= at_most_s:
                self._counts = [count._asdict() for count in await self._desk.queue_counts()]
                self._counted_at = loop.time()
        return _event("beat", {"now": self._clock.now(), "troubles": self._troubles(), "counts": self._counts})

    async def tell(self, said: bytes) -> None:
        """Events for everybody who watches (5), a few at a time, so that pages are answered in between."""
        for number, watcher in enumerate(list(self._watchers), start=1):
            _give(watcher, said)
            if number % _TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def stream(self, after: int | None, still: Callable[[], Awaitable[bool]]) -> AsyncGenerator[bytes, None]:
        """All after a number, then whatever comes, until `still` says that nobody may watch any more."""
        watcher: asyncio.Queue[bytes] = asyncio.Queue()
        self._watchers.add(watcher)
        try:
            await self._begin()
            yield b"retry: 1000\n\n"
            yield await self._missed(after)
            yield await self._beat(at_most_s=_LOOK_EVERY_S)
            loop = asyncio.get_running_loop()
            ask_at = loop.time() + self.still_every_s
            while not self._closed:
                said = await watcher.get()
                if loop.time() >= ask_at:
                    ask_at = loop.time() + self.still_every_s
                    if not await still():
                        yield b"event: over\ndata: {}\n\n"
                        return
                yield said
        finally:
            self._watchers.discard(watcher)

    async def _missed(self, after: int | None) -> bytes:
        """What changed since a browser was told last (2); it may come once more in the next look, and says the same."""
        if after is None:
            return b""
        told = await self._desk.told_after(after, limit=_AT_ONCE)
        if len(told) == _AT_ONCE or after > await self._desk.last_told():
            return _ANEW
        return await self._batch(told) if told else b""

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        for watcher in self._watchers:
            _give(watcher, b"")


def _give(watcher: asyncio.Queue[bytes], said: bytes) -> None:
    if watcher.qsize() >= _HELD_MAX:
        while not watcher.empty():
            watcher.get_nowait()
        watcher.put_nowait(_ANEW)
    watcher.put_nowait(said)


def _event(kind: str, said: dict[str, Any], *, number: int | None = None) -> bytes:
    named = "" if number is None else f"id: {number}\n"
    return f"{named}event: {kind}\ndata: {json.dumps(said, separators=(',', ':'))}\n\n".encode()
