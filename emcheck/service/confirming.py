"""Receipts of consumers: what a batch brings of them becomes rows, or quarantine where there is no such event."""

from collections.abc import Sequence

from emcheck.domain.ids import Ms
from emcheck.ports import Delivery, Message, Quarantined, Store
from emcheck.wire.receipts import Confirmed

_AT_ONCE = 500
"""Alerts that the store is asked of at once."""


class Confirming:
    """Keeps the receipts of a batch until its transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Message, Confirmed]] = []

    def note(self, message: Message, confirmed: Confirmed) -> None:
        """A receipt came."""
        self._waiting.append((message, confirmed))

    async def settle(self, refused: Sequence[Quarantined]) -> tuple[list[Delivery], list[Quarantined]]:
        """What was confirmed of events that were published, and what is `refused` of the batch, both to be committed.

        What names no event joins the others in the order of receipt: as such an export tells them.
        """
        waiting, self._waiting = self._waiting, []
        published = await self._published([confirmed.alert_id for _, confirmed in waiting])
        deliveries, unknown = [], []
        for message, (alert_id, revision, consumer) in waiting:
            if revision <= published.get(alert_id, 0):
                deliveries.append(Delivery(alert_id, revision, consumer, message.received_at))
            else:
                unknown.append(_unknown(message, f"{alert_id}.{revision}"))
        return deliveries, sorted([*refused, *unknown], key=lambda item: item.received_at)

    async def _published(self, names: Sequence[str]) -> dict[str, int]:
        """The newest revision of each alert there is."""
        known: dict[str, int] = {}
        wanted = list(dict.fromkeys(names))
        for first in range(0, len(wanted), _AT_ONCE):
            for alert in await self._store.alerts_named(wanted[first : first + _AT_ONCE]):
                known[alert.alert_id] = alert.revision
        return known


def _unknown(message: Message, event_id: str) -> Quarantined:
    at: Ms = message.received_at
    detail = f"no event {event_id} was ever published"
    return Quarantined(at, message.topic, None, "unknown_event", detail, message.payload)
