"""One publisher's way out of the outbox.

1. At least once: the cursor moves only past what was delivered; a crash before that delivers again, with the same id.
2. In order per subject: a subject's next item waits for the one before it. Subjects do not wait for each other.
3. A delivery that fails means that the receiver is down: everything pauses, with backoff and jitter.
4. An item that the receiver refuses holds up its subject only, and is given up after a few tries.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple, Protocol

import structlog

from emcheck.alerting.publishers import RefusedForGoodError
from emcheck.clock import Clock
from emcheck.ports import Delivery, OutboxItem, Publisher, StoreError

log = structlog.get_logger("emcheck.alerting")

_BATCH = 100
_LANES = 8
"""Subjects delivered at once: a slow receiver is waited for eight times at a time."""
POLL_S = 5.0
"""How often the outbox is looked into unasked: another process may have written to it."""
REFUSALS_MAX = 5
"""So many tries of an item that is refused: some seconds, in which a receiver that erred may have come to itself."""


class Outbox(Protocol):
    """What is needed of the store."""

    async def outbox_after(self, publisher: str, *, limit: int) -> list[OutboxItem]:
        """What `publisher` has not delivered yet, in order."""
        ...

    async def outbox_delivered(self, publisher: str, item_id: int) -> None:
        """`publisher` has delivered everything up to `item_id`."""
        ...

    async def note_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Keep who has what."""
        ...


class Backoff(NamedTuple):
    """How long to wait after a failure: doubling from `first_s` to `most_s`."""

    first_s: float
    most_s: float

    def pause_s(self, tries: int, *, jitter: float) -> float:
        """After so many tries in a row; `jitter` from 0 to 1 takes up to half of it away."""
        longest_s = min(self.first_s * 2.0 ** min(tries - 1, 30), self.most_s)
        return longest_s * (1 - jitter / 2)


