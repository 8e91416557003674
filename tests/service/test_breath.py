"""A burst of events: the loop goes on while it is judged, nobody else judges, and it is one transaction."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from emcheck.domain.alerts import Alert
from emcheck.domain.instants import DAY
from emcheck.ports import Commit, Message
from emcheck.service.acknowledging import Acknowledger
from emcheck.service.enrolment import load_register
from emcheck.service.pipeline import Pipeline
from emcheck.store.memory import MemoryStore
from emcheck.wire.topics import up
from tests.air import Air
from tests.support import UnitStory, at, england, register

UNITS = tuple(f"BU-{number:04}" for number in range(1, 21))


class CountingStore(MemoryStore):
    """A store that notes how many rows each commit appends."""

    def __init__(self) -> None:
        super().__init__()
        self.appended: list[int] = []

    async def commit(self, commit: Commit) -> None:
        self.appended.append(len(commit.inbox))
        await super().commit(commit)


def _heard(when: int, seq: int = 1) -> list[Message]:
    """Something of every unit, received at once."""
    stories = [UnitStory(unit).tell(when, "unit_status", seq=seq, power="mains") for unit in UNITS]
    return [Message(up(s.unit), json.dumps(s.messages[0][1]).encode(), False, when) for s in stories]


async def burst(**options: Any) -> tuple[CountingStore, list[Alert], int, bool]:
    """All units were silent and are heard in one batch; turns of the loop, and whether another's turn came after it."""
    store = CountingStore()
    await store.open()
    await load_register(store, register(units=UNITS), at("17:00"))
    service = Pipeline(
        store, england(), Acknowledger(store, Air()), published=lambda alert, action, note: b"{}",
        on_alerts=lambda: None, checkpoint_every_ms=DAY, **options,
    )  # fmt: skip
    await service.recover(at("17:00"))
    await service.receive(_heard(at("17:05")))
    store.appended.clear()
    turns, judged = 0, asyncio.Event()
    entered: list[bool] = []

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def another() -> None:
        async with service.turn:
            entered.append(judged.is_set())

    async with service.turn:
        tasks = [asyncio.create_task(others()), asyncio.create_task(another())]
        await service.receive(_heard(at("18:30"), seq=2))
        judged.set()
    await tasks[1]
    tasks[0].cancel()
    with suppress(asyncio.CancelledError):
        await tasks[0]
    alerts = await store.alerts(open_only=False)
    await store.close()
    return store, alerts, turns, entered == [True]


async def test_the_loop_goes_on_between_the_events_of_a_burst_and_it_is_judged_the_same() -> None:
    at_once, alerts, few, _ = await burst()
    in_breaths, same, many, alone = await burst(chunk_ms=0)
    assert {(alert.rule, alert.subject) for alert in alerts} == {("unit.silent", unit) for unit in UNITS}
    assert same == alerts
    assert in_breaths.appended == at_once.appended == [len(UNITS)]
    assert alone, "whoever waits for the turn waits until all is committed"
    assert few < len(UNITS) < 2 * len(UNITS) < many
