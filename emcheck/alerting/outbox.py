"""The outbox: one task and one cursor a publisher, so that one that is down delays nobody else."""

import asyncio
import random
from collections.abc import Sequence

import structlog

from emcheck.alerting.publishers import RefusedForGoodError
from emcheck.ports import OutboxItem, Publisher, Store

log = structlog.get_logger("emcheck.alerting")

_BATCH = 100
_REFUSALS_MAX = 5
_POLL_S = 5.0


class OutboxRunner:
    """Delivers every item to every publisher at least once, in order, with the same id each time."""

    def __init__(
        self, store: Store, publishers: Sequence[Publisher], *, retry_first_s: float = 1.0, retry_most_s: float = 60.0
    ) -> None:
        self._store = store
        self._publishers = publishers
        self._retry_first_s, self._retry_most_s = retry_first_s, retry_most_s
        self._news = {publisher.name: asyncio.Event() for publisher in publishers}
        self.delivered_total = 0
        self.given_up_total = 0

    def notify(self) -> None:
        """Something was committed that is to be delivered."""
        for news in self._news.values():
            news.set()

    async def run(self) -> None:
        """Deliver for ever."""
        async with asyncio.TaskGroup() as group:
            for publisher in self._publishers:
                group.create_task(self._serve(publisher), name=f"outbox {publisher.name}")

    async def _serve(self, publisher: Publisher) -> None:
        news = self._news[publisher.name]
        while True:
            news.clear()
            items = await self._store.outbox_after(publisher.name, limit=_BATCH)
            for item in items:
                await self._deliver(publisher, item)
                await self._store.outbox_delivered(publisher.name, item.item_id)
            if not items:
                try:
                    async with asyncio.timeout(_POLL_S):
                        await news.wait()
                except TimeoutError:
                    continue

    async def _deliver(self, publisher: Publisher, item: OutboxItem) -> None:
        """Until it is delivered, or refused for good several times: others must not wait for ever."""
        wait_s, refusals = self._retry_first_s, 0
        while True:
            try:
                await publisher.publish(item)
            except RefusedForGoodError as error:
                refusals += 1
                if refusals >= _REFUSALS_MAX:
                    self.given_up_total += 1
                    log.error("alert.refused", publisher=publisher.name, event_id=item.event_id, error=str(error))
                    return
            except Exception as error:  # noqa: BLE001 - whatever a publisher raises means: not delivered, try again
                log.warning("alert.not_delivered", publisher=publisher.name, event_id=item.event_id, error=str(error))
            else:
                self.delivered_total += 1
                return
            await asyncio.sleep(random.uniform(0.5, 1.0) * wait_s)
            wait_s = min(wait_s * 2, self._retry_most_s)
