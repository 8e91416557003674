"""Receivers that do as they are told, a store that fails when it is told to, and an outbox filled by hand."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

from emcheck.alerting.outbox import OutboxRunner
from emcheck.alerting.publishers import RefusedForGoodError
from emcheck.ports import Commit, Delivery, OutboxItem, Publisher, StoreError
from emcheck.store.memory import MemoryStore
from tests.store.samples import alert, change


class Receiver:
    """A publisher that notes every try and what it took; `down` and `refuses` say what it will not take."""

    def __init__(self, name: str = "centre") -> None:
        self.name = name
        self.confirms = False
        self.down = False
        self.refuses: set[str] = set()
        self.tried: list[str] = []
        self.took: list[OutboxItem] = []
        self.at_once = 0
        self.at_once_most = 0
        self.holds: dict[str, asyncio.Event] = {}

    async def publish(self, item: OutboxItem) -> None:
        self.tried.append(item.event_id)
        self.at_once += 1
        self.at_once_most = max(self.at_once, self.at_once_most)
        try:
            if item.event_id in self.holds:
                await self.holds[item.event_id].wait()
            await asyncio.sleep(0)
        finally:
            self.at_once -= 1
        if self.down:
            raise ConnectionError("nobody answers")
        if item.event_id in self.refuses:
            raise RefusedForGoodError("answered 422")
        self.took.append(item)

    async def close(self) -> None:
        """Nothing is held."""

    @property
    def events(self) -> list[str]:
        return [item.event_id for item in self.took]


class FailingStore(MemoryStore):
    """The store in memory, of which some calls fail so many times."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: Counter[str] = Counter()

    def _fail(self, call: str) -> None:
        if self.failing[call] > 0:
            self.failing[call] -= 1
            raise StoreError("the disk is full", remedy="make room", transient=True)

    async def outbox_after(self, publisher: str, *, limit: int) -> list[OutboxItem]:
        self._fail("outbox_after")
        return await super().outbox_after(publisher, limit=limit)

    async def outbox_delivered(self, publisher: str, item_id: int) -> None:
        self._fail("outbox_delivered")
        await super().outbox_delivered(publisher, item_id)

    async def note_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        self._fail("note_deliveries")
        await super().note_deliveries(deliveries)


async def raise_alerts(store: MemoryStore, *subjects: str, revision: int = 1) -> None:
    """One change of the alert `AL-{subject}` for each subject named, in order."""
    changes = []
    for number, subject in enumerate(subjects):
        raised = alert(f"AL-{subject}", subject=subject, wearer_id=subject, revision=revision + number)
        changes.append(change(raised, published=raised.alert_id.encode()))
    await store.commit(Commit(alerts=changes))


@contextlib.asynccontextmanager
async def running(
    store: MemoryStore, publishers: Sequence[Publisher], *, retry_first_s: float = 0.001
) -> AsyncIterator[OutboxRunner]:
    """An outbox at work, with hardly any patience."""
    runner = OutboxRunner(store, publishers, retry_first_s=retry_first_s, retry_most_s=max(0.002, retry_first_s))
    task = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    """Let others work until it holds; the test's own timeout ends what never comes."""
    while not holds():
        await asyncio.sleep(0.001)


async def settled(store: MemoryStore, name: str) -> None:
    """Wait until the cursor of a publisher has passed everything."""
    while await MemoryStore.outbox_after(store, name, limit=1):
        await asyncio.sleep(0.001)
