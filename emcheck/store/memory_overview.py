"""What pages that look back and over all ask of a store, for tests."""

from emcheck.desk import rank
from emcheck.domain.alerts import Alert, waits
from emcheck.domain.ids import Ms
from emcheck.ports import Quarantined
from emcheck.store.rows import is_open


class MemoryOverview:
    """A part of `emcheck.desk.Desk`."""

    _alerts: dict[str, Alert]
    _quarantine: list[Quarantined]

    async def alerts_raised(self, since: Ms, until: Ms, *, after: tuple[Ms, str] = (-1, ""), limit: int) -> list[Alert]:
        """The alerts raised in `[since, until)`, closed ones too, by instant and id, from the one after `after`."""
        found = sorted((a.raised_at, a.alert_id) for a in self._alerts.values() if since <= a.raised_at < until)
        return [self._alerts[name] for at, name in found if (at, name) > after][:limit]

    async def in_hand(self, *, limit: int) -> list[Alert]:
        """The alerts of the queue that somebody has, acknowledged or shelved, in its order."""
        found = [
            (place, a.alert_id)
            for a in self._alerts.values()
            if (place := rank(a)) is not None and (a.holder is not None or not waits(a))
        ]
        return [self._alerts[name] for _, name in sorted(found)][:limit]

    async def open_incidents(self, *, limit: int) -> list[Alert]:
        """The alerts of incidents that are not closed, by when they were raised."""
        found = [a for a in self._alerts.values() if a.subject.startswith("incident ") and is_open(a)]
        return sorted(found, key=lambda a: (a.raised_at, a.alert_id))[:limit]

    async def refused(
        self, *, unit: str | None = None, reason: str | None = None, before: int | None = None, limit: int
    ) -> list[tuple[int, Quarantined]]:
        """Refused input with its number, newest first, from the one before `before`; of a unit, topic or reason."""
        found = [
            (number, kept)
            for number, kept in enumerate(self._quarantine, start=1)
            if (before is None or number < before)
            and unit in (None, kept.unit, kept.topic)
            and reason in (None, kept.reason)
        ]
        return found[::-1][:limit]
