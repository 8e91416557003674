"""The auditor: asks the store, apart from what decides and delivers, whether what was due was done, and says so.

It tells the decision loop by letter, as an operator would, what it found twice in a row: what is under way is none.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence

import structlog

from emcheck.alerting.publishers import LogPublisher, MqttPublisher, WebhookPublisher
from emcheck.clock import Clock
from emcheck.domain.alerts import waits
from emcheck.domain.auditing import Difference, Missed, Told, gathered, missed
from emcheck.domain.escalation import target
from emcheck.domain.ids import Ms
from emcheck.domain.instants import FOREVER, format_ms
from emcheck.domain.policies import Line
from emcheck.domain.policy import Policy
from emcheck.domain.rules.service_audit import SUBJECT, cause_of
from emcheck.ports import AlertChange, Store, StoreError
from emcheck.settings import Settings

log = structlog.get_logger("emcheck.service")

_PAGE = 1000
_AT_ONCE = 50
"""Alerts looked at in one stretch, a few milliseconds; between two it is the turn of others."""
_OWED_MAX = 1000
"""So much of what a publisher owes is counted."""


async def audit(
    store: Store,
    own: Line,
    *,
    now: Ms,
    publishers: Sequence[str],
    contacts: Mapping[str, Sequence[str]],
    up_since: Ms | None = None,
) -> list[Difference]:
    """All differences at `now` by the service's own line.

    `contacts` are the targets of each notifier; `up_since` when the service came up.
    """
    found: list[Missed] = []
    after: tuple[Ms, str] = (-FOREVER, "")
    while page := await store.open_alerts(after=after, limit=_PAGE):
        after = page[-1]
        for first in range(0, len(page), _AT_ONCE):
            names = [name for _, name in page[first : first + _AT_ONCE]]
            found += await _missed(store, await store.alert_histories(names), own, now=now, up_since=up_since)
    policy = own.then(now)
    grace_ms = policy.ms("service.audit.grace_s")
    behind: dict[str, tuple[int, Ms]] = {}
    for name in publishers:
        owed = [item.created_at for item in await store.outbox_after(name, limit=_OWED_MAX)]
        if owed and min(owed) <= now - grace_ms:
            behind[name] = (len(owed), min(owed))
    for name, targets in contacts.items():
        notices = await store.owed_to(name, targets, after=0, limit=_OWED_MAX)
        owed = [notice.item.created_at for notice in notices if waits(notice.alert)]
        if owed and min(owed) <= now - grace_ms - policy.ms("alert.notify.every_s"):
            behind[name] = (len(owed), min(owed))
    return gathered(found, behind)


async def _missed(
    store: Store, page: Sequence[Sequence[AlertChange]], own: Line, *, now: Ms, up_since: Ms | None
) -> list[Missed]:
    arrived: dict[str, list[int]] = {}
    for one in await store.deliveries([history[0].alert.alert_id for history in page]):
        arrived.setdefault(one.alert_id, []).append(one.revision)
    found = []
    for history in page:
        told = [Told(change.at, change.action, change.alert) for change in history]
        has = arrived.get(told[0].alert.alert_id, [])
        overdue = missed(told, has, own.then(told[0].alert.raised_at), now=now, up_since=up_since)
        if overdue is not None:
            found.append(overdue)
    return found


def publishers_in(settings: Settings) -> list[str]:
    """The publishers that are on, by name."""
    alerting = settings.alerting
    are_on = {
        LogPublisher.name: alerting.log.enabled,
        MqttPublisher.name: alerting.mqtt.enabled,
        WebhookPublisher.name: alerting.webhook.url is not None,
    }
    return [name for name, is_on in are_on.items() if is_on]


def targets_in(settings: Settings, policy: Policy) -> dict[str, list[str]]:
    """What is owed to the contacts of the settings that the policy names; no address is looked at."""
    contacts: dict[str, list[str]] = {}
    for call in (call for tree in policy.trees.values() for call in tree):
        name = target(call)
        if name is not None and call.by in settings.alerting.contacts.get(call.who, {}):
            contacts.setdefault(f"notify {call.who}", []).append(name)
    return contacts


class Auditor:
    """Looks every `every_s`, and keeps what it found last."""

    def __init__(
        self,
        store: Store,
        own: Callable[[], Line],
        clock: Clock,
        *,
        publishers: Sequence[str],
        contacts: Mapping[str, Sequence[str]],
        every_s: float,
        up_since: Callable[[], Ms],
    ) -> None:
        self._store = store
        self._own = own
        self._clock = clock
        self._publishers = publishers
        self._contacts = contacts
        self._every_s = every_s
        self._up_since = up_since
        self._letter: int | None = None
        self.found: list[Difference] = []
        """What the last look found, under way or not."""

    async def run(self) -> None:
        """Look for ever. A store that fails is told of elsewhere; it is asked again at the next look."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.look()
            except StoreError as error:
                log.warning("audit.store_failed", error=str(error))

    async def look(self) -> None:
        """Look once, and post what was found now and at the look before, if the decision loop does not know it."""
        now = self._clock.now()
        before = {difference.cause for difference in self.found}
        self.found = await audit(
            self._store, self._own(), now=now, publishers=self._publishers, contacts=self._contacts,
            up_since=self._up_since(),
        )  # fmt: skip
        known = {cause_of(finding) for finding in await self._store.findings(SUBJECT)}
        sure = [difference for difference in self.found if difference.cause in before | known]
        if {difference.cause for difference in sure} != known and not await self._waiting():
            log.error("audit.differs", found=[f"{one.kind} {one.publisher}".strip() for one in sure])
            self._letter = await self._store.post(_letter(sure), now)

    async def _waiting(self) -> bool:
        """Whether the last letter is not read yet."""
        return self._letter is not None and await self._store.outcome(self._letter) is None


def _letter(found: Sequence[Difference]) -> bytes:
    told = [
        {"kind": one.kind, "publisher": one.publisher, "count": one.number, "since": format_ms(one.since),
         "examples": list(one.examples)}
        for one in found
    ]  # fmt: skip
    return json.dumps({"type": "audit", "found": told, "by": "the auditor"}).encode()
