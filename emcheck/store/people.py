"""Who may sign in, as a SQL store keeps it: accounts, second factors, sign-ins, and the access log."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from emcheck.desk import Access, Account, SecondFactor, SignIn
from emcheck.domain.ids import Ms
from emcheck.domain.rights import Role
from emcheck.store import people_queries as queries
from emcheck.store import schema
from emcheck.store.reading import SqlReads, not_open
from emcheck.store.rows import storable
from emcheck.store.writing import kept_once, upsert

_NO_END = 1 << 62


class SqlPeople(SqlReads):
    """A part of `emcheck.desk.Desk`."""

    def _transaction(self, *, scrub: bool = False) -> AbstractAsyncContextManager[AsyncConnection]:  # noqa: ARG002 - of SqlStore
        raise not_open(self._name)

    async def accounts(self) -> list[Account]:
        """All of them, by name."""
        return sorted(_account(*row) for row in await self._rows(queries.ACCOUNTS))

    async def account(self, name: str) -> Account | None:
        """One of them."""
        rows = await self._rows(queries.ACCOUNT, wanted=storable(name))
        return next((_account(*row) for row in rows), None)

    async def account_of(self, identity: str) -> Account | None:
        """The one that a provider elsewhere knows by this."""
        rows = await self._rows(queries.ACCOUNT_OF, wanted=storable(identity))
        return next((_account(*row) for row in rows), None)

    async def add_account(self, account: Account) -> bool:
        """Add it; False where there is one of that name."""
        async with self._transaction() as connection:
            added = await connection.execute(kept_once(connection, schema.account), account._asdict())
            return added.rowcount > 0

    async def change_role(self, name: str, role: Role) -> None:
        """The account has another role, and its sign-ins end."""
        async with self._transaction() as connection:
            await connection.execute(queries.CHANGE_ROLE, {"wanted": storable(name), "given": role.value})
            await connection.execute(queries.SIGN_OUT_ALL, {"whose": storable(name), "but": ""})

    async def choose_language(self, name: str, language: str | None) -> None:
        """The account's pages are in this language, as far as they are; None lets the browser say."""
        async with self._transaction() as connection:
            await connection.execute(queries.CHOOSE_LANGUAGE, {"wanted": storable(name), "given": language})

    async def put_account(self, account: Account) -> None:
        """Add it, or replace what stands under its name."""
        async with self._transaction() as connection:
            await connection.execute(upsert(connection, schema.account), account._asdict())

    async def choose_password(self, name: str, password: str, *, link_sha256: str, at: Ms) -> bool:
        """Give the account its password and use its link up; False where the link is not the one, or is over."""
        values = {"wanted": storable(name), "link": link_sha256, "at": at, "chosen": password}
        async with self._transaction() as connection:
            return (await connection.execute(queries.CHOOSE_PASSWORD, values)).rowcount > 0

    async def change_password(self, name: str, password: str, *, was: str) -> bool:
        """Replace the hash `was`; False where it is not the one, or the account is disabled."""
        values = {"wanted": storable(name), "was": was, "chosen": password}
        async with self._transaction() as connection:
            return (await connection.execute(queries.CHANGE_PASSWORD, values)).rowcount > 0

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

    async def sign_ins(self, account: str) -> list[SignIn]:
        """All of an account, the newest first; what is over by its age may be among them."""
        return [SignIn(*row) for row in await self._rows(queries.SIGN_INS, whose=storable(account))]

    async def sign_out(
        self, *, token_sha256: str | None = None, account: str | None = None, but: str | None = None
    ) -> None:
        """End one sign-in, or all of an account, or all but that of the token `but`."""
        async with self._transaction() as connection:
            if token_sha256 is not None:
                await connection.execute(queries.SIGN_OUT, {"token": token_sha256})
            if account is not None:
                await connection.execute(queries.SIGN_OUT_ALL, {"whose": account, "but": but or ""})

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

    # --- second factors -----------------------------------------------------------------------------------

    async def second_factor(self, account: str) -> SecondFactor | None:
        """The account's device, confirmed or not."""
        rows = await self._rows(queries.SECOND_FACTOR, whose=storable(account))
        return next((SecondFactor(*row) for row in rows), None)

    async def put_second_factor(self, factor: SecondFactor) -> None:
        """Add it, or replace what the account has."""
        async with self._transaction() as connection:
            await connection.execute(upsert(connection, schema.second_factor), factor._asdict())

    async def use_step(self, account: str, step: int) -> bool:
        """A code of these 30 s is used up; False where it, or a later one, was."""
        async with self._transaction() as connection:
            return (await connection.execute(queries.USE_STEP, {"whose": account, "used": step})).rowcount > 0

    async def drop_second_factor(self, account: str) -> None:
        """Forget the account's device and recovery codes."""
        async with self._transaction() as connection:
            await connection.execute(queries.DROP_SECOND_FACTOR, {"whose": account})
            await connection.execute(queries.DROP_RECOVERY_CODES, {"whose": account})

    async def put_recovery_codes(self, account: str, hashes: Sequence[str]) -> None:
        """The account's one-time codes are these, and no others."""
        async with self._transaction() as connection:
            await connection.execute(queries.DROP_RECOVERY_CODES, {"whose": account})
            lines = [{"account": account, "code_sha256": each} for each in hashes]
            await connection.execute(schema.recovery_code.insert(), lines)

    async def recovery_codes(self, account: str) -> int:
        """How many are left."""
        return int((await self._rows(queries.RECOVERY_CODES, whose=storable(account)))[0][0])

    async def use_recovery_code(self, account: str, code_sha256: str) -> bool:
        """It is used up; False where it was, or never was one."""
        values = {"whose": account, "code": code_sha256}
        async with self._transaction() as connection:
            return (await connection.execute(queries.USE_RECOVERY_CODE, values)).rowcount > 0


def _account(name: str, role: str, *more: Any) -> Account:
    return Account(name, Role(role), *more)


def _access(line: Access) -> Access:
    """What came from outside made storable."""
    return line._replace(
        account=storable(line.account),
        subject=None if line.subject is None else storable(line.subject),
        alert_id=None if line.alert_id is None else storable(line.alert_id),
    )
