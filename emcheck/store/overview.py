"""What pages that look back and over all ask of a SQL store."""

from emcheck.domain.alerts import Alert
from emcheck.domain.ids import Ms
from emcheck.ports import Quarantined
from emcheck.store import overview_queries as queries
from emcheck.store.reading import SqlReads
from emcheck.store.rows import alert_from, storable

_NO_END = 1 << 62


class SqlOverview(SqlReads):
    """A part of `emcheck.desk.Desk`."""

    async def alerts_raised(self, since: Ms, until: Ms, *, after: tuple[Ms, str] = (-1, ""), limit: int) -> list[Alert]:
        """The alerts raised in `[since, until)`, closed ones too, by instant and id, from the one after `after`."""
        return [alert_from(row[0]) for row in await self._rows(queries.alerts_raised(since, until, after, limit))]

    async def in_hand(self, *, limit: int) -> list[Alert]:
        """The alerts of the queue that somebody has, acknowledged or shelved, in its order."""
        return [alert_from(row[0]) for row in await self._rows(queries.in_hand(limit))]

    async def open_incidents(self, *, limit: int) -> list[Alert]:
        """The alerts of incidents that are not closed, by when they were raised."""
        return [alert_from(row[0]) for row in await self._rows(queries.open_incidents(limit))]

    async def refused(
        self, *, unit: str | None = None, reason: str | None = None, before: int | None = None, limit: int
    ) -> list[tuple[int, Quarantined]]:
        """Refused input with its number, newest first, from the one before `before`; of a unit, topic or reason."""
        unit = None if unit is None else storable(unit)
        rows = await self._rows(queries.refused(unit, reason, _NO_END if before is None else before, limit))
        return [(number, Quarantined(*kept)) for number, *kept in rows]
