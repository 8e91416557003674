"""What units are told: acknowledgements after the commit, resend requests while something is missing.

protocol.md: cumulative; coalesced to one a unit and second; in answer to duplicates too; never to a unit that
is not enrolled; `n` rises for ever; a restored database says nothing until an operator confirms it. With a
signing key every downlink is signed and names its unit, for a signed one could be carried to another unit.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from emcheck.domain.engine import Engine
from emcheck.domain.ids import BootId, Ms, UnitId
from emcheck.domain.instants import format_ms
from emcheck.ports import Downlink, Store, StoreError, Transport

log = structlog.get_logger("emcheck.service")

_COUNTER_SPAN = 100_000
EVERY_S = 1.0
"""protocol.md: at most one acknowledgement a unit and second."""

Seal = Callable[[bytes], bytes]
"""A downlink without `sig` to the same with it."""


class Acknowledger:
    """Holds what is owed to units and sends it. Losing it all is harmless: units ask again."""

    def __init__(
        self, store: Store, transport: Transport, *, every_s: float = EVERY_S, seal: Seal | None = None
    ) -> None:
        self._store = store
        self._transport = transport
        self._every_s = every_s
        self._seal = seal
        self._n = self._n_end = 0
        self._owed: dict[tuple[UnitId, BootId], tuple[int, list[dict[str, Any]]]] = {}
        self._sent_at: dict[UnitId, float] = {}
        self.silent = False
        self.sent_total = 0

    async def open(self) -> None:
        """Learn whether this database may acknowledge."""
        self.silent = not await self._store.acknowledging()

    def owe(self, unit: UnitId, boot: BootId, acknowledged: int, rejected: list[dict[str, Any]]) -> None:
        """After the next `send` the unit knows this much."""
        before = self._owed.get((unit, boot), (0, []))
        self._owed[unit, boot] = (max(before[0], acknowledged), before[1] + rejected)

    async def send(self, now: Ms) -> None:
        """Send what is owed to units that were not answered within the last second."""
        if self.silent:
            self._owed.clear()
            return
        instant, stamp = asyncio.get_running_loop().time(), format_ms(now)
        due = [key for key in self._owed if instant - self._sent_at.get(key[0], -1e9) >= self._every_s]
        if not due or not await self._reserve(len(due)):
            return
        bodies = []
        for unit, boot in due:
            acknowledged, rejected = self._owed.pop((unit, boot))
            self._sent_at[unit] = instant
            body = f'"now":"{stamp}","ack":{{"boot":"{boot}","seq":{acknowledged}}}'
            if rejected:
                body += f',"rejected":{json.dumps(rejected)}'
            bodies.append((unit, body))
        self.sent_total += len(bodies)
        await self.tell(bodies)

    async def tell(self, bodies: Sequence[tuple[UnitId, str]]) -> None:
        """Send each unit its body (the members after `n`, as JSON text). Hold the pipeline's turn: `n` must rise."""
        await self._reserve(len(bodies))
        await self._transport.send([self._downlink(unit, body) for unit, body in bodies])

    async def ask(self, engine: Engine, now: Ms, every_ms: Ms) -> None:
        """Ask once a minute for every hole."""
        if self.silent:
            return
        holes = [
            (unit.unit, hole)
            for unit in engine.units_with_holes()
            for hole in unit.holes
            if hole.asked_at is None or now - hole.asked_at >= every_ms
        ]
        if not holes or not await self._reserve(len(holes)):
            return
        bodies = []
        for name, hole in holes:
            hole.asked_at = now
            body = f'"resend":{{"boot":"{hole.boot}","from":{hole.first},"to":{hole.last}}}'
            bodies.append((name, body))
        await self.tell(bodies)

    def forget(self) -> None:
        """Nothing is owed: what was to be acknowledged was not committed."""
        self._owed.clear()

    @property
    def owing(self) -> bool:
        """Whether anything waits to be sent."""
        return bool(self._owed)

    def _downlink(self, unit: UnitId, body: str) -> Downlink:
        self._n += 1
        head = f'"v":1,"store":"{self._store.database_id}","n":{self._n}'
        if self._seal is None:
            return Downlink(unit, f"{{{head},{body}}}".encode())
        return Downlink(unit, self._seal(f'{{{head},"unit":"{unit}",{body}}}'.encode()))

    async def _reserve(self, count: int) -> bool:
        """Have so many numbers to give out; False where the store fails: what is owed stays owed."""
        if self._n + count > self._n_end:
            span = max(count, _COUNTER_SPAN)
            try:
                first = await self._store.reserve_counter("downlink_n", span)
            except StoreError as error:
                log.error("store.failed", error=str(error), remedy=error.remedy)
                return False
            self._n = first - 1
            self._n_end = self._n + span
        return True
