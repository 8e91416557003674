"""The loops of the running service: receive, keep time, answer units. Each is one named task."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from emcheck.clock import Clock
from emcheck.domain.ids import Ms
from emcheck.ports import StoreError, Transport
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.pipeline import Pipeline

log = structlog.get_logger("emcheck.service")

_RETRY_FIRST_S, _RETRY_MOST_S = 0.2, 30.0
_MAIL_EVERY_S = 0.5
"""A look at an empty mailbox costs a fraction of a millisecond."""


class Health:
    """Whether the service is well, in words; what `/readyz` shows."""

    def __init__(self) -> None:
        self.trouble: str | None = "starting"

    @property
    def ready(self) -> bool:
        """Whether events are being committed."""
        return self.trouble is None


class Loops:
    """Receiving, timekeeping and answering over one pipeline."""

    def __init__(
        self,
        pipeline: Pipeline,
        transport: Transport,
        acknowledger: Acknowledger,
        clock: Clock,
        *,
        batch_max: int,
        linger_s: float,
        alive_every_ms: Ms,
    ) -> None:
        self._pipeline = pipeline
        self._transport = transport
        self._acknowledger = acknowledger
        self._clock = clock
        self._batch_max = batch_max
        self._linger_s = linger_s
        self._alive_every_ms = alive_every_ms
        self._rearm = asyncio.Event()
        self._answer = asyncio.Event()
        self._posted = asyncio.Event()
        self._in_hand: Ms | None = None
        """When the oldest message was received that is taken and waits for its turn."""
        self.health = Health()

    async def receive(self) -> None:
        """Batches from the transport into the pipeline, for ever."""
        while True:
            messages = await self._transport.receive(most=self._batch_max, linger_s=self._linger_s)
            self._in_hand = messages[0].received_at if messages else None
            async with self._pipeline.turn:
                self._in_hand = None
                if await self._guarded(self._pipeline.receive, messages):
                    await self._acknowledger.send(self._clock.now())
            self._rearm.set()
            self._answer.set()

    async def keep_time(self) -> None:
        """Decide what falls due, when it falls due; leave signs of life."""
        alive_at = self._clock.now() + self._alive_every_ms
        while True:
            self._rearm.clear()
            due = min(self._pipeline.wake_at(), alive_at)
            await self._until(due + 1)
            now = self._clock.now()
            if not await self._judge_due(now - 1):
                await asyncio.sleep(0)  # what was received before is judged first
            elif now >= alive_at:
                alive_at = now + self._alive_every_ms
                async with self._pipeline.turn:
                    await self._guarded(self._pipeline.alive, self._known_until(now - 1))

    async def _judge_due(self, upto: Ms) -> bool:
        """The herd in chunks, so that events go on being served; False where messages are to be judged first."""
        while (due := self._pipeline.wake_at()) <= upto:
            async with self._pipeline.turn:
                known = self._known_until(upto)
                if known < due:
                    return False
                if not await self._guarded(self._pipeline.tick, known):
                    return True
        return True

    def _known_until(self, now: Ms) -> Ms:
        """Up to when all that was received is judged: what waits came before it may be missed."""
        waiting = self._transport.oldest_waiting() if self._in_hand is None else self._in_hand
        return now if waiting is None else min(now, waiting - 1)

    def look_at_mail(self) -> None:
        """Something was posted in this process: there is no need to wait for the next look."""
        self._posted.set()

    async def read_mail(self) -> None:
        """Instructions that somebody posted into the decision loop, for ever."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_MAIL_EVERY_S):
                    await self._posted.wait()
            self._posted.clear()
            async with self._pipeline.turn:
                await self._guarded(self._carry_out_mail)
            self._rearm.set()

    async def _carry_out_mail(self) -> None:
        if letters := await self._pipeline.mail():
            await self._pipeline.instruct(letters, self._known_until(self._clock.now()))

    async def tell_clock(self, said: dict[str, Any]) -> None:
        """Something was found of the machine's own clock: told until it is committed."""
        log.warning("service.clock", **said)
        committed = False
        while not committed:
            async with self._pipeline.turn:
                committed = await self._guarded(self._pipeline.tell_clock, said, self._known_until(self._clock.now()))
        self._rearm.set()

    async def answer_units(self) -> None:
        """Acknowledgements that waited for their second, and requests for what is missing."""
        while True:
            self._answer.clear()
            if self._acknowledger.owing or self._pipeline.engine.units_with_holes():
                await asyncio.sleep(0.25)
            else:
                await self._answer.wait()
            async with self._pipeline.turn:
                await self._acknowledger.send(self._clock.now())
                await self._ask(self._clock.now())

    async def _ask(self, now: Ms) -> None:
        engine = self._pipeline.engine
        every_ms = engine.roster.policies.own.then(now).ms("evidence.gap.resend_every_s")
        await self._acknowledger.ask(engine, now, every_ms)

    async def recover(self) -> None:
        """Read the state back from the store, trying again while that may help."""
        wait_s = _RETRY_FIRST_S
        while True:
            try:
                await self._pipeline.recover(self._clock.now())
            except StoreError as error:
                if not error.transient:
                    raise
                self.health.trouble = f"the database: {error}. {error.remedy}"
                log.error("store.failed", error=str(error), remedy=error.remedy, retry_in_s=wait_s)
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, _RETRY_MOST_S)
            else:
                self.health.trouble = None
                return

    async def _guarded(self, work: Callable[..., Awaitable[None]], *given: object) -> bool:
        """Do it; if the store fails, forget what is in memory and read it again. False: nothing was committed."""
        try:
            await work(*given)
        except StoreError as error:
            log.error("store.failed", error=str(error), remedy=error.remedy)
            self.health.trouble = f"the database: {error}. {error.remedy}"
            self._acknowledger.forget()
            await self.recover()
            return False
        return True

    async def _until(self, due: Ms) -> None:
        """Sleep until `due`, or until something arrived that may have moved it."""
        sleeping = asyncio.ensure_future(self._clock.sleep_until(due))
        moved = asyncio.ensure_future(self._rearm.wait())
        try:
            await asyncio.wait({sleeping, moved}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            moved.cancel()
