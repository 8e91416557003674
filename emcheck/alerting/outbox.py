"""The outbox: one route and one cursor for each publisher and contact, so that one that is down delays nobody else."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from emcheck.alerting.notifying import Contact, Notices, Notifier
from emcheck.alerting.route import Backoff, Outbox, Route
from emcheck.clock import Clock, SystemClock
from emcheck.domain.ids import Ms
from emcheck.domain.instants import MINUTE
from emcheck.ports import Publisher


class _Store(Outbox, Notices, Protocol):
    """What is needed of the store."""


class OutboxRunner:
    """Delivers every item to every publisher, and what is owed to contacts. `routes` has the figures of each by name.

    A contact gets at most one message in `every_ms` of `clock`.
    """

    def __init__(
        self,
        store: _Store,
        publishers: Sequence[Publisher],
        contacts: Sequence[Contact] = (),
        *,
        clock: Clock | None = None,
        every_ms: Ms = MINUTE,
        retry_first_s: float = 1.0,
        retry_most_s: float = 60.0,
    ) -> None:
        backoff, clock = Backoff(retry_first_s, retry_most_s), clock or SystemClock()
        self.routes: dict[str, Route | Notifier] = {
            publisher.name: Route(store, publisher, backoff, clock) for publisher in publishers
        }
        for contact in contacts:
            notifier = Notifier(store, contact, clock, backoff, every_ms=every_ms)
            self.routes[notifier.name] = notifier
        if len(self.routes) < len(publishers) + len(contacts):
            raise ValueError("two publishers have one name; each needs its own, for its own cursor")

    @property
    def delivered_total(self) -> int:
        """Deliveries to all publishers."""
        return sum(route.delivered_total for route in self.routes.values())

    @property
    def given_up_total(self) -> int:
        """Deliveries given up because a receiver went on refusing them."""
        return sum(route.given_up_total for route in self.routes.values())

    def notify(self) -> None:
        """Something was committed that is to be delivered."""
        for route in self.routes.values():
            route.notify()

    async def run(self) -> None:
        """Deliver for ever."""
        async with asyncio.TaskGroup() as group:
            for name, route in self.routes.items():
                group.create_task(route.serve(), name=f"outbox {name}")