class Route:
    """Delivers everything in the outbox to one publisher, and keeps its figures."""

    def __init__(self, store: Outbox, publisher: Publisher, backoff: Backoff, clock: Clock) -> None:
        self.delivered_total = self.failed_total = self.given_up_total = 0
        self.last_error: str | None = None
        """Why the newest delivery failed; None once one went well."""
        self._store = store
        self._publisher = publisher
        self._backoff = backoff
        self._clock = clock
        self._confirmed: list[Delivery] = []  # what a consumer has and is not noted yet
        self._news = asyncio.Event()
        self._failures = 0  # rounds in a row that failed and brought nothing
        self._down = False
        self._done: set[int] = set()  # delivered or given up beyond the cursor
        self._refusals: Counter[int] = Counter()
        self._not_before_s: dict[str, float] = {}  # when a refused item's subject is tried again, by the loop's time

    def notify(self) -> None:
        """Something was committed that is to be delivered."""
        self._news.set()

    async def serve(self) -> None:
        """Round after round; between them wait for news, or for as long as a failure says."""
        while True:
            self._news.clear()
            try:
                more = await self._round()
            except StoreError as error:
                self._store_failed(error)
                self._failures, more = self._failures + 1, False
            if self._failures:
                await asyncio.sleep(self._pause_s(self._failures))  # news does not hurry a receiver that is down
            elif not more:
                await self._wait_for_news()

    async def _wait_for_news(self) -> None:
        now_s = asyncio.get_running_loop().time()
        wait_s = min([POLL_S, *(due_s - now_s for due_s in self._not_before_s.values())])
        try:
            async with asyncio.timeout(max(wait_s, 0.0)):
                await self._news.wait()
        except TimeoutError:
            return

    def _pause_s(self, tries: int) -> float:
        return self._backoff.pause_s(tries, jitter=random.random())

    async def _round(self) -> bool:
        """Deliver what can be delivered now; whether there may be more at once."""
        limit = len(self._done) + len(self._refusals) + _BATCH  # what is held up must not hide what is behind it
        items = await self._store.outbox_after(self._publisher.name, limit=limit)
        lanes, before = self._lanes(items), self.delivered_total
        self._down = False
        try:
            await self._deliver(lanes)
        finally:
            await self._move_cursor(items)
        if self._down:
            self._failures = 1 if self.delivered_total > before else self._failures + 1
        else:
            self._failures = 0
        return bool(lanes) and len(items) == limit

    def _lanes(self, items: Sequence[OutboxItem]) -> list[list[OutboxItem]]:
        """What is to be delivered now: a lane a subject, without those that wait after a refusal."""
        now_s = asyncio.get_running_loop().time()
        self._not_before_s = {subject: due_s for subject, due_s in self._not_before_s.items() if due_s > now_s}
        lanes: dict[str, list[OutboxItem]] = {}
        for item in items:
            if item.item_id not in self._done and item.subject not in self._not_before_s:
                lanes.setdefault(item.subject, []).append(item)
        return list(lanes.values())

    async def _deliver(self, lanes: Sequence[Sequence[OutboxItem]]) -> None:
        """Several lanes at once; after the first failure nothing new is begun."""
        free = asyncio.Semaphore(_LANES)

        async def drive(lane: Sequence[OutboxItem]) -> None:
            async with free:
                for item in lane:
                    if self._down or not await self._deliver_one(item):
                        return

        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(drive(lane), name=f"outbox {self._publisher.name} {lane[0].event_id}")

    async def _deliver_one(self, item: OutboxItem) -> bool:
        """Whether the subject's next item may follow."""
        try:
            await self._publisher.publish(item)
        except RefusedForGoodError as error:
            return self._refused(item, str(error))
        except Exception as error:  # noqa: BLE001 - whatever a publisher raises means: not delivered, try again
            self._down = True
            self._failed("alert.not_delivered", item, str(error) or type(error).__name__)
            return False
        self.last_error = None
        self.delivered_total += 1
        if self._publisher.confirms:
            revision = int(item.event_id.rpartition(".")[2])
            self._confirmed.append(Delivery(item.alert_id, revision, self._publisher.name, self._clock.now()))
        self._finish(item)
        return True

    def _refused(self, item: OutboxItem, error: str) -> bool:
        """Try it again later, its subject waiting; or give it up."""
        self._refusals[item.item_id] += 1
        tries = self._refusals[item.item_id]
        self._failed("alert.refused", item, error)
        if tries < REFUSALS_MAX:
            self._not_before_s[item.subject] = asyncio.get_running_loop().time() + self._pause_s(tries)
            return False
        self.given_up_total += 1
        log.error("alert.given_up", publisher=self._publisher.name, event_id=item.event_id, error=error)
        self._finish(item)
        return True

    def _failed(self, event: str, item: OutboxItem, error: str) -> None:
        self.failed_total += 1
        self.last_error = error
        log.warning(event, publisher=self._publisher.name, event_id=item.event_id, error=error)

    def _finish(self, item: OutboxItem) -> None:
        self._done.add(item.item_id)
        self._refusals.pop(item.item_id, None)

    async def _move_cursor(self, items: Sequence[OutboxItem]) -> None:
        """Past everything that is done without a gap. If the store fails, what is done stays known to us."""
        passed = list(takewhile(self._done.__contains__, (item.item_id for item in items)))
        try:
            if self._confirmed:
                await self._store.note_deliveries(self._confirmed)
                self._confirmed = []
            if passed:
                await self._store.outbox_delivered(self._publisher.name, passed[-1])
        except StoreError as error:  # taken here: raised while we are being cancelled it would hide that
            self._store_failed(error)
        else:
            self._done = {item_id for item_id in self._done if not passed or item_id > passed[-1]}

    def _store_failed(self, error: StoreError) -> None:
        self._down = True
        log.warning("outbox.store_failed", publisher=self._publisher.name, error=str(error))
