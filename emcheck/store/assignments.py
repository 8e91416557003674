"""Which fitter is to make which visit on which day, as a SQL store keeps it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from emcheck.desk import Assignment
from emcheck.domain.ids import Ms
from emcheck.store.reading import SqlReads, not_open
from emcheck.store.rows import storable
from emcheck.store.schema import assignment
from emcheck.store.writing import kept_once

_COLUMNS = (
    assignment.c.order_id, assignment.c.fitter, assignment.c.day, assignment.c.by, assignment.c.at,
)  # fmt: skip
_ALL = select(*_COLUMNS).order_by(assignment.c.order_id)
_OF = assignment.c.order_id == bindparam("of")
_ONE = select(*_COLUMNS).where(_OF)
_DROP = delete(assignment).where(_OF, assignment.c.at == bindparam("seen_at"))


class SqlAssignments(SqlReads):
    """A part of `emcheck.desk.Desk`."""

    def _transaction(self, *, scrub: bool = False) -> AbstractAsyncContextManager[AsyncConnection]:  # noqa: ARG002 - of SqlStore
        raise not_open(self._name)

    async def assignments(self) -> Sequence[Assignment]:
        """All there are, by order; those of days that are over too."""
        return [Assignment(*row) for row in await self._rows(_ALL)]

    async def assign(self, order_id: str, now: Assignment | None, *, seen_at: Ms | None) -> Assignment | None:
        """Put `now` in the place of the one made at `seen_at`, None for none; what stands there then."""
        of = storable(order_id)
        async with self._transaction() as connection:
            if seen_at is not None:
                await connection.execute(_DROP, {"of": of, "seen_at": seen_at})
            if now is not None:
                values = {
                    key: storable(value) if isinstance(value, str) else value for key, value in now._asdict().items()
                }
                await connection.execute(kept_once(connection, assignment), values)
            row = (await connection.execute(_ONE, {"of": of})).one_or_none()
            return None if row is None else Assignment(*row)
