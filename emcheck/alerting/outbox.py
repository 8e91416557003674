"""The outbox: one route and one cursor a publisher, so that one that is down delays nobody else."""

import asyncio
from collections.abc import Sequence

from emcheck.alerting.route import Backoff, Outbox, Route
from emcheck.ports import Publisher


class OutboxRunner:
    """Delivers every item to every publisher. `routes` holds the figures of each by its name."""

    def __init__(
        self, store: Outbox, publishers: Sequence[Publisher], *, retry_first_s: float = 1.0, retry_most_s: float = 60.0
    ) -> None:
        backoff = Backoff(retry_first_s, retry_most_s)
        self.routes = {publisher.name: Route(store, publisher, backoff) for publisher in publishers}
        if len(self.routes) < len(publishers):
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
