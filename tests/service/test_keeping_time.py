"""What waits was received before it may be missed: no deadline and no sign of life overtakes it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from emcheck.clock import VirtualClock
from emcheck.domain.instants import MINUTE, SECOND
from emcheck.ports import Message
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.enrolment import load_register
from emcheck.service.loops import Loops
from emcheck.service.pipeline import Pipeline
from emcheck.store.memory import MemoryStore
from emcheck.wire.topics import up
from tests.air import Air
from tests.service.test_recovery import pipeline
from tests.support import UnitStory, at, register

UNIT = "BU-0001"


@asynccontextmanager
async def keeping_time(air: Air, clock: VirtualClock) -> AsyncIterator[tuple[Pipeline, MemoryStore]]:
    """A service that heard its tag leave at 18:55 and has been told so until 19:04:30."""
    store = MemoryStore()
    await store.open()
    await load_register(store, register(), clock.now())
    service = pipeline(store, 60 * MINUTE)
    await service.recover(clock.now())
    story = UnitStory().boots(at("18:50")).hears(at("18:51")).loses(at("18:55"))
    story.beats(at("18:55:30"), at("19:04:30"))
    for when, envelope in story.messages:
        clock.advance(when)
        await service.tick(when - 1)
        await service.receive([Message(up(UNIT), json.dumps(envelope).encode(), False, when)])
    loops = Loops(
        service, air, Acknowledger(store, air), clock,
        batch_max=10, linger_s=0.0, alive_every_ms=30 * SECOND,
    )  # fmt: skip
    task = asyncio.create_task(loops.keep_time(), name="keep_time")
    await turns()
    try:
        yield service, store
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await store.close()


async def turns() -> None:
    """Let everything run that can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_an_absence_is_not_decided_while_an_earlier_message_waits() -> None:
    air, clock = Air(), VirtualClock(at("18:00"))
    async with keeping_time(air, clock) as (service, store):
        air.oldest = at("19:04:50")  # somebody came home, and it was received in time
        clock.advance(at("19:06"))
        await turns()
        assert [a for a in await store.alerts(open_only=True) if a.rule == "curfew.absence"] == []
        assert max(row.received_at for row in [r async for r in store.inbox_after(0)]) < at("19:04:50")

        air.oldest = None
        home = UnitStory().tell(at("19:04:48"), "presence", seq=14, tag="T-1", in_range=True)
        ((_, envelope),) = home.messages
        async with service.turn:
            await service.receive([Message(up(UNIT), json.dumps(envelope).encode(), False, at("19:04:50"))])
        await turns()
        clock.advance(at("19:07"))
        await turns()
        assert [a for a in await store.alerts(open_only=True) if a.rule == "curfew.absence"] == []


async def test_with_nothing_waiting_it_is_decided_at_its_instant() -> None:
    air, clock = Air(), VirtualClock(at("18:00"))
    async with keeping_time(air, clock) as (_, store):
        clock.advance(at("19:06"))
        await turns()
        (alert,) = [a for a in await store.alerts(open_only=True) if a.rule == "curfew.absence"]
        assert alert.raised_at == at("19:05")
