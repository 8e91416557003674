"""What the console asks of a SQL store, and the accounts that it keeps there."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from sqlalchemy.ext.asyncio import AsyncConnection

from emcheck.desk import Access, Account, Asked, Count, Place, SignIn, Told, View, counts_of
from emcheck.domain.alerts import Alert, Step
from emcheck.domain.ids import AlertId, Ms
from emcheck.domain.rights import Role
from emcheck.ports import AlertChange
from emcheck.store import desk_queries as queries
from emcheck.store import schema
from emcheck.store.reading import SqlReads, not_open
from emcheck.store.rows import alert_from, storable
from emcheck.store.writing import upsert

_NO_END = 1 << 62


class SqlDesk(SqlReads):
    """The console's half of `SqlStore`."""

    def _transaction(self, *, scrub: bool = False) -> AbstractAsyncContextManager[AsyncConnection]:  # noqa: ARG002 - of SqlStore
        raise not_open(self._name)

    # --- accounts -----------------------------------------------------------------------------------------

    async def accounts(self) -> list[Account]:
        """All of them, by name."""
        return sorted(_account(*row) for row in await self._rows(queries.ACCOUNTS))

    async def account(self, name: str) -> Account | None:
        """One of them."""
        rows = await self._rows(queries.ACCOUNT, wanted=storable(name))
        return next((_account(*row) for row in rows), None)

    async def put_account(self, account: Account) -> None:
        """Add it, or replace what stands under its name."""
        async with self._transaction() as connection:
            await connection.execute(upsert(connection, schema.account), account._asdict())

    async def choose_password(self, name: str, password: str, *, link_sha256: str, at: Ms) -> bool:
        """Give the account its password and use its link up; False where the link is not the one, or is over."""
        values = {"wanted": storable(name), "link": link_sha256, "at": at, "chosen": password}
        async with self._transaction() as connection:
            return (await connection.execute(queries.CHOOSE_PASSWORD, values)).rowcount > 0

    async def sign_in(self, sign_in: SignIn, *, ended_before: Ms) -> None:
        """Keep a sign-in; those that began before `ended_before` go."""
        async with self._transaction() as connection:
            await connection.execute(queries.SIGN_INS_OVER, {"before": ended_before})
            await connection.execute(schema.sign_in.insert(), sign_in._asdict())

    async def signed_in(self, token_sha256: str) -> SignIn | None:
        """The sign-in of a token."""
        return next((SignIn(*row) for row in await self._rows(queries.SIGNED_IN, token=token_sha256)), None)

    async def sign_in_used(self, token_sha256: str, at: Ms) -> None:
        """It was used at `at`."""
        async with self._transaction() as connection:
            await connection.execute(queries.SIGN_IN_USED, {"token": token_sha256, "at": at})

    async def sign_out(self, *, token_sha256: str | None = None, account: str | None = None) -> None:
        """End one sign-in, or all of an account."""
        async with self._transaction() as connection:
            if token_sha256 is not None:
                await connection.execute(queries.SIGN_OUT, {"token": token_sha256})
            if account is not None:
                await connection.execute(queries.SIGN_OUT_ALL, {"whose": account})

    async def note_access(self, lines: Sequence[Access]) -> None:
        """Keep lines of the access log, for ever."""
        async with self._transaction() as connection:
            await connection.execute(schema.access_log.insert(), [_access(line)._asdict() for line in lines])

    async def access_log(
        self, *, before: int | None = None, limit: int, subject: str | None = None
    ) -> list[tuple[int, Access]]:
        """The newest lines before number `before`, newest first, each with its number; of one subject, or of all."""
        values = {"before": _NO_END if before is None else before, "most": limit}
        if subject is None:
            rows = await self._rows(queries.ACCESS_LOG, **values)
        else:
            rows = await self._rows(queries.ACCESS_LOG_OF, whose=storable(subject), **values)
        return [(number, Access(*told)) for number, *told in rows]

    # --- the queue ----------------------------------------------------------------------------------------

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


def _account(
    name: str,
    role: str,
    created_at: Ms,
    disabled_at: Ms | None,
    password: str | None,
    link: str | None,
    until: Ms | None,
) -> Account:
    return Account(name, Role(role), created_at, disabled_at, password, link, until)


def _access(line: Access) -> Access:
    """What came from outside made storable."""
    return line._replace(
        account=storable(line.account),
        subject=None if line.subject is None else storable(line.subject),
        alert_id=None if line.alert_id is None else storable(line.alert_id),
    )
