"""Notifications to one contact, with a cursor of its own: what the escalation owes it, told in few messages.

1. Whether somebody attends to an alert is read with what is owed, right before it is sent: an alert that was
   acknowledged, closed, shelved, suppressed or withdrawn meanwhile is not told.
2. All that waits goes into one message that names how many alerts there are and the worst; the next one follows after
   `every_ms` at the earliest. Ten thousand alerts are a handful of messages.
3. At least once: the cursor moves only past what was sent or needs no telling; a crash before that sends again.
4. A contact whose addresses fail is tried again, with backoff and jitter, by the channels that failed only.
"""

import asyncio
import contextlib
import random
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple, Protocol

import structlog

from emcheck.alerting.route import POLL_S, Backoff
from emcheck.clock import Clock
from emcheck.domain.alerts import Alert, waits
from emcheck.domain.ids import Ms
from emcheck.ports import Delivery, Owed, StoreError
from emcheck.present.escalated import message

log = structlog.get_logger("emcheck.alerting")

_PAGE = 200
"""Items read at once; between two pages it is the turn of others."""


class Notices(Protocol):
    """What is needed of the store."""

    async def owed_to(self, publisher: str, targets: Sequence[str], *, after: int, limit: int) -> list[Owed]:
        """What `publisher` has not told these targets yet, from the item after `after`, each with its alert."""
        ...

    async def outbox_delivered(self, publisher: str, item_id: int) -> None:
        """`publisher` has delivered everything up to `item_id`."""
        ...

    async def note_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Keep who has what."""
        ...


class Way(Protocol):
    """A channel of a contact."""

    async def send(self, title: str, text: str) -> None:
        """Send it; any exception means: not sent, try again later."""
        ...


class Contact(NamedTuple):
    """Somebody the escalation names: `ways` by channel."""

    name: str
    ways: Mapping[str, Way]


def targets_of(contacts: Sequence[Contact]) -> dict[str, list[str]]:
    """What is owed to each contact in the outbox, by the name of its cursor."""
    return {f"notify {one.name}": [f"{one.name} {by}" for by in one.ways] for one in contacts}


class _Waiting(NamedTuple):
    """What is owed: all items, by target those that still wait (item, alert, revision), and the alerts."""

    items: list[int]
    owed: dict[str, list[tuple[int, str, int]]]
    alerts: dict[str, Alert]


class Notifier:
    """Tells one contact, and keeps the figures of it."""

    def __init__(self, store: Notices, contact: Contact, clock: Clock, backoff: Backoff, *, every_ms: Ms) -> None:
        self.name = f"notify {contact.name}"
        self.delivered_total = self.failed_total = self.given_up_total = self.messages_total = 0
        self.last_error: str | None = None
        """Why the newest message failed; None once one went well."""
        self._store = store
        self._contact = contact
        self._targets = {f"{contact.name} {by}": by for by in contact.ways}
        self._clock = clock
        self._backoff = backoff
        self._every_ms = every_ms
        self._news = asyncio.Event()
        self._failures = 0
        self._not_before: Ms = 0
        self._done: set[int] = set()  # told or not to be told any more, beyond the cursor
        self._confirmed: list[Delivery] = []  # told and not noted yet

    def notify(self) -> None:
        """Something was committed that is to be delivered."""
        self._news.set()

    async def serve(self) -> None:
        """Message after message; between them wait for news, or for as long as a failure or the last message says."""
        while True:
            if not self._confirmed:
                await self._clock.sleep_until(self._not_before)
            self._news.clear()
            try:
                told = await self._round()
            except StoreError as error:
                log.warning("outbox.store_failed", publisher=self.name, error=str(error))
                self._failures, told = self._failures + 1, False
            if self._failures:
                await asyncio.sleep(self._backoff.pause_s(self._failures, jitter=random.random()))
            elif not told:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._news.wait()

    async def _round(self) -> bool:
        """One message of all that waits; whether it is to be gone on at once. First what could not be noted before."""
        if self._confirmed:
            await self._note()
            return True
        found = await self._look()
        told = await self._tell(found) if found.owed else []
        if any(told):
            self._not_before = self._clock.now() + self._every_ms
        await self._note()
        await self._move_cursor(found.items)
        self._failures = 0 if all(told) else self._failures + 1
        return any(told)

    async def _note(self) -> None:
        await self._store.note_deliveries(self._confirmed)
        self._confirmed, self._failures = [], 0

    async def _tell(self, found: _Waiting) -> list[bool]:
        """By all channels at once, so that what was looked at a moment ago still holds; which of them took it."""
        title, text = message(found.alerts.values())
        told = await asyncio.gather(*(self._send(self._targets[target], title, text) for target in found.owed))
        now = self._clock.now()
        for (target, owed), was_taken in zip(found.owed.items(), told, strict=True):
            if was_taken:
                self._confirmed += [Delivery(alert_id, revision, target, now) for _, alert_id, revision in owed]
                self._done |= {item_id for item_id, _, _ in owed}
                self.delivered_total += len(owed)
        return told

    async def _look(self) -> _Waiting:
        """All that is owed, page by page."""
        found = _Waiting([], {}, {})
        after = 0
        while page := await self._store.owed_to(self.name, list(self._targets), after=after, limit=_PAGE):
            for item, target, alert in page:
                found.items.append(item.item_id)
                if item.item_id in self._done:
                    continue
                if not waits(alert):
                    self._done.add(item.item_id)
                    continue
                revision = int(item.event_id.rpartition(".")[2])
                found.owed.setdefault(target, []).append((item.item_id, item.alert_id, revision))
                found.alerts[item.alert_id] = alert
            after = page[-1].item.item_id
        return found

    async def _send(self, by: str, title: str, text: str) -> bool:
        try:
            await self._contact.ways[by].send(title, text)
        except Exception as error:  # noqa: BLE001 - whatever a service raises means: not sent, try again
            self.failed_total += 1
            self.last_error = f"{by}: {str(error) or type(error).__name__}"
            log.warning("contact.not_notified", contact=self._contact.name, by=by, error=str(error))
            return False
        self.messages_total += 1
        self.last_error = None
        log.info("contact.notified", contact=self._contact.name, by=by, title=title)
        return True

    async def _move_cursor(self, items: Sequence[int]) -> None:
        passed = list(takewhile(self._done.__contains__, items))
        if passed:
            await self._store.outbox_delivered(self.name, passed[-1])
            self._done = {item_id for item_id in self._done if item_id > passed[-1]}
