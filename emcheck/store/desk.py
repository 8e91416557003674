"""What the console asks of a SQL store about the queue."""

from collections.abc import Sequence

from emcheck.desk import Asked, Count, Place, Told, View, counts_of
from emcheck.domain.alerts import Alert, Step
from emcheck.domain.ids import AlertId, Ms
from emcheck.ports import AlertChange
from emcheck.store import desk_queries as queries
from emcheck.store import schema
from emcheck.store.assignments import SqlAssignments
from emcheck.store.overview import SqlOverview
from emcheck.store.people import SqlPeople
from emcheck.store.photos import SqlPhotos
from emcheck.store.rows import alert_from, storable
from emcheck.store.writing import upsert


class SqlDesk(SqlPeople, SqlOverview, SqlPhotos, SqlAssignments):
    """The console's half of `SqlStore`."""

    async def views(self, account: str) -> list[View]:
        """What somebody kept, by name."""
        return sorted(View(*row) for row in await self._rows(queries.VIEWS, whose=storable(account)))

    async def put_view(self, view: View) -> None:
        """Keep it, or replace what stands under its name."""
        async with self._transaction() as connection:
            await connection.execute(
                upsert(connection, schema.saved_view), {key: storable(value) for key, value in view._asdict().items()}
            )

    async def drop_view(self, account: str, name: str) -> bool:
        """Keep it no more; False where there is none."""
        values = {"whose": storable(account), "named": storable(name)}
        async with self._transaction() as connection:
            return (await connection.execute(queries.DROP_VIEW, values)).rowcount > 0

    async def queue_page(self, asked: Asked, *, after: Place | None, limit: int) -> list[Alert]:
        """The alerts of the queue from the one after `after`, in its order."""
        return [alert_from(row[0]) for row in await self._rows(queries.queue_page(asked, after, limit))]

    async def queue_counts(self) -> list[Count]:
        """How many alerts of each priority are in the queue; a priority without any is left out."""
        rows = await self._rows(queries.QUEUE_COUNTS)
        return counts_of([(int(group), number, lowest) for group, number, lowest in rows])

    async def last_told(self) -> int:
        """The number of the newest change of any alert; 0 where there is none."""
        return int((await self._rows(queries.LAST_TOLD))[0][0])

    async def told_after(self, number: int, *, limit: int) -> list[Told]:
        """Changes of alerts after a number, in the order in which they were written."""
        rows = await self._rows(queries.TOLD_AFTER, after=number, most=limit)
        return [
            Told(each, AlertChange(alert_from(body), action, at, by, note, None))
            for each, body, action, at, by, note in rows
        ]

    async def holders(self, names: Sequence[str]) -> dict[str, Step]:
        """Of each of at most 500 alerts the last act of a person; one that nobody acted on is left out."""
        rows = await self._rows(queries.HOLDERS, names=list(names))
        return {name: Step(AlertId(name), action, at, by) for name, action, at, by in rows}

    async def count_under(self, incident: str) -> int:
        """How many alerts an incident accounts for, closed ones too."""
        return int((await self._rows(queries.COUNT_UNDER, incident=storable(incident)))[0][0])

    async def names(self, wearers: Sequence[str]) -> dict[str, str]:
        """The names of at most 500 wearers, as far as they are held."""
        rows = await self._rows(queries.NAMES, wearers=[storable(wearer) for wearer in wearers])
        return {row[0]: row[1] for row in rows}

    async def row_before(self, at: Ms) -> int:
        """The number of an inbox row behind which all rows were received at `at` or later; 0 for all rows."""
        last = await self.last_row()
        low, high = 0, 0 if last is None else last.row_id + 1
        while low < high:  # the rows after `low` - 1 are sought: numbers rise with the time of receipt
            middle = (low + high) // 2
            rows = await self._rows(queries.ROW_FROM, least=middle)
            if not rows or rows[0][1] >= at:
                high = middle
            else:
                low = rows[0][0] + 1
        return max(low - 1, 0)
